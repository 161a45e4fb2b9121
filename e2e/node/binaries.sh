#!/usr/bin/env bash
# Builds what a node needs of Kubernetes $1 (1.34 or 1.36) from Go modules into the cache, unless it is there, and prints the folders that
# have it, as a PATH; with `played` as $2, what a cluster of played nodes needs. The go.mod and go.sum files beside this script and in e2e/kube
# pin every source.
set -euo pipefail
. "$(dirname "$0")/settings.sh"

NODES=${2:-real}
KUBERNETES=(etcd kube-apiserver kubectl kube-controller-manager kube-scheduler)
[ "$NODES" = played ] || KUBERNETES+=(kubelet kube-proxy)

# The version of module $2 that folder $1 pins, without its v.
pinned() {
  sed -n "s#^\(require\)\?\s*$2 v\([^ ]*\).*#\2#p" "$1/go.mod" | head -n 1
}

# Without these a server built from modules calls itself v0.0.0-master, and clients warn of a skew.
version_flags() {
  local version=$1 package
  local minor=${version#1.}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- ' -X %s.%s' "$package" "gitVersion=v$version" "$package" gitMajor=1 "$package" "gitMinor=${minor%%.*}" \
      "$package" gitCommit=none "$package" gitTreeState=clean
  done
}

# Builds package $3 of module folder $1 into file $2, which appears complete or not at all; $4 are more linker flags.
build() {
  local module=$1 output=$2 package=$3 flags=${4:-}
  [ ! -x "$output" ] || return 0
  command -v go >/dev/null || fail "A node is built with Go 1.26 or newer, and there is no 'go' on the PATH (https://go.dev/dl)."
  say "building ${output#"$CACHE/"} ..." >&2
  mkdir -p "$(dirname "$output")"
  (cd "$module" && CGO_ENABLED=0 nice -n 5 go build -p "$(nproc)" -trimpath -ldflags "-s -w$flags" -o "$output.$$" "$package")
  mv "$output.$$" "$output"
}

kubernetes() {
  local module=$1 version folder scratch name
  version=$(pinned "$module" k8s.io/kubernetes)
  folder=$CACHE/$version
  # the tests' API server takes a folder that exists for one that has the first three: they come together, by a rename
  if [ ! -d "$folder" ]; then
    scratch=$folder.building-$$
    for name in "${KUBERNETES[@]:0:3}"; do kubernetes_binary "$module" "$scratch" "$name" "$version"; done
    mv -T "$scratch" "$folder" 2>/dev/null || rm -rf "$scratch"
  fi
  for name in "${KUBERNETES[@]}"; do kubernetes_binary "$module" "$folder" "$name" "$version"; done
  printf '%s' "$folder"
}

kubernetes_binary() {
  local module=$1 folder=$2 name=$3 version=$4 package=k8s.io/kubernetes/cmd/$3
  [ "$name" != etcd ] || package=go.etcd.io/etcd/server/v3
  build "$module" "$folder/$name" "$package" "$(version_flags "$version")"
}

# A tool that has a module of its own: its name, that of the module that gives it a version, and its package.
tool() {
  local module=$NODE_SCRIPTS/go/$1 folder
  folder=$CACHE/$1-$(pinned "$module" "$2")
  build "$module" "$folder/$1" "$3"
  printf ':%s' "$folder"
}

case ${1:?1.34 or 1.36} in
  1.34) kubernetes "$NODE_SCRIPTS/../kube" ;;
  1.36) kubernetes "$NODE_SCRIPTS/go/kubernetes-1.36" ;;
  *) fail "Kubernetes $1 is not one of 1.34 and 1.36." ;;
esac
case $NODES in
  real)
    tool coredns github.com/coredns/coredns .
    tool local-path-provisioner github.com/rancher/local-path-provisioner github.com/rancher/local-path-provisioner
    tool helm helm.sh/helm/v4 helm.sh/helm/v4/cmd/helm
    ;;
  played) tool kwok sigs.k8s.io/kwok sigs.k8s.io/kwok/cmd/kwok ;;
  *) fail "Nodes are real or played, not $NODES." ;;
esac
echo
