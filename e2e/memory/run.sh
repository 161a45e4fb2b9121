#!/usr/bin/env bash
# Compares predicted with measured memory for eight jobs; fails where they differ by more than 20 %. About eight minutes on two cores.
# The last output is docs/memory.md's table.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
JAVA_HOME=$("$checkout/rlvr" jdk)
export JAVA_HOME
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$checkout/rlvr" version
mkdir "$folder/classes"
"$JAVA_HOME/bin/javac" -d "$folder/classes" "$checkout"/e2e/src/main/java/dev/rlvr/e2e/{RandomModel,memory/MemoryTable}.java
"$JAVA_HOME/bin/java" -cp "$folder/classes" dev.rlvr.e2e.memory.MemoryTable "$checkout" "$folder/run"
