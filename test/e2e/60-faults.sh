# shellcheck shell=bash
# Parts die; machines do not notice.

# pids_of PROGRAM: on this machine, wherever they run.
pids_of() { pgrep -f "^/usr/bin/$1( |\$)" || :; }
qemu_pid() { pgrep -f "guest=${NS}_$1," | head -1; }

make_victim() {
    k get vm victim >/dev/null 2>&1 || vm_manifest victim Always | kubectl apply -f -
    until_true 90 "running" is_running victim
}

survives() {
    local program=$1 before
    make_victim
    before=$(qemu_pid victim)
    [ -n "$before" ] || fail "no QEMU"
    # shellcheck disable=SC2046
    kill -9 $(pids_of "$program")
    sleep 1
    until_true 60 "$program back" ready_again "$program"
    [ "$(qemu_pid victim)" = "$before" ] || fail "QEMU was $before, is $(qemu_pid victim)"
    is_running victim || fail "phase $(field vmi victim .status.phase)"
    until_true 10 "status right again" has_condition vmi victim Ready
    start_console victim
    expect 60 'login:' ''
    stop_console
    virt pause vmi victim
    until_true 10 "status follows" has_condition vmi victim Paused
    virt unpause vmi victim
    until_true 10 "status follows" is_not_paused victim
}
is_not_paused() { [ "$(condition vmi "$1" Paused)" != True ]; }
ready_again() {
    case $1 in
    virt-handler) kubectl -n kubevirt rollout status daemonset/virt-handler --timeout=1s ;;
    *) kubectl -n kubevirt rollout status "deployment/$1" --timeout=1s ;;
    esac
}
api_dies() { survives virt-api; }
run_case "kill -9 of virt-api: QEMU keeps its pid, the console reopens, status follows" api_dies
controller_dies() { survives virt-controller; }
run_case "kill -9 of virt-controller: the same" controller_dies
handler_dies() { survives virt-handler; }
run_case "kill -9 of virt-handler: the same" handler_dies

launcher_dies() {
    make_victim
    local uid
    uid=$(field vmi victim .metadata.uid)
    kill -9 "$(pgrep -f "^/usr/bin/virt-launcher .*--uid $uid")"
    until_true 60 "the instance is replaced" is_other_running victim "$uid"
}
is_other_running() { is_running "$1" && [ "$(field vmi "$1" .metadata.uid)" != "$2" ]; }
run_case "the launcher killed: the instance fails, Always starts another" launcher_dies

# An outage ends kube-controller-manager where it has a leader to elect; here it would go on with what it knew, take
# the node for dead, and with that all pods for not ready: services without endpoints, after the API server is back.
# kube-proxy, through which pods reach the API server, waits longer and longer between its tries.
fresh_kubernetes() {
    "$repository/deploy/local/node.sh" restart controller-manager
    "$repository/deploy/local/node.sh" restart proxy
}

apiserver_away() {
    make_victim
    local before uid
    before=$(qemu_pid victim)
    uid=$(field vmi victim .metadata.uid)
    "$repository/deploy/local/node.sh" stop apiserver
    sleep 60
    [ "$(qemu_pid victim)" = "$before" ] || fail "QEMU is gone while the API server was away"
    "$repository/deploy/local/node.sh" start apiserver
    until_true 60 "API server back" kubectl get --raw /readyz
    fresh_kubernetes
    until_true 60 "cvirt back" is_available_api
    [ "$(field vmi victim .metadata.uid)" = "$uid" ] || fail "the instance was made anew"
    is_running victim || fail "phase $(field vmi victim .status.phase)"
    [ "$(qemu_pid victim)" = "$before" ] || fail "QEMU was touched"
    until_true 100 "calls reach the node again" paused_now victim
    until_true 20 "watches go on" unpaused_now victim
}
# kube-proxy brings the API server's service address back in its own time, and takes it away once more
# while it catches up with what it missed.
paused_now() {
    virt pause vmi "$1" || :
    sleep 1
    has_condition vmi "$1" Paused
}
unpaused_now() {
    virt unpause vmi "$1" || :
    sleep 1
    is_not_paused "$1"
}
is_available_api() {
    [ "$(kubectl get apiservice v1.subresources.kubevirt.io -o \
        'jsonpath={.status.conditions[?(@.type=="Available")].status}')" = True ]
}
run_case "kube-apiserver away for 60 s: nothing is touched, all watches resume" apiserver_away

# After an outage: both pods of virt-api have been taken for ready for a while.  kube-apiserver calls webhooks and
# aggregated APIs by the endpoints, without kube-proxy.
wait_for_endpoints() { until_true 120 "virt-api's endpoints stay" endpoints_stay; }
endpoints_stay() {
    local n
    for n in 1 2 3 4 5 6 7 8 9 10; do
        [ "$(ready_api_addresses | wc -l)" -eq 2 ] || return 1
        sleep 1
    done
}

hanging_node() {
    make_victim
    wait_for_endpoints
    local pids n
    pids=$(pids_of virt-handler)
    # shellcheck disable=SC2086
    kill -STOP $pids
    # shellcheck disable=SC2064
    trap "kill -CONT $pids; kill \$(jobs -p) 2>/dev/null" EXIT
    # curl keeps at most 300 transfers going at a time.
    for n in 1 2; do
        curl -s --http1.1 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" -Z --parallel-immediate \
            --parallel-max 250 -o /dev/null \
            "$(apiserver_url)/apis/subresources.kubevirt.io/v1/namespaces/$NS/virtualmachineinstances/victim/vnc/screenshot?i=[1-250]" 2>/dev/null &
    done
    for n in 1 2 3 4 5 6 7 8; do
        sleep 1
        is_available_api || fail "APIService is not Available after $n s"
        timeout 8 kubectl get --raw /apis/subresources.kubevirt.io/v1 >/dev/null || fail "discovery is held up"
        vm_manifest admitted Halted | timeout 8 kubectl apply --dry-run=server -f - >/dev/null || fail "admission is held up"
    done
    # shellcheck disable=SC2086
    kill -CONT $pids
    trap - EXIT
    wait
}
run_case "500 calls hang on a node that does not answer: Available, discovery and admission go on" hanging_node

# Admissions go on, eight at a time on kept connections, while both pods of virt-api are replaced.
restarted_under_load() {
    local dir n=0 reviews wrong
    wait_for_endpoints
    dir=$(mktemp -d)
    vm_manifest admitted Halted >"$dir/vm.yaml"
    kubectl create --dry-run=client -o json -f "$dir/vm.yaml" >"$dir/vm.json"
    (
        while [ ! -e "$dir/enough" ]; do
            api POST "/apis/kubevirt.io/v1/namespaces/$NS/virtualmachines?dryRun=All&i=[1-40]" -Z --parallel-max 8 \
                -H 'Content-Type: application/json' -d @"$dir/vm.json" -o "$dir/answer#1" >>"$dir/codes" 2>/dev/null || :
            grep -hs '"status":"Failure"' "$dir"/answer* >>"$dir/failures" || :
        done
    ) &
    for n in 1 2; do
        kubectl -n kubevirt rollout restart deployment/virt-api
        kubectl -n kubevirt rollout status deployment/virt-api --timeout=90s
        until_true 60 "the earlier pods gone" only_ready_api_pods
    done
    touch "$dir/enough"
    wait
    reviews=$(grep -c . "$dir/codes")
    wrong=$(grep . "$dir/codes" | grep -vcx 201 || :)
    printf '%s admissions, %s failed: %s\n' "$reviews" "$wrong" "$(grep . "$dir/codes" | sort | uniq -c | tr '\n' ' ')"
    sort "$dir/failures" 2>/dev/null | uniq -c | sort -rn | head -5
    rm -rf "$dir"
    [ "$reviews" -ge 200 ] || fail "too few to say anything"
    [ "$wrong" -eq 0 ] || fail "admissions failed"
}
only_ready_api_pods() {
    [ "$(kubectl -n kubevirt get pods -l kubevirt.io=virt-api -o name | wc -l)" = 2 ]
}
run_case "virt-api restarted twice under load: no admission fails" restarted_under_load

no_victim() { k delete vm victim --timeout=90s; }
run_case "the victim is deleted" no_victim
