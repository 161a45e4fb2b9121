#!/usr/bin/env bash
# Checks that the trainer computes what Hugging Face transformers computes: log-probabilities and entropies of `./rlvr entropy` agree to 1e-4
# in F32, at temperatures 1.0 and 0.7, on texts of very unequal length. The last output for all models is docs/parity.txt.
# Python packages go to .venv beside this script, the first time (torch: several GB).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$(dirname "$here")")

usage() {
  cat <<EOF
usage: check.sh                                   all: SmolLM2-135M and small random models of each family
       check.sh --families                        the small random models only
       check.sh MODEL-FOLDER [PROMPTS.jsonl] [COUNT]
                                                  a folder that a run exported, such as runs/default-quickstart/model

PROMPTS.jsonl   lines with a field prompt that transformers samples answers to (default: the quickstart's held-out problems)
COUNT           how many of them (default 50)

SMOLLM2 names the folder of SmolLM2-135M-Instruct (default: built once with examples/smollm2/build-model.sh, beside this script).
THREADS says on how many threads both sides compute (default: all), PYTHON which Python makes the environments (default python3;
3.11 is known to work).
EOF
}

fail() {
  printf '%s\n' "$@" >&2
  exit 2
}
case ${1:-} in
  -h | --help) usage; exit 0 ;;
  '' | --families) ;;
  -*) usage >&2; exit 2 ;;
  *)
    prompts=${2:-$root/examples/quickstart/test.jsonl}
    count=${3:-50}
    [ -f "$1/config.json" ] || fail "$1 is no model folder: it has no config.json; finish a run first (./rlvr run ...)"
    [ -f "$prompts" ] || fail "there is no $prompts; name a .jsonl file with prompts"
    [[ $count =~ ^[1-9][0-9]*$ ]] || fail "COUNT: $count is not a positive number"
    ;;
esac

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
export RLVR=$root/rlvr

case ${1:-} in
  '')
    smollm2=${SMOLLM2:-$here/.smollm2}
    [ -f "$smollm2/config.json" ] || "$root/examples/smollm2/build-model.sh" "$smollm2"
    "$venv/bin/python" "$here/parity.py" families "$work" --real "$smollm2"
    ;;
  --families) "$venv/bin/python" "$here/parity.py" families "$work" ;;
  *) "$venv/bin/python" "$here/parity.py" exported "$1" "$prompts" "$count" "$work" ;;
esac
