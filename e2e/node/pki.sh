#!/usr/bin/env bash
# Makes the node's certificate authority and, signed by it, who is who on it: the API server, the components, the person in front of it.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
umask 077
mkdir -p "$PKI"
cd "$PKI"

quiet() { openssl "$@" 2>/dev/null; }

ELLIPTIC=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)

# Certificate $1 with subject $2 and extension $3.
certificate() {
  local key=("${ELLIPTIC[@]}")
  # Java clients take the key of a kubeconfig for one of RSA
  [ "$1" != admin ] || key=(-newkey rsa:2048)
  quiet req "${key[@]}" -nodes -subj "$2" -keyout "$1.key" -out "$1.csr"
  quiet x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile <(echo "$3") -out "$1.crt"
  rm "$1.csr"
}

# A kubeconfig for who has certificate $1.
kubeconfig() {
  jq -n --arg server "https://127.0.0.1:$API_PORT" --arg ca "$(base64 -w0 ca.crt)" \
    --arg certificate "$(base64 -w0 "$1.crt")" --arg key "$(base64 -w0 "$1.key")" --arg name "$NODE_NAME" '{
      apiVersion: "v1", kind: "Config", "current-context": $name,
      contexts: [{name: $name, context: {cluster: $name, user: $name}}],
      clusters: [{name: $name, cluster: {server: $server, "certificate-authority-data": $ca}}],
      users: [{name: $name, user: {"client-certificate-data": $certificate, "client-key-data": $key}}]
    }'
}

quiet req -x509 "${ELLIPTIC[@]}" -nodes -days 30 -subj "/CN=$NODE_NAME" -keyout ca.key -out ca.crt
quiet ecparam -name prime256v1 -genkey -noout -out service-accounts.key
certificate api-server /CN=kube-apiserver "subjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,\
DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:${SERVICE_RANGE%.*}.1,IP:$NODE_ADDRESS"
certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client extendedKeyUsage=clientAuth

while read -r name subject; do
  certificate "$name" "$subject" extendedKeyUsage=clientAuth
  kubeconfig "$name" >"$name.kubeconfig"
done <<END
admin /O=system:masters/CN=admin
controller-manager /CN=system:kube-controller-manager
scheduler /CN=system:kube-scheduler
proxy /CN=system:kube-proxy
kubelet /O=system:nodes/CN=system:node:$NODE_NAME
END
cp admin.kubeconfig "$KUBECONFIG_FILE"
