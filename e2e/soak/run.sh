#!/usr/bin/env bash
# Trains a tiny model for 10,000 steps (or as many as given) and fails where the trainer's memory grows. About ten minutes on one core.
# The last output is docs/soak.md's table.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
JAVA_HOME=$("$checkout/rlvr" jdk)
export JAVA_HOME
steps=${1:-10000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$checkout/rlvr" version
mkdir "$folder/classes"
"$JAVA_HOME/bin/javac" -d "$folder/classes" "$checkout"/e2e/src/main/java/dev/rlvr/e2e/{RandomModel,TinyJob,soak/Soak}.java
"$JAVA_HOME/bin/java" -cp "$folder/classes" dev.rlvr.e2e.soak.Soak "$checkout" "$folder/run" "$steps" || {
  tail -n 20 "$folder/run/log.txt" >&2
  exit 1
}
