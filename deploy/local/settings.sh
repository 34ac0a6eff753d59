# shellcheck shell=bash disable=SC2034
# Every version, name, address and folder of the local node, and the few functions that all scripts of
# deploy/ share. Sourced, never run.

KUBERNETES_VERSION=1.37.2
ETCD_VERSION=3.7.3
CONTAINERD_VERSION=2.4.2

# Outside of the checkout: what is slow to make (cache) and what a running node keeps (state).
CACHE=${CVIRT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cvirt}
STATE=${CVIRT_STATE:-/var/lib/cvirt-local}
BIN=$CACHE/bin
IMAGES=$CACHE/images

# The kubelet's root and KubeVirt's folder keep the names that manifests mount by hostPath.
KUBELET_ROOT=/var/lib/kubelet
KUBEVIRT_RUN=/run/kubevirt
CNI_CACHE=/var/lib/cni
CNI_BIN=${CVIRT_CNI_BIN:-/usr/lib/cni}

NODE_NAME=cvirt-node
NETNS=cvirt-node
CGROUP=cvirt-local
HOST_LINK=cvirt0
HOST_IP=192.168.77.1
NODE_IP=192.168.77.2
NODE_PREFIX=24
CLUSTER_CIDR=10.244.0.0/16
POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.96.0.0/16
KUBERNETES_SERVICE_IP=10.96.0.1
DNS_SERVICE_IP=10.96.0.10
PROXY_MODE=${CVIRT_PROXY_MODE:-iptables}

KUBECONFIG_FILE=$STATE/kubeconfig
AUDIT_LOG=$STATE/audit.log
CONTAINERD_SOCKET=$STATE/run/containerd.sock

PAUSE_IMAGE=localhost/cvirt/pause:devel
LAUNCHER_IMAGE=localhost/cvirt/virt-launcher:devel
CVIRT_IMAGE=localhost/cvirt/cvirt:devel
GUEST_DISK_IMAGE=localhost/cvirt/guest-disk:devel
GUEST_KERNEL_IMAGE=localhost/cvirt/guest-kernel:devel

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s: %s\n' "${PROGRAM:-${0##*/}}" "$*"; }

die() {
    printf '%s: %s\n' "${PROGRAM:-${0##*/}}" "$*" >&2
    exit 1
}

# need PROGRAM PACKAGE: end with what to install when a program is missing.
need() {
    command -v "$1" >/dev/null || die "'$1' is missing: install it (Debian: $2; all of them: deploy/local/packages.txt)"
}

# Write $1 from standard input in one step, so that an interrupted run leaves no half of a file.
write_file() {
    local file=$1
    mkdir -p "$(dirname "$file")"
    cat >"$file.new"
    mv "$file.new" "$file"
}

# ctr of the local node's containerd, in the namespace that kubelet uses.
node_ctr() { CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=1 "$BIN/ctr" --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"; }

node_has_containerd() { [ -S "$CONTAINERD_SOCKET" ] && node_ctr version >/dev/null 2>&1; }
