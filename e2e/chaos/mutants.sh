#!/usr/bin/env bash
# e2e/chaos/mutants.sh [SCHEDULES] [MUTANT...]: breaks the operator in each of the ways in e2e/chaos/mutants in turn (or in those that are
# named), in a copy of what is committed, and plays 80 schedules (or as many as given) against each. Fails where they do not notice.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
schedules=${1:-80}
mutants=("${@:2}")
[ ${#mutants[@]} -gt 0 ] || mutants=("$checkout"/e2e/chaos/mutants/*.patch)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/checkout"
git -C "$checkout" archive HEAD | tar -x -C "$folder/checkout"

missed=0
for mutant in "${mutants[@]}"; do
  name=$(basename "$mutant" .patch)
  mutant=$checkout/e2e/chaos/mutants/$name.patch
  patch -d "$folder/checkout" -p1 -s <"$mutant"
  "$folder/checkout/e2e/chaos/run.sh" "$schedules" >"$folder/$name" 2>&1 || true
  patch -d "$folder/checkout" -p1 -s -R <"$mutant"
  # a mutant that does not compile is not found, either
  if found=$(grep -m 1 -A 1 'of the batch from seed' "$folder/$name"); then
    printf '%s: found\n%s\n' "$name" "$found"
  else
    printf '%s: NOT FOUND\n' "$name"
    tail -n 5 "$folder/$name"
    missed=1
  fi
done
exit "$missed"
