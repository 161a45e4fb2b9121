#!/usr/bin/env bash
# Plays 1,000 random schedules (or as many as given, from a seed) against the operator, behind a proxy that makes the worst of an API server;
# stops at the first broken promise, with its seed and the whole story of that job: docs/chaos.md.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
JAVA_HOME=$("$checkout/rlvr" jdk)
export JAVA_HOME
schedules=${1:-1000}
seed=${2:-1}

maven=$checkout/mvnw
! command -v mvn >/dev/null || maven=mvn
cd "$checkout"
"$maven" -B -ntp -Dstyle.color=never -pl e2e -am test -Dspotless.check.skip -Dtest=ChaosTest -Dsurefire.failIfNoSpecifiedTests=false \
  "-Dchaos.schedules=$schedules" "-Dchaos.seed=$seed" </dev/null 2>&1 | grep --line-buffered -v -e '^\[INFO\]' -e '^\[WARNING\]' -e '^WARNING:' -e '^$'
