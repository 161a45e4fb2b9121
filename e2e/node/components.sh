# How each component of the node starts, by its name with dashes made underscores; sourced.
# shellcheck shell=bash

ETCD=http://127.0.0.1:2379

kubectl_admin() { inside kubectl --kubeconfig "$KUBECONFIG_FILE" "$@"; }

# Prints template $1 with this node's names.
filled() {
  sed -e "s#@FOLDER@#$NODE_FOLDER#g" -e "s#@ADDRESS@#$NODE_ADDRESS#g" -e "s#@POD_RANGE@#$POD_RANGE#g" -e "s#@CGROUP@#$CGROUP#g" \
    "$NODE_SCRIPTS/conf/$1"
}

start_containerd() {
  filled containerd.toml >"$NODE_FOLDER/containerd.toml"
  filled cni.conflist >"$NODE_FOLDER/cni/pods.conflist"
  start_inside containerd containerd --config "$NODE_FOLDER/containerd.toml" --log-level warn
  await 30 inside ctr version
}

start_etcd() {
  start_inside etcd etcd --data-dir "$NODE_FOLDER/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls $ETCD --advertise-client-urls $ETCD
}

start_kube_apiserver() {
  start_inside kube-apiserver kube-apiserver --etcd-servers $ETCD --bind-address 0.0.0.0 --advertise-address "$NODE_ADDRESS" \
    --secure-port "$API_PORT" --service-cluster-ip-range "$SERVICE_RANGE" --allow-privileged \
    --tls-cert-file "$PKI/api-server.crt" --tls-private-key-file "$PKI/api-server.key" --client-ca-file "$PKI/ca.crt" \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction,OwnerReferencesPermissionEnforcement \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$PKI/service-accounts.key" \
    --service-account-signing-key-file "$PKI/service-accounts.key" --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate "$PKI/kubelet-client.crt" --kubelet-client-key "$PKI/kubelet-client.key"
  await 60 kubectl_admin get --raw /readyz
}

start_kube_controller_manager() {
  # a claim binds within the resync of its binder: 15 s if nothing is said
  start_inside kube-controller-manager kube-controller-manager --kubeconfig "$PKI/controller-manager.kubeconfig" --leader-elect=false \
    --authentication-kubeconfig "$PKI/controller-manager.kubeconfig" --authorization-kubeconfig "$PKI/controller-manager.kubeconfig" \
    --root-ca-file "$PKI/ca.crt" --service-account-private-key-file "$PKI/service-accounts.key" --use-service-account-credentials \
    --bind-address 127.0.0.1 --cert-dir "$NODE_FOLDER/certificates/controller-manager" --pvclaimbinder-sync-period 1s
}

start_kube_scheduler() {
  start_inside kube-scheduler kube-scheduler --kubeconfig "$PKI/scheduler.kubeconfig" --leader-elect=false --bind-address 127.0.0.1 \
    --authentication-kubeconfig "$PKI/scheduler.kubeconfig" --authorization-kubeconfig "$PKI/scheduler.kubeconfig" \
    --cert-dir "$NODE_FOLDER/certificates/scheduler"
}

start_kubelet() {
  filled kubelet.yaml >"$NODE_FOLDER/kubelet.yaml"
  start_inside kubelet kubelet --config "$NODE_FOLDER/kubelet.yaml" --kubeconfig "$PKI/kubelet.kubeconfig" \
    --cert-dir "$NODE_FOLDER/certificates/kubelet" --hostname-override "$NODE_NAME" --node-ip "$NODE_ADDRESS"
}

start_kube_proxy() {
  # limits of connection tracking are the machine's
  start_inside kube-proxy kube-proxy --kubeconfig "$PKI/proxy.kubeconfig" --proxy-mode iptables --cluster-cidr "$POD_RANGE" \
    --conntrack-max-per-core 0 --conntrack-min 0 --hostname-override "$NODE_NAME" --bind-address "$NODE_ADDRESS"
}

# A process on the node's address rather than pods behind a Service: no image is needed for it.
start_coredns() {
  filled Corefile >"$NODE_FOLDER/Corefile"
  start_inside coredns coredns -conf "$NODE_FOLDER/Corefile"
}

start_local_path_provisioner() {
  kubectl_admin apply -f - <"$NODE_SCRIPTS/conf/volumes.yaml"
  start_inside local-path-provisioner env POD_NAMESPACE=kube-system local-path-provisioner start --kubeconfig "$KUBECONFIG_FILE" \
    --namespace kube-system --config "$NODE_SCRIPTS/conf/volumes.json" --configmap-name local-path-provisioner \
    --service-account-name local-path-provisioner --helper-image localhost/shell:1
}

# The API server's port on the machine's loopback, through a socket that both network namespaces can reach.
start_forward_inside() { start_inside forward-inside socat "UNIX-LISTEN:$NODE_FOLDER/api.sock,fork,mode=600" "TCP:127.0.0.1:$API_PORT"; }
start_forward_outside() {
  start_outside forward-outside socat "TCP-LISTEN:$API_PORT,bind=127.0.0.1,reuseaddr,fork" "UNIX-CONNECT:$NODE_FOLDER/api.sock"
}
