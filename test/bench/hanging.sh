# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# Admission while calls hang on a node that does not answer.

# Connections of virt-api's pods to virt-handler's console port that wait.
hanging_calls() {
    local pid
    for pid in $(processes virt-api); do
        nsenter --net="/proc/$pid/ns/net" ss -Htan state established state syn-sent 'dport = :8186'
    done | wc -l
}

# hang_calls URL: 500 at a time, again and again until killed; one curl keeps at most 300.
hang_calls() {
    local i
    for i in 1 2; do
        curl -s --http1.1 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" -Z --parallel-immediate \
            --parallel-max 250 -o /dev/null "$1?i=[1-5000]" 2>/dev/null &
        callers+=($!)
    done
    started+=("${callers[@]}")
}
are_hanging() { [ "$(hanging_calls)" -ge 500 ]; }
none_hangs() { [ "$(hanging_calls)" -eq 0 ]; }

# turns FILE
turns() {
    local i
    for ((i = 0; i < rounds; i++)); do load 4 "$url" validate; done >>"$1"
}

hanging_row() {
    row "$1" "$(column 1 "$2" | median | rounded)" "$(column 2 "$2" | median | rounded)" "$(column 3 "$2" | median | rounded)" \
        "$(column 3 "$2" | rounded | range)"
}

# Without, with, without: what else the machine does meanwhile shows in both.
measure_hanging() {
    local url pid calls callers=() before=$work/without during=$work/with
    run_machine
    url=https://$(api_pod_ip):8443/virtualmachineinstances-validate-create
    : >"$before" && : >"$during"
    turns "$before"

    mapfile -t stopped < <(processes virt-handler)
    kill -STOP "${stopped[@]}"
    hang_calls "$(apiserver_url)/apis/subresources.kubevirt.io/v1/namespaces/$NS/virtualmachineinstances/bench/vnc/screenshot"
    until_true 20 "500 calls hang" are_hanging
    calls=$(hanging_calls)
    turns "$during"
    calls+=" (at the end $(hanging_calls))"
    kill "${callers[@]}"
    for pid in "${stopped[@]}"; do kill -CONT "$pid"; done
    stopped=()
    until_true 20 "no call hangs any more" none_hangs
    turns "$before"

    heading "Admission while a node hangs"
    put "Validate at 4 connections on one pod of virt-api as deployed, while $calls calls of all pods wait for a virt-handler that is
stopped (SIGSTOP), sent through kube-apiserver. Turns of $seconds s: $rounds without, $rounds with, $rounds without; medians. Goal: P99 less than doubles.
"
    table "" requests/s "P50 us" "P99 us" "P99 of turns"
    hanging_row without "$before"
    hanging_row "with hanging calls" "$during"
    row "ratio of P99" "" "" "**$(ratio "$(column 3 "$during" | median)" "$(column 3 "$before" | median)")**" ""
}
