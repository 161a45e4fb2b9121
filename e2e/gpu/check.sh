#!/usr/bin/env bash
# Trains the quickstart on one NVIDIA GPU as its pods do, and holds the results against each other; docs/gpu.md has what came out.
# Runs in the trainer's image for CUDA, or wherever /opt/rlvr is laid out as there (./rlvr image --folders). Needs python3.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
if [ $# -ne 1 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
  printf 'usage: check.sh FOLDER\nFOLDER, which must not exist, gets logs and runs. RLVR_TRAINER_ARGS names another /opt/rlvr/trainer.args.\n'
  case ${1:-} in -h | --help) exit 0 ;; *) exit 2 ;; esac
fi
args=${RLVR_TRAINER_ARGS:-/opt/rlvr/trainer.args}
opt=$(dirname "$args")
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
out=$1
# 0 tries this script where there is no GPU
gpus=${RLVR_CHECK_GPUS:-1}
mkdir "$out" || exit 2

export RLVR_BUNDLED=$opt/bundled OMP_WAIT_POLICY=PASSIVE
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296:glibc.malloc.top_pad=67108864:glibc.malloc.arena_max=1

failed=0
say() { printf '%-58s %s\n' "$1" "$2" | tee -a "$out/summary"; }
bad() { failed=1; say "$1" "FAILED: $2"; }

# job NAME STEPS TRAINER...: the quickstart without its evaluations, with the lines given below spec.trainer
job() {
  local name=$1 steps=$2 line trainer=''
  shift 2
  for line in "$@"; do trainer+="    $line\\n"; done
  sed -E -e '/^  evaluation:/,/^  trainer:/{/^  trainer:/!d;}' -e "s/^(    steps:).*/\1 $steps/" -e "s/^    gpusPerReplica: 0/${trainer%\\n}/" \
    -e "s/^(  name:) quickstart/\1 $name/" "$opt/bundled/quickstart/rlvrjob.yaml" >"$out/$name.yaml"
}

# trained WHAT WORK START: says how long it took, since $SECONDS was START, and its last step
trained() {
  say "$1" "$((SECONDS - $3)) s, step $(tail -n 1 "$2/metrics.jsonl" | grep -o '"step_time":[0-9.]*' | cut -d: -f2) s"
}

# train NAME [WORK]: trains the job NAME to its end
train() {
  local name=$1 work=$out/${2:-$1} start=$SECONDS
  if "$java" "@$args" --job "$out/$name.yaml" --work "$work" >"$work.log" 2>&1; then
    trained "$name: trained" "$work" "$start"
  else
    bad "$name" "exit code $?: $(tail -n 1 "$work.log")"
  fi
}

# pods NAME WORK ATTEMPT: starts two pods with a rank each on the one GPU, and leaves their process ids in pods
pods() {
  local name=$1 work=$out/$2 attempt=$3 port=$((20000 + RANDOM % 10000)) i
  pods=()
  for i in 0 1; do
    # NCCL refuses two ranks of a machine on one GPU; two machines have to go by the network
    RLVR_REPLICA=$i RLVR_RENDEZVOUS=127.0.0.1:$port RLVR_ATTEMPT=$attempt NCCL_HOSTID=pod-$i NCCL_SOCKET_IFNAME=lo \
      "$java" "@$args" --job "$out/$name.yaml" --work "$work" >"$work-pod-$i-$attempt.log" 2>&1 &
    pods+=($!)
  done
}

# together NAME: trains the job NAME in two pods to its end
together() {
  local start=$SECONDS i
  pods "$1" "$1" 1
  for i in 0 1; do
    wait "${pods[$i]}" || bad "$1 pod $i" "exit code $?: $(tail -n 1 "$out/$1-pod-$i-1.log")"
  done
  [ ! -f "$out/$1/metrics.jsonl" ] || trained "$1: two pods, NCCL by sockets" "$out/$1" "$start"
}

# compare WHAT A B TOLERANCE: of the metrics that do not tell times, and with tolerance 0 of the exported weights, too
compare() {
  local answer
  if [ ! -s "$out/$2/metrics.jsonl" ] || [ ! -s "$out/$3/metrics.jsonl" ]; then
    bad "$1" 'nothing to compare'
  elif answer=$(python3 "$here/compare.py" "$out/$2" "$out/$3" "$4" 2>&1); then say "$1" "$answer"; else bad "$1" "$answer"; fi
}

[ "$gpus" = 0 ] || nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader | tee "$out/summary"

job cpu-f32 5 'gpusPerReplica: 0'
job gpu-f32 5 "gpusPerReplica: $gpus"
job gpu-bf16 5 "gpusPerReplica: $gpus" 'precision: BF16'
job pods-f32 5 'replicas: 2' "gpusPerReplica: $gpus" 'sharding: Parameters'
job pods-bf16 5 'replicas: 2' "gpusPerReplica: $gpus" 'sharding: Gradients' 'precision: BF16'
job killed 12 'replicas: 2' "gpusPerReplica: $gpus" 'sharding: Gradients'
sed -i 's/^    everySteps: 5/    everySteps: 2/' "$out/killed.yaml"

train gpu-f32
train gpu-f32 gpu-f32-again
compare 'F32: the same bits every time' gpu-f32 gpu-f32-again 0
train cpu-f32
compare 'F32: step 1 as on the CPU' gpu-f32 cpu-f32 1e-3
train gpu-bf16
train gpu-bf16 gpu-bf16-again
compare 'BF16: the same bits every time' gpu-bf16 gpu-bf16-again 0
compare 'BF16: step 1 as in F32' gpu-bf16 gpu-f32 0.1
together pods-f32
compare 'two pods, Parameters: step 1 as one' pods-f32 gpu-f32 1e-3
together pods-bf16
compare 'two pods, Gradients, BF16: step 1 as one' pods-bf16 gpu-bf16 0.1

# a rank is killed after the second checkpoint; then the next attempt goes on, and another run is never disturbed
pods killed killed 1
for _ in $(seq 600); do
  [ -d "$out/killed/checkpoints/step-000004" ] && break
  sleep 0.1
done
start=$(date +%s.%N)
pkill -KILL -P "${pods[1]}"
for i in 0 1; do
  wait "${pods[$i]}"
  code=$?
  [ $code = 75 ] || bad "killed pod $i" "exit code $code, not 75: $(tail -n 1 "$out/killed-pod-$i-1.log")"
done
say 'a rank killed: both pods end with 75' "$(echo "$(date +%s.%N) $start" | awk '{printf "%.1f s", $1 - $2}')"
pods killed killed 2
for i in 0 1; do
  wait "${pods[$i]}" || bad "killed pod $i, second attempt" "exit code $?: $(tail -n 1 "$out/killed-pod-$i-2.log")"
done
pods killed undisturbed 1
wait "${pods[@]}"
compare 'killed and gone on: the same bits as undisturbed' killed undisturbed 0

exit $failed
