# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# Admission while calls hang on a node that does not answer.

# Connections of virt-api's pods to virt-handler's console port, whatever their state.
hanging_calls() {
    local pid
    for pid in $(processes virt-api); do
        nsenter --net="/proc/$pid/ns/net" ss -Htan 'dport = :8186' | grep -vc TIME-WAIT || :
    done | awk '{ n += $1 } END { print n + 0 }'
}

# hang_calls URL: 500 at a time, again and again until killed; one curl keeps at most 300.
hang_calls() {
    local i
    for i in 1 2; do
        curl -s --http1.1 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" -Z --parallel-immediate \
            --parallel-max 250 -o /dev/null "$1?i=[1-5000]" 2>/dev/null &
        started+=($!)
    done
}
are_hanging() { [ "$(hanging_calls)" -ge 500 ]; }

measure_hanging() {
    local url pid i calls before during
    vm_manifest hang Always | kubectl create -f - >/dev/null
    until_true 60 "a machine runs" is_running hang
    url=https://$(api_pod_ip):8443/virtualmachineinstances-validate-create
    for ((i = 0; i < rounds; i++)); do load 4 "$url" validate; done >"$work/before"

    mapfile -t stopped < <(processes virt-handler)
    kill -STOP "${stopped[@]}"
    hang_calls "$(apiserver_url)/apis/subresources.kubevirt.io/v1/namespaces/$NS/virtualmachineinstances/hang/vnc/screenshot"
    until_true 20 "500 calls hang" are_hanging
    calls=$(hanging_calls)
    for ((i = 0; i < rounds; i++)); do load 4 "$url" validate; done >"$work/during"
    calls+=" to $(hanging_calls)"
    for pid in "${stopped[@]}"; do kill -CONT "$pid"; done
    stopped=()

    before=$(column 3 "$work/before" | median) during=$(column 3 "$work/during" | median)
    heading "Admission while a node hangs"
    put "Validate at 4 connections on one pod of virt-api as deployed, while $calls calls of both pods wait for a virt-handler that is stopped
(SIGSTOP), sent through kube-apiserver. $rounds turns of $seconds s, medians. Goal: P99 less than doubles.
"
    table "" requests/s "P50 us" "P99 us"
    row without "$(column 1 "$work/before" | median)" "$(column 2 "$work/before" | median)" "$before"
    row "with hanging calls" "$(column 1 "$work/during" | median)" "$(column 2 "$work/during" | median)" "$during"
    row ratio "" "" "**$(ratio "$during" "$before")**"
}
