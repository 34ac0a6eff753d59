# shellcheck shell=bash
# Two certificate authorities (the cluster's and the front proxy's), one leaf for each component, kubeconfigs.

PKI=$STATE/pki
DAYS=3650

make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/$1.key"; }

make_ca() {
    make_key "$1"
    openssl req -x509 -new -key "$PKI/$1.key" -out "$PKI/$1.crt" -days $DAYS -subj "/CN=$2"
}

# make_leaf NAME CA SUBJECT [SUBJECT-ALTERNATIVE-NAMES]
make_leaf() {
    local name=$1 ca=$2 subject=$3 names=${4:-}
    make_key "$name"
    openssl req -new -key "$PKI/$name.key" -subj "$subject" |
        openssl x509 -req -CA "$PKI/$ca.crt" -CAkey "$PKI/$ca.key" -CAcreateserial -days $DAYS -out "$PKI/$name.crt" \
            -extfile <(
                echo extendedKeyUsage=serverAuth,clientAuth
                [ -z "$names" ] || echo "subjectAltName=$names"
            ) 2>/dev/null
}

# make_kubeconfig FILE LEAF
make_kubeconfig() {
    (umask 077 && write_file "$1") <<EOF
apiVersion: v1
kind: Config
current-context: $NODE_NAME
contexts:
- name: $NODE_NAME
  context: {cluster: $NODE_NAME, user: $2}
clusters:
- name: $NODE_NAME
  cluster:
    server: https://$NODE_IP:6443
    certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
- name: $2
  user:
    client-certificate-data: $(base64 -w0 "$PKI/$2.crt")
    client-key-data: $(base64 -w0 "$PKI/$2.key")
EOF
}

pki_up() {
    [ ! -e "$PKI/done" ] || return 0
    say "making certificates"
    mkdir -p "$PKI"
    chmod 700 "$PKI"
    local api_names="DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
    api_names+=",DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$KUBERNETES_SERVICE_IP,IP:$NODE_IP"

    make_ca ca kubernetes
    make_ca front-proxy-ca front-proxy-ca
    make_leaf apiserver ca /CN=kube-apiserver "$api_names"
    make_leaf admin ca /O=system:masters/CN=admin
    make_leaf controller-manager ca /CN=system:kube-controller-manager
    make_leaf scheduler ca /CN=system:kube-scheduler
    make_leaf proxy ca /CN=system:kube-proxy
    make_leaf kubelet ca "/O=system:nodes/CN=system:node:$NODE_NAME" "DNS:$NODE_NAME,IP:$NODE_IP"
    make_leaf front-proxy front-proxy-ca /CN=front-proxy-client
    openssl genrsa -out "$PKI/service-account.key" 2048 2>/dev/null
    openssl rsa -in "$PKI/service-account.key" -pubout -out "$PKI/service-account.pub" 2>/dev/null

    local user
    for user in controller-manager scheduler proxy kubelet; do
        make_kubeconfig "$PKI/$user.conf" "$user"
    done
    make_kubeconfig "$KUBECONFIG_FILE" admin
    touch "$PKI/done"
}
