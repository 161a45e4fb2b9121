#!/usr/bin/env bash
# Checks that the TorchScript that the trainer writes is no secret of its own libtorch: Python's torch.jit.load takes the archive, runs a
# forward and backward pass of each model family with it, and gets the loss and all gradients that the trainer got.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$(dirname "$here")")
peers=$root/bench/peers

if [ $# -gt 0 ]; then
  printf 'usage: check.sh\nInstalls the Python peers of bench/ the first time (6 GB); PYTHON names the Python to make them with.\n'
  case $1 in -h | --help) exit 0 ;; *) exit 2 ;; esac
fi

"$root/bench/run" --list >/dev/null
python=$peers/.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1

for family in llama qwen2 qwen3; do
  PYTHONPATH=$peers "$python" "$here/compare.py" make "$family" "$work/$family"
  for precision in F32 BF16; do
    "$root/bench/run" export "$work/$family" "$precision" "$work/$family-$precision" --step
    PYTHONPATH=$peers "$python" "$here/compare.py" compare "$work/$family" "$precision" "$work/$family-$precision"
  done
done
