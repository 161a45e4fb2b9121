#!/usr/bin/env bash
# Lints helm/rlvr-operator in each of its value sets, lets the running cluster's API server check what comes out (a dry run), and checks that wrong
# values are refused. Needs a cluster: e2e/up.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
eval "$("$checkout/e2e/node/environment")"
chart=$checkout/helm/rlvr-operator
quiet() { grep -v 'found symbolic link' || true; }

for namespace in rlvr-system team-a team-b; do kubectl create namespace "$namespace" 2>/dev/null || true; done
for values in '' all namespaced; do
  set=${values:+--values=$chart/ci/$values-values.yaml}
  helm lint --quiet "$chart" $set 2> >(quiet >&2)
  # kinds of the Prometheus operator are not in the cluster: everything else is asked of the API server
  helm template rlvr-operator "$chart" --namespace rlvr-system $set 2> >(quiet >&2) |
    python3 -c '
import sys
for document in sys.stdin.read().split("\n---\n"):
    if "monitoring.coreos.com/" not in document:
        print("---"); print(document)' |
    kubectl apply --dry-run=server --namespace rlvr-system -f - >/dev/null
  echo "values ${values:-default}: accepted"
done

for wrong in replicas=0 image.pullPolicy=Sometimes 'watch.namespaces={Team A}' unknown=1 priorityClass.create=true; do
  if helm template rlvr-operator "$chart" --set "$wrong" >/dev/null 2>&1; then
    echo "--set $wrong was not refused" >&2
    exit 1
  fi
  echo "--set $wrong: refused"
done
