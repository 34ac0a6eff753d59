# shellcheck shell=bash
# The node's components: for each its configuration files, its command line and how to see that it is ready.

# In the order of their start.
COMPONENTS="etcd apiserver containerd controller-manager scheduler kubelet proxy"

admin_kubectl() { "$BIN/kubectl" --kubeconfig "$KUBECONFIG_FILE" --request-timeout=5s "$@"; }

command_of_etcd() {
    # The data is worth no fsync: `down` deletes it.
    COMMAND=("$BIN/etcd" --data-dir "$STATE/etcd" --listen-client-urls http://127.0.0.1:2379
        --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
        --unsafe-no-fsync --log-level warn)
}

ready_etcd() { in_node curl -fsS --max-time 2 http://127.0.0.1:2379/health; }

# Every write, without bodies: tests count them.
audit_policy() {
    cat <<EOF
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  verbs: [get, list, watch]
- level: Metadata
EOF
}

command_of_apiserver() {
    audit_policy | write_file "$STATE/config/audit-policy.yaml"
    # shellcheck disable=SC2054,SC2206 # commas belong to the flags; extra flags are words
    COMMAND=("$BIN/kube-apiserver" --etcd-servers http://127.0.0.1:2379
        --advertise-address "$NODE_IP" --service-cluster-ip-range "$SERVICE_CIDR" --allow-privileged=true
        --authorization-mode Node,RBAC --client-ca-file "$PKI/ca.crt"
        --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key"
        --service-account-issuer https://kubernetes.default.svc
        --service-account-key-file "$PKI/service-account.pub"
        --service-account-signing-key-file "$PKI/service-account.key"
        --requestheader-client-ca-file "$PKI/front-proxy-ca.crt"
        --requestheader-allowed-names front-proxy-client --requestheader-extra-headers-prefix X-Remote-Extra-
        --requestheader-group-headers X-Remote-Group --requestheader-username-headers X-Remote-User
        --proxy-client-cert-file "$PKI/front-proxy.crt" --proxy-client-key-file "$PKI/front-proxy.key"
        --enable-aggregator-routing=true
        --kubelet-client-certificate "$PKI/admin.crt" --kubelet-client-key "$PKI/admin.key"
        --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-preferred-address-types InternalIP
        --audit-policy-file "$STATE/config/audit-policy.yaml" --audit-log-path "$AUDIT_LOG"
        --audit-log-maxsize 200 --audit-log-maxbackup 2
        ${CVIRT_APISERVER_ARGS:-})
}

ready_apiserver() { admin_kubectl get --raw /readyz; }

command_of_controller_manager() {
    COMMAND=("$BIN/kube-controller-manager" --kubeconfig "$PKI/controller-manager.conf"
        --service-account-private-key-file "$PKI/service-account.key" --root-ca-file "$PKI/ca.crt"
        --use-service-account-credentials --leader-elect=false
        --allocate-node-cidrs --cluster-cidr "$CLUSTER_CIDR" --service-cluster-ip-range "$SERVICE_CIDR"
        --cluster-signing-cert-file "$PKI/ca.crt" --cluster-signing-key-file "$PKI/ca.key")
}

ready_controller_manager() { in_node curl -fsSk --max-time 2 https://127.0.0.1:10257/healthz; }

command_of_scheduler() {
    COMMAND=("$BIN/kube-scheduler" --kubeconfig "$PKI/scheduler.conf" --leader-elect=false)
}

ready_scheduler() { in_node curl -fsSk --max-time 2 https://127.0.0.1:10259/healthz; }

# restrict_oom_score_adj: without CAP_SYS_RESOURCE runc may not lower it, and no sandbox would start.
containerd_config() {
    cat <<EOF
version = 3
root = "$STATE/containerd"
state = "$STATE/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$CONTAINERD_SOCKET"
[plugins."io.containerd.internal.v1.opt"]
  path = "$STATE/containerd-opt"
[plugins."io.containerd.shim.v1.manager"]
  socket_dir = "$STATE/run/s"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "$PAUSE_IMAGE"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  Root = "$STATE/run/runc"
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["$CNI_BIN"]
  conf_dir = "$STATE/config/cni"
EOF
}

cni_config() {
    cat <<EOF
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$STATE/cni",
            "ranges": [[{"subnet": "$POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
EOF
}

command_of_containerd() {
    containerd_config | write_file "$STATE/config/containerd.toml"
    cni_config | write_file "$STATE/config/cni/10-pods.conflist"
    COMMAND=(env "PATH=$BIN:$PATH" "$BIN/containerd" --config "$STATE/config/containerd.toml")
}

ready_containerd() { node_has_containerd; }

kubelet_config() {
    cat <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $PKI/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
imagePullCredentialsVerificationPolicy: NeverVerify
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
clusterDNS: [$DNS_SERVICE_IP]
clusterDomain: cluster.local
maxPods: 250
podLogsDir: $STATE/pod-logs
EOF
}

command_of_kubelet() {
    kubelet_config | write_file "$STATE/config/kubelet.yaml"
    COMMAND=("$BIN/kubelet" --config "$STATE/config/kubelet.yaml" --kubeconfig "$PKI/kubelet.conf"
        --hostname-override "$NODE_NAME" --node-ip "$NODE_IP" --root-dir "$KUBELET_ROOT"
        --cert-dir "$STATE/kubelet-certs")
}

ready_kubelet() { in_node curl -fsS --max-time 2 http://127.0.0.1:10248/healthz; }

# The size of the kernel's connection table is the machine's own business.
command_of_proxy() {
    COMMAND=("$BIN/kube-proxy" --kubeconfig "$PKI/proxy.conf" --hostname-override "$NODE_NAME"
        --cluster-cidr "$CLUSTER_CIDR" --proxy-mode "$PROXY_MODE" --conntrack-max-per-core 0)
}

ready_proxy() { in_node curl -fsS --max-time 2 http://127.0.0.1:10249/healthz; }

is_component() { [[ " $COMPONENTS " == *" $1 "* ]]; }

start_component() {
    local name=$1 function=${1//-/_}
    ! pid_of "$name" >/dev/null || return 0
    say "starting $name"
    local COMMAND=()
    "command_of_$function"
    spawn "$name" "${COMMAND[@]}"
}

await_component() {
    local name=$1 function=${1//-/_}
    if ! wait_for 90 "ready_$function"; then
        last_words_of "$name"
        die "$name is not ready after 90 s; its log is $STATE/log/$name.log"
    fi
}

stop_component() {
    local name=$1 pid grace=15
    # The API server waits for its watches, which never end.
    [ "$name" != apiserver ] || grace=3
    if pid=$(pid_of "$name"); then
        say "stopping $name"
        end_process "$pid" $grace
    fi
    rm -f "$STATE/pid/$name"
}
