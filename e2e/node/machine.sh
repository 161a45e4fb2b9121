#!/usr/bin/env bash
# The little that a node shares with its machine: control groups, and three kernel settings that a kubelet insists on. `prepare` before the node
# starts, `restore` after it has ended.
set -euo pipefail
. "$(dirname "$0")/settings.sh"

SETTINGS=(vm/overcommit_memory kernel/panic kernel/panic_on_oops)

prepare() {
  local setting hierarchy file
  for setting in "${SETTINGS[@]}"; do
    mkdir -p "$NODE_FOLDER/kernel/$(dirname "$setting")"
    cat "/proc/sys/$setting" >"$NODE_FOLDER/kernel/$setting"
  done
  # the kubelet wants its root group in each hierarchy
  while read -r hierarchy; do
    mkdir -p "$hierarchy/$CGROUP"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$hierarchy/$CGROUP/$file" ] || [ -n "$(cat "$hierarchy/$CGROUP/$file")" ] || cat "$hierarchy/$file" >"$hierarchy/$CGROUP/$file"
    done
    # the machine weighs the whole node, with all pods, as it weighs one process
    [ ! -e "$hierarchy/$CGROUP/cpu.shares" ] || echo 4096 >"$hierarchy/$CGROUP/cpu.shares"
    [ ! -e "$hierarchy/$CGROUP/cpu.weight" ] || echo 400 >"$hierarchy/$CGROUP/cpu.weight"
  done < <(hierarchies)
}

restore() {
  local setting hierarchy tries
  for setting in "${SETTINGS[@]}"; do
    [ ! -r "$NODE_FOLDER/kernel/$setting" ] || cat "$NODE_FOLDER/kernel/$setting" >"/proc/sys/$setting"
  done
  # a group can be removed once the kernel is done with the last process in it
  for tries in $(seq 100); do
    while read -r hierarchy; do
      [ ! -d "$hierarchy/$CGROUP" ] || find "$hierarchy/$CGROUP" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    done < <(hierarchies)
    [ -n "$(hierarchies | xargs -I{} find {} -maxdepth 1 -name "$CGROUP")" ] || return 0
    sleep 0.1
  done
  fail "Control groups $CGROUP are still in use (after $tries tries)."
}

hierarchies() { findmnt --list --noheadings --types cgroup,cgroup2 --output TARGET; }

case ${1:-} in
  prepare) prepare ;;
  restore) restore ;;
  *) fail "usage: $0 prepare|restore" ;;
esac
