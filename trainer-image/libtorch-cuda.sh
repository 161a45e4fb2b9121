#!/usr/bin/env bash
# Puts libtorch for CUDA, with CUDA's own libraries and NCCL, into one folder, from PyTorch's Python wheels: what ./rlvr image --libtorch takes.
# Needs Python's pip, and 10 GB on the way to the 5 GB that stay.
set -euo pipefail

if [ $# -ne 1 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
  printf 'usage: libtorch-cuda.sh FOLDER\nFOLDER, which must not exist, gets the libraries. PYTHON names the Python whose pip fetches the wheels.\n'
  case ${1:-} in -h | --help) exit 0 ;; *) exit 2 ;; esac
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=${PYTHON:-python3}
# the libtorch that DJL's library is built for
version=$(sed -n 's|.*<pytorch.version>\(.*\)</pytorch.version>.*|\1|p' "$root/pom.xml")

mkdir "$1"
work=$(mktemp -d "$1/fetched.XXXX")
trap 'rm -rf "$work"' EXIT
"$python" -m pip download --quiet --disable-pip-version-check --only-binary=:all: --python-version 3.12 --implementation cp \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
  --dest "$work" "torch==$version"
"$python" - "$work" "$1" <<'PYTHON'
import shutil, sys, zipfile
from pathlib import Path, PurePosixPath

# Python's own parts, and what measures or compiles: nothing that training calls
LEFT_OUT = ("libtorch_python", "libshm", "libcaffe2_nvrtc", "libnvblas", "libnvperf", "libcheckpoint", "libpcsampling", "libcufftw", "libcufile_rdma", "libcusolverMg")
wheels, folder = Path(sys.argv[1]), Path(sys.argv[2])
for wheel in sorted(wheels.glob("*.whl")):
    if not wheel.name.startswith(("torch-", "nvidia_")):
        continue
    with zipfile.ZipFile(wheel) as files:
        for name in files.namelist():
            path = PurePosixPath(name)
            if path.parent.name == "lib" and ".so" in path.name and not path.name.startswith(LEFT_OUT):
                with files.open(name) as source, open(folder / path.name, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
PYTHON
printf 'libtorch %s for CUDA: %s\n' "$version" "$(du -sh --exclude='fetched.*' "$1" | cut -f 1)"
