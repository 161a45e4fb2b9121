#!/usr/bin/env bash
# Holds what Java says of NCCL and of NVIDIA's driver against their headers, with a compiler, and calls the real NCCL as far as it goes without a
# GPU: version, ids, error strings, the failure to make a communicator. Needs gcc, Python's pip and 200 MB; no GPU.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$(dirname "$here")")
python=${PYTHON:-python3}
work=$here/target

if [ $# -gt 0 ]; then
  printf 'usage: check.sh\nPYTHON names the Python whose pip fetches NCCL; MAVEN_ARGS is for Maven.\n'
  case $1 in -h | --help) exit 0 ;; *) exit 2 ;; esac
fi

# what libtorch 2.7.1 goes with
for wheel in nvidia-nccl-cu12==2.26.2 nvidia-cuda-runtime-cu12==12.6.77 nvidia-cuda-nvcc-cu12==12.6.77; do
  if [ ! -d "$work/$wheel" ]; then
    rm -rf "$work/fetch"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
      --platform manylinux2014_x86_64 --dest "$work/fetch" "$wheel"
    "$python" -m zipfile -e "$work"/fetch/*.whl "$work/unpacked"
    mv "$work/unpacked" "$work/$wheel"
  fi
done

gcc -std=gnu11 -Wall -Werror \
  -I "$work/nvidia-nccl-cu12==2.26.2/nvidia/nccl/include" \
  -I "$work/nvidia-cuda-runtime-cu12==12.6.77/nvidia/cuda_runtime/include" \
  -I "$work/nvidia-cuda-nvcc-cu12==12.6.77/nvidia/cuda_nvcc/include" \
  "$here/header.c" -o "$work/header"
"$work/header" >"$work/layout"

cd "$root"
JAVA_HOME=$(./rlvr jdk)
export JAVA_HOME
RLVR_NCCL="$work/nvidia-nccl-cu12==2.26.2/nvidia/nccl/lib/libnccl.so.2" RLVR_NCCL_LAYOUT="$work/layout" \
  ./mvnw -q -B -pl trainer-image -am test -Dtest='Nccl*Test' -Dsurefire.failIfNoSpecifiedTests=false
printf 'NCCL 2.26.2: headers, layout and all calls that need no GPU are as expected\n'
