#!/usr/bin/env bash
# e2e/image-check.sh DIR: starts the images of `./rlvr image --output DIR` as a restricted pod would: user 65532, read-only root file system,
# no network, no capabilities, writable only /tmp, /dev/shm and the volume. The trainer trains 3 steps of the quickstart and serves its model; the
# operator says its version, and why it does not start without a cluster. Needs root, unshare, setpriv and ip, no container engine.
set -euo pipefail

images=$(realpath "${1:?usage: e2e/image-check.sh DIR}")
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  printf 'FAILED: %s\n' "$@" >&2
  exit 1
}

# unpack NAME: the image's layers in their order, and the environment of its configuration.
unpack() {
  local archive=$scratch/$1.archive root=$scratch/$1 layer
  mkdir -p "$archive" "$root"
  tar -C "$archive" -xf "$images/$1.tar"
  for layer in $(sed 's/.*"Layers":\[\([^]]*\)\].*/\1/; s/[",]/ /g' "$archive/manifest.json"); do
    tar --warning=no-unknown-keyword -C "$root" -xf "$archive/$layer"
  done
  mkdir -p "$root"/{var/lib/rlvr,etc/rlvr}
  mv "$archive/config.json" "$root.config"
  rm -rf "$archive"
}

VARIABLES=

# contained ROOT COMMAND...: runs it in the image, in a process, mount and network namespace of its own.
contained() {
  local root=$1
  shift
  # shellcheck disable=SC2016
  VARIABLES=$VARIABLES unshare --mount --pid --net --ipc --fork --kill-child bash -euc '
    root=$1 volume=$2
    shift 2
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=755 dev "$root/dev"
    for device in null zero random urandom; do
      touch "$root/dev/$device"
      mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/shm"
    mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    mount --bind "$volume" "$root/var/lib/rlvr"
    mount -o remount,ro,bind "$root"
    ip link set lo up
    exec setpriv --no-new-privs env -i PATH=/opt/java/bin:/opt/java/openjdk/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp RLVR_BUNDLED=/opt/rlvr/bundled $VARIABLES \
      "$(command -v chroot)" --userspec=65532:65532 --groups=65532 "$root" "$@"
  ' contained "$root" "$scratch/volume" "$@"
}

# java_of CONTAINED: the process in it, which its unshare waits for.
java_of() {
  local id=$1 generation
  for generation in 1 2; do
    id=$(cat "/proc/$id/task/$id/children") || return "$generation"
    id=${id%% *}
  done
  echo "$id"
}

# healthy CONTAINED: whether the rollout server in it says so, asked in its network.
healthy() {
  # shellcheck disable=SC2016
  nsenter --target "$(java_of "$1")" --net bash -c 'exec 3<>/dev/tcp/127.0.0.1/30000 &&
    printf "GET /health HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n" >&3 && head -n 1 <&3' 2>/dev/null | grep -q ' 200 '
}

mkdir "$scratch/volume"
chown 65532:65532 "$scratch/volume"

unpack rlvr-trainer
sed -e 's/^\( *\)steps:.*/\1steps: '"${STEPS:-3}"'/' "$checkout/examples/quickstart/rlvrjob.yaml" >"$scratch/rlvr-trainer/etc/rlvr/job.yaml"
began=$(date +%s%N)
# the image's own environment, as a container engine sets it
VARIABLES=$(sed 's/.*"Env":\[\([^]]*\)\].*/\1/; s/","/ /g; s/"//g' "$scratch/rlvr-trainer.config")
contained "$scratch/rlvr-trainer" java @/opt/rlvr/trainer.args --job /etc/rlvr/job.yaml --work /var/lib/rlvr/job |
  tee "$scratch/trainer.log" || fail "the trainer ended with $?"
printf 'The trainer: %d ms, its image %s unpacked\n' $((($(date +%s%N) - began) / 1000000)) "$(du -sh "$scratch/rlvr-trainer" | cut -f 1)"
[ "$(wc -l <"$scratch/volume/job/metrics.jsonl")" = "${STEPS:-3}" ] || fail "metrics.jsonl has not one line a step"
[ -f "$scratch/volume/job/model/model.safetensors" ] || fail "there is no trained model"
if grep -i extract "$scratch/trainer.log"; then fail "DJL unpacks libraries at run time"; fi

contained "$scratch/rlvr-trainer" java @/opt/rlvr/trainer.args serve --model bundled://quickstart/model --port 30000 >"$scratch/server.log" 2>&1 &
server=$!
until healthy "$server"; do
  kill -0 "$server" 2>/dev/null || fail "the rollout server does not serve:" "$(cat "$scratch/server.log")"
  sleep 0.5
done
kill "$(java_of "$server")"
wait "$server" || fail "the rollout server ended with $?"
echo 'The rollout server: healthy, and ended on SIGTERM with 0'
rm -rf "$scratch/rlvr-trainer"

unpack rlvr-operator
contained "$scratch/rlvr-operator" java @/opt/rlvr/operator.args --version
VARIABLES='KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=1'
if contained "$scratch/rlvr-operator" java @/opt/rlvr/operator.args >"$scratch/operator.log" 2>&1; then
  fail "the operator started without a cluster"
fi
cat "$scratch/operator.log"
printf 'The operator: its image %s unpacked\n' "$(du -sh "$scratch/rlvr-operator" | cut -f 1)"
