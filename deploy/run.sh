#!/bin/bash
# The main job, end to end: a Kubernetes node, cvirt on it, a machine, its login prompt.
#   run.sh             all of it on a node of its own on this machine (deploy/local)
#   run.sh existing    the same on the cluster of $KUBECONFIG; images must be reachable from its nodes
#   run.sh deploy      up to the installation, without the machine
#   run.sh stop        undo it
# `make run`, `make run CLUSTER=existing`, `make stop` call it, with everything built.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here/../build
began=$SECONDS

say() { printf '[%3d s] %s\n' $((SECONDS - began)) "$*"; }
die() {
    printf 'run: %s\n' "$*" >&2
    exit 1
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; says how long it has been every 10 s.
wait_for() {
    local limit=$1 what=$2 start=$SECONDS next=10
    shift 2
    until "$@" >/dev/null 2>&1; do
        local waited=$((SECONDS - start))
        [ "$waited" -lt "$limit" ] || return 1
        if [ "$waited" -ge "$next" ]; then
            say "still waiting for $what ($waited s of at most $limit)"
            next=$((next + 10))
        fi
        sleep 0.2
    done
}

local_node() {
    say "Kubernetes, etcd and containerd (the first build takes some 12 minutes)"
    "$here/local/build.sh"
    say "starting the node"
    "$here/local/node.sh" up
    eval "$("$here/local/node.sh" env)"
    say "images"
    "$here/images/build.sh" --import
    "$here/guest/build.sh" --import
}

# Pods keep the image that they were started with; the local tag does not say that it moved.
restart_if_images_moved() {
    local stamp
    stamp=$(cat "$build"/virt-{api,controller,handler,launcher} | sha256sum | cut -c1-16)
    kubectl -n kubevirt annotate --overwrite namespace/kubevirt "cvirt.io/build=$stamp" >/dev/null
    for workload in deployment/virt-api deployment/virt-controller daemonset/virt-handler; do
        kubectl -n kubevirt patch "$workload" --type=merge -p \
            "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"cvirt.io/build\":\"$stamp\"}}}}}" >/dev/null
    done
}

is_available() {
    [ "$(kubectl get apiservice v1.subresources.kubevirt.io -o \
        'jsonpath={.status.conditions[?(@.type=="Available")].status}')" = True ]
}

has_schedulable_node() {
    [ -n "$(kubectl get nodes -l kubevirt.io/schedulable=true -o name)" ]
}

deploy_cvirt() {
    say "installing cvirt: kubectl apply -k deploy/"
    kubectl apply -k "$here" >/dev/null
    [ "$1" = existing ] || restart_if_images_moved
    kubectl -n kubevirt rollout status deployment/virt-controller --timeout=120s >/dev/null ||
        diagnose "virt-controller does not become ready"
    kubectl -n kubevirt rollout status deployment/virt-api --timeout=120s >/dev/null ||
        diagnose "virt-api does not become ready"
    kubectl -n kubevirt rollout status daemonset/virt-handler --timeout=120s >/dev/null ||
        diagnose "virt-handler does not become ready"
    wait_for 60 "the aggregated API" is_available || diagnose "the aggregated API is not available"
    wait_for 60 "a node that can run machines" has_schedulable_node ||
        diagnose "no node is labelled kubevirt.io/schedulable"
    if [ "$1" = local ]; then
        kubectl apply -f "$here/examples/kubevirt.yaml" >/dev/null
    fi
    say "cvirt is ready"
}

diagnose() {
    kubectl -n kubevirt get pods -o wide >&2 || :
    for component in virt-controller virt-api virt-handler; do
        printf -- '--- %s\n' "$component" >&2
        kubectl -n kubevirt logs -l "kubevirt.io=$component" --tail=8 >&2 || :
    done
    die "$1"
}

is_running() {
    [ "$(kubectl get vmi demo -o 'jsonpath={.status.phase}')" = Running ]
}

start_machine() {
    say "creating the machine: kubectl apply -f deploy/examples/vm.yaml"
    kubectl apply -f "$here/examples/vm.yaml" >/dev/null
    if ! wait_for 120 "the machine to run" is_running; then
        kubectl get vm,vmi,pods -o wide >&2
        kubectl get events --sort-by=.lastTimestamp | tail -20 >&2
        diagnose "the machine does not run"
    fi
    say "the machine runs"
    kubectl get vm,vmi
}

show_console() {
    if [ -t 0 ] && [ -t 1 ]; then
        say "its console; Ctrl+] leaves it, the machine goes on"
        exec kubectl virt console demo
    fi
    say "its console, up to the prompt"
    # A newline makes a prompt that was printed before us come again; more than one in 5 s may fill QEMU's UART
    # before the guest reads it.
    local out
    out=$(mktemp)
    coproc CONSOLE { kubectl virt console demo --timeout=2 2>/dev/null | tee "$out"; }
    local start=$SECONDS next=0
    until grep -aq 'login:' "$out"; do
        [ $((SECONDS - start)) -lt 90 ] || {
            rm -f "$out"
            die "no login prompt in 90 s"
        }
        if [ $((SECONDS - start)) -ge "$next" ]; then
            printf '\n' >&"${CONSOLE[1]}" || :
            next=$((next + 5))
        fi
        sleep 0.2
    done
    cat "$out"
    printf '\n'
    printf '\035' >&"${CONSOLE[1]}" || :
    rm -f "$out"
    say "that is the prompt; everything is left running (make stop undoes it)"
    say "for a shell that reaches it:  eval \"\$(make -s env)\""
}

mode=${1:-local}
case $mode in
local | deploy)
    local_node
    deploy_cvirt local
    ;;
existing)
    [ -n "${KUBECONFIG:-}" ] || die "KUBECONFIG is not set: it names your cluster"
    export PATH=$build:$PATH
    deploy_cvirt existing
    ;;
stop)
    exec "$here/local/node.sh" down
    ;;
*) die "usage: run.sh [local|existing|deploy|stop]" ;;
esac
if [ "$mode" != deploy ]; then
    start_machine
    show_console
fi
