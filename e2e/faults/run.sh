#!/usr/bin/env bash
# Plays 200 random fault schedules (or as many as given, from a seed) against jobs of four ranks; stops at the first that does not end with the
# weights of an undisturbed run, in time and with nothing left behind. Linux; about half a minute a schedule on two cores.
# The last output is in docs/faults.md.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
schedules=${1:-200}
seed=${2:-1}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$checkout/rlvr" version
mkdir "$folder/classes"
java=${JAVA_HOME:+$JAVA_HOME/bin/}
"${java}javac" -d "$folder/classes" "$checkout"/e2e/src/main/java/dev/rlvr/e2e/RandomModel.java \
  "$checkout"/e2e/src/main/java/dev/rlvr/e2e/faults/{Attempt,Commands,Fault,Faults,JobFolder,Play,Pods,Schedule,Summary,Trainer,Violation}.java

# Mounts, networks and processes of its own: nothing outside can be hit, and nothing is left when it ends.
# Whoever is not root becomes so in a user namespace.
own=(--mount --net --pid --fork --mount-proc --kill-child)
if [ "$(id -u)" -ne 0 ]; then own+=(--map-root-user); fi
unshare "${own[@]}" bash -euo pipefail -c '
  unshare --net sleep infinity &
  other=$!
  until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
  status=0
  "$1" -XX:-UsePerfData -cp "$2/classes" dev.rlvr.e2e.faults.Faults "$3" "$2" "$4" "$5" "$other" || status=$?
  kill "$other"
  if [ "$status" -ne 0 ]; then tail -n 15 "$2"/schedule/*.log >&2 || true; fi
  exit "$status"
' faults "${java}java" "$folder" "$checkout" "$schedules" "$seed"
