#!/usr/bin/env bash
# usage: check.sh [--kubernetes 1.34|1.36] : brings a node up, runs a pod with a volume on it, takes it down while that runs, and fails where the
# machine is not as it was before.
set -euo pipefail
. "$(dirname "$0")/settings.sh"

# What a node could leave behind, one thing a line.
snapshot() {
  findmnt --raw --noheadings --output TARGET | sed 's/^/mount /'
  ip -oneline link | sed 's/^[0-9]*: \([^:@]*\).*/link \1/'
  lsns --noheadings --type net --output NS | sed 's/^/network namespace /'
  iptables-save 2>/dev/null | sed -n 's/^\([:-][^[]*\).*/rule \1/p'
  find /sys/fs/cgroup -type d | sed 's/^/control group /'
  grep -H . /proc/sys/{vm/overcommit_memory,kernel/panic,kernel/panic_on_oops,net/ipv4/ip_forward} | sed 's/^/setting /'
  # one that has ended, and waits only for its parent to notice, is no longer there
  ps -eo stat=,comm= | sed -n 's/^[^Z]* //p' | grep -E '^(kube|etcd|containerd|coredns|local-path|socat|pause|runc|nsenter)' | sed 's/^/process /' || true
  find /etc /opt /run /srv /var/lib /var/log -xdev -maxdepth 4 -not -path '/var/lib/apt/*' -not -path '/var/lib/dpkg/*' \
    -not -path '/run/user/*' 2>/dev/null | sed 's/^/file /'
}

"$NODE_SCRIPTS/packages.sh" # they stay
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; "$NODE_SCRIPTS/../down"' EXIT
snapshot | sort >"$scratch/before"
"$NODE_SCRIPTS/../up" "$@"
eval "$("$NODE_SCRIPTS/environment")"
kubectl apply -f - <<'END'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept}
spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: self}
spec: {publishNotReadyAddresses: true, selector: {name: self}, ports: [{port: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: self, labels: {name: self}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: self
    image: localhost/shell:1
    imagePullPolicy: Never
    # ready once it has reached itself by the name of its service, which publishes it before
    command: [sh, -c, 'echo yes >/kept/index.html && httpd -f -p 8080 -h /kept']
    readinessProbe: {exec: {command: [sh, -c, 'wget -q -O- http://self.default.svc.cluster.local:8080 | grep yes']}, periodSeconds: 1}
    volumeMounts: [{name: kept, mountPath: /kept}]
  volumes: [{name: kept, persistentVolumeClaim: {claimName: kept}}]
END
kubectl wait --for=condition=Ready pod/self --timeout=2m
say "a pod runs, with a volume, and is reached by name"
"$NODE_SCRIPTS/../down"
say "down"
snapshot | sort >"$scratch/after"
diff "$scratch/before" "$scratch/after" || fail "The node left something behind, or the machine changed meanwhile."
say "the machine is as it was"
