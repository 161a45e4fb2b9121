# What the scripts of the node agree on; sourced by them.
# shellcheck shell=bash disable=SC2034

NODE_FOLDER=${RLVR_NODE_FOLDER:-/srv/rlvr-node} # everything that belongs to a running node
CACHE=${RLVR_NODE_CACHE:-$HOME/.cache/rlvr/kube} # what takes minutes to build; the tests' API server uses the same
API_PORT=${RLVR_NODE_PORT:-16443}                # of the API server, on the machine's loopback and inside the node

NODE_NAME=rlvr-node
NODE_ADDRESS=10.77.0.1 # inside the node's own network namespace, as are all that follow
POD_RANGE=10.244.0.0/24
SERVICE_RANGE=10.96.0.0/16
CGROUP=rlvr-node # everything that the kubelet starts is below this control group

KUBECONFIG_FILE=$NODE_FOLDER/kubeconfig
PKI=$NODE_FOLDER/pki
LOGS=$NODE_FOLDER/logs
PROCESSES=$NODE_FOLDER/processes

NODE_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}
