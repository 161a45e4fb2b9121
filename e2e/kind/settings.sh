# What the scripts of the cluster on kind agree on; sourced by them.
# shellcheck shell=bash disable=SC2034

CLUSTER=rlvr-e2e
NODE=$CLUSTER-control-plane
KUBECONFIG_FILE=${XDG_CACHE_HOME:-$HOME/.cache}/rlvr/kind-kubeconfig

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}
