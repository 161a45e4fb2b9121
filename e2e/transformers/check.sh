#!/usr/bin/env bash
# Checks that a model folder that a run exported is what Hugging Face transformers takes it for: transformers loads it and answers held-out
# prompts, then both it and the trainer say log-probabilities and entropies of these answers, which must agree to 1e-4 in F32.
# Python packages go to .venv beside this script, the first time (torch: several GB).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$(dirname "$here")")

usage() {
  cat <<EOF
usage: check.sh MODEL-FOLDER [PROMPTS.jsonl] [COUNT]
       check.sh --families

MODEL-FOLDER    folder that a run exported, such as runs/default-quickstart/model
--families      check small random models of every supported family instead
PROMPTS.jsonl   lines with a field prompt (default: the quickstart's held-out problems)
COUNT           how many of them (default 50)

PYTHON names the Python to make the environment with (default python3; 3.11 is known to work), JAVA_HOME the JDK 25.
EOF
}

case ${1:-} in
  '') usage >&2; exit 2 ;;
  -h | --help) usage; exit 0 ;;
esac
model=$1
[ "$model" != --families ] || model=$root/examples/quickstart/model
prompts=${2:-$root/examples/quickstart/test.jsonl}
count=${3:-50}

fail() {
  printf '%s\n' "$@" >&2
  exit 2
}
[ -f "$model/config.json" ] || fail "$model is no model folder: it has no config.json; finish a run first (./rlvr run ...)"
[ -f "$prompts" ] || fail "there is no $prompts; name a .jsonl file with prompts"
[[ $count =~ ^[1-9][0-9]*$ ]] || fail "COUNT: $count is not a positive number"
[ -f "$root/trainer-image/target/classpath" ] || fail "the trainer is not built; run: mvn -pl trainer-image -am -DskipTests package"
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

# the environment is whole once it has the mark of the requirements that it was made from
venv=$here/.venv
if ! cmp -s "$here/requirements.txt" "$venv/made-from.txt"; then
  "${PYTHON:-python3}" -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/made-from.txt"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HF_HUB_OFFLINE=1
python() {
  "$venv/bin/python" "$here/parity.py" "$@"
}

check() {
  python answer "$1" "$prompts" "$count" "$work/answers.jsonl"
  "$java" --enable-native-access=ALL-UNNAMED -cp "$root/trainer-image/target/classes:$(cat "$root/trainer-image/target/classpath")" \
    dev.rlvr.trainer.Score "$1" "$work/answers.jsonl" "$work/scores.jsonl"
  python compare "$1" "$work/answers.jsonl" "$work/scores.jsonl"
}

if [ "$1" = --families ]; then
  for family in llama qwen2 qwen3; do
    echo "$family"
    python make "$family" "$model" "$work/$family"
    check "$work/$family"
  done
else
  python tokenizer "$model" "$prompts"
  check "$model"
fi
