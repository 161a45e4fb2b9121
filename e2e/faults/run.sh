#!/usr/bin/env bash
# Plays random fault schedules against jobs of four ranks: each has to end with the weights of an undisturbed run, in time and with nothing left
# behind. Linux; CPU time of about 20 s a schedule, so most of an hour for 200 on two idle cores. The last output is in docs/faults.md.
# Usage: run.sh [--results FOLDER] [--parallel N] [SCHEDULES [SEED]]    (200 from seed 1)
#        run.sh --results FOLDER --summary
#   --results FOLDER   goes on with what is there: seeds that have ended well are not played again (default: a new folder, deleted if all is well)
#   --parallel N       so many at once; much of a schedule is waiting for what is frozen (default 1)
set -euo pipefail

checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
JAVA_HOME=$("$checkout/rlvr" jdk)
export JAVA_HOME
results=""
parallel=1
summary=false
while [ $# -gt 0 ]; do
  case $1 in
    --results) results=$2 && shift 2 ;;
    --parallel) parallel=$2 && shift 2 ;;
    --summary) summary=true && shift ;;
    -*) sed -n '4,7s/^# //p' "$0" >&2 && exit 2 ;;
    *) break ;;
  esac
done
schedules=${1:-200}
seed=${2:-1}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
kept=${results:-$(mktemp -d)}

"$checkout/rlvr" version
built=$(cat "$checkout/target/built.current")
# ./rlvr makes it beside what runs first; without it each of some thousand starts takes twice its time
for _ in {1..300}; do
  [ ! -f "$built/rlvr-trainer.aot" ] || break
  sleep 1
done
classpath=$scratch/classes:$(cat "$built/rlvr-trainer.classpath")
"$JAVA_HOME/bin/javac" -proc:none -cp "$classpath" -d "$scratch/classes" "$checkout"/e2e/src/main/java/dev/rlvr/e2e/{RandomModel,TinyJob}.java \
  "$checkout"/e2e/src/main/java/dev/rlvr/e2e/faults/*.java
faults=("$JAVA_HOME/bin/java" -XX:-UsePerfData -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$classpath" dev.rlvr.e2e.faults.Faults "$kept")

# Mounts, networks and processes of its own: nothing outside can be hit, and nothing is left when it ends.
# Whoever is not root becomes so in a user namespace.
own=(--mount --net --pid --fork --mount-proc --kill-child)
if [ "$(id -u)" -ne 0 ]; then own+=(--map-root-user); fi
play() {
  mkdir "$scratch/$1"
  unshare "${own[@]}" bash -euo pipefail -c '
    unshare --net sleep infinity &
    other=$!
    until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
    "$@" "$other"
    kill "$other"
  ' faults "${faults[@]}" "$checkout" "$scratch/$1" "$schedules" "$seed"
}

players=()
if ! $summary; then
  for player in $(seq "$parallel"); do
    play "$player" &
    players+=($!)
  done
fi
failed=false
for player in ${players[@]+"${players[@]}"}; do
  wait "$player" || failed=true
done
status=0
"${faults[@]}" || status=$?
if [ "$status" -ne 0 ] || $failed; then
  echo "Outcomes and the logs of what went wrong are in $kept" >&2
  exit 1
fi
if [ -z "$results" ]; then rm -rf "$kept"; fi
