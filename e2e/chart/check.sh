#!/usr/bin/env bash
# Lints helm/rlvr-operator in each of its value sets, lets the running cluster's API server check what comes out (a dry run), and checks that wrong
# values are refused: by the chart's schema, or by the API server where the schema cannot know. Needs a cluster: e2e/up.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
eval "$("${RLVR_CLUSTER_COMMANDS:-$checkout/e2e/node}/environment")"
chart=${RLVR_CLUSTER_CHART:-$checkout/helm/rlvr-operator}
namespaces=(rlvr-system team-a team-b) # the chart's own, and those that ci/namespaced-values.yaml watches
scratch=$(mktemp -d)
made=()

fail() {
  printf 'FAILED: %s\n' "$@" >&2
  exit 1
}

clear_up() {
  rm -rf "$scratch"
  [ ${#made[@]} = 0 ] || kubectl delete namespace "${made[@]}" >/dev/null
}
trap clear_up EXIT

# What helm says about the links that files/ consists of is no news.
quietly() { "$@" 2> >(grep -v 'found symbolic link' >&2); }

# Asks the API server whether it would take the chart with the values given. Kinds of the Prometheus operator are not in the cluster.
accepted() {
  quietly helm template rlvr-operator "$chart" --namespace rlvr-system "$@" >"$scratch/rendered.yaml"
  awk 'BEGIN { RS = "---\n"; ORS = "---\n" } !/monitoring.coreos.com\// && /kind:/' "$scratch/rendered.yaml" >"$scratch/asked.yaml"
  kubectl apply --server-side --force-conflicts --dry-run=server -f "$scratch/asked.yaml"
}

for namespace in "${namespaces[@]}"; do
  kubectl get namespace "$namespace" >/dev/null 2>&1 || { kubectl create namespace "$namespace" >/dev/null && made+=("$namespace"); }
done

for values in default all namespaced; do
  options=()
  [ $values = default ] || options=(--values "$chart/ci/$values-values.yaml")
  quietly helm lint --quiet "$chart" "${options[@]}"
  accepted "${options[@]}" >"$scratch/answer" || fail "values $values"
  echo "values $values: $(grep -c dry "$scratch/answer") objects accepted"
done

for wrong in replicas=0 image.pullPolicy=Sometimes 'watch.namespaces={Team A}' unknown=1 image.unknown=1 priorityClass.create=true; do
  ! quietly helm template rlvr-operator "$chart" --set "$wrong" >"$scratch/answer" 2>&1 || fail "--set $wrong was not refused"
  grep -q "${wrong%%[.=]*}" "$scratch/answer" || fail "the refusal of --set $wrong does not name it:" "$(cat "$scratch/answer")"
  echo "--set $wrong: refused by the schema"
done
for wrong in resources.limits.memory=much serviceAccount.name=Not_A_Name tolerations[0].effect=Never; do
  ! accepted --set "$wrong" >"$scratch/answer" 2>&1 || fail "--set $wrong was not refused"
  grep -q "${wrong#*=}" "$scratch/answer" || fail "the refusal of --set $wrong does not name it:" "$(cat "$scratch/answer")"
  echo "--set $wrong: refused by the API server"
done
