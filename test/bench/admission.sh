# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# Webhooks beside the yardstick of baseline.c, turn by turn.

baseline=https://127.0.0.1:18443 ours=https://127.0.0.1:18444

# review FILE: the VMI on standard input as kube-apiserver would send its creation.
review() {
    jq -c '{kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request: {
        uid: "0a1b2c3d-0000-4000-8000-000000000000",
        kind: {group: "kubevirt.io", version: "v1", kind: "VirtualMachineInstance"},
        resource: {group: "kubevirt.io", version: "v1", resource: "virtualmachineinstances"},
        requestKind: {group: "kubevirt.io", version: "v1", kind: "VirtualMachineInstance"},
        requestResource: {group: "kubevirt.io", version: "v1", resource: "virtualmachineinstances"},
        name: "bench", namespace: .metadata.namespace, operation: "CREATE",
        userInfo: {username: "someone", groups: ["system:authenticated"]},
        object: ., oldObject: null, dryRun: false, options: {kind: "CreateOptions", apiVersion: "meta.k8s.io/v1"}}}' >"$1"
}

# What is validated has been through mutation and the schema's defaults; what is mutated has not.
prepare_reviews() {
    kubectl create namespace "$NS" >/dev/null
    vmi_manifest bench | kubectl create --dry-run=client -o json -f - | review "$work/mutate.json"
    vmi_manifest bench | kubectl create --dry-run=server --show-managed-fields -o json -f - | review "$work/validate.json"
}

# A server of the bench's own; its pid in $server_pid.
serve() {
    local name=$1 url=$2
    shift 2
    "$@" >"$work/$name.log" 2>&1 &
    server_pid=$!
    started+=("$server_pid")
    until_true 20 "$name answers" curl -sk -o /dev/null "$url"
}

# What the deployment sets for glibc's allocator.
tunables() { sed -n 's/^ *value: \(glibc\..*\)$/\1/p' "$repository/deploy/virt-api.yaml"; }

start_servers() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/key" -out "$work/crt" 2>/dev/null
    serve baseline "$baseline/" "$repository/build/bench/baseline" "${baseline##*:}" "$work/crt" "$work/key"
    serve virt-api "$ours/livez" env GLIBC_TUNABLES="$(tunables)" "$repository/build/virt-api" --kubeconfig "$KUBECONFIG" --listen 127.0.0.1 \
        --port "${ours##*:}" --tls-cert-file "$work/crt" --tls-key-file "$work/key" -v 0
    api_pid=$server_pid
    until_true 20 "its informers are read" is_allowed mutate
    is_allowed validate-create || die "the review is not allowed: $(answer_to validate-create)"
}

answer_to() {
    curl -sk -H 'Content-Type: application/json' -d @"$work/${1%-*}.json" "$ours/virtualmachineinstances-$1"
}
is_allowed() { answer_to "$1" | jq -e .response.allowed >/dev/null; }

# load CONNECTIONS URL REVIEW: "requests/s P50_us P99_us"; any answer but 200 ends the bench.
load() {
    REVIEW=$work/$3.json wrk -t1 -c"$1" -d"${seconds}s" --latency -s "$here/post.lua" "$2" | awk '
        function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 }
        $1 == "50%" { p50 = us($2) } $1 == "99%" { p99 = us($2) } /^Requests\/sec/ { rate = $2 }
        /Non-2xx|Socket errors/ { print "bench: wrk: " $0 > "/dev/stderr"; bad = 1 }
        END { if (bad || !rate) exit 1; print rate, p50, p99 }'
}

# one_pair REVIEW PATH CONNECTIONS: a row.
one_pair() {
    local i a=$work/baseline.figures b=$work/ours.figures file n cells=()
    : >"$a" && : >"$b"
    for ((i = 0; i < rounds; i++)); do
        load "$3" "$baseline/" "$1" >>"$a"
        load "$3" "$ours/$2" "$1" >>"$b"
    done
    for file in "$b" "$a"; do
        for n in 1 2 3; do cells+=("$(column $n "$file" | median | rounded)"); done
    done
    paste -d' ' "$b" "$a" | awk '{ printf "%.2f\n", $1 / $4 }' >"$work/ratios"
    row "$1" "$3" "${cells[@]}" "**$(median <"$work/ratios")**" "$(range <"$work/ratios")"
}

measure_admission() {
    start_servers
    idle_api=$(resident "$api_pid")
    heading Admission
    put "A VMI's creation reviewed ($(wc -c <"$work/mutate.json") bytes for mutate, $(wc -c <"$work/validate.json") for validate) over keep-alive HTTPS: \`build/virt-api\`, two loops, run from
the shell against the node's kube-apiserver, with the deployment's GLIBC_TUNABLES ($(tunables)), and the baseline: libmicrohttpd with its own TLS, two epoll threads, the body parsed
by jansson, a fixed answer (test/bench/baseline.c). $rounds turns each of $seconds s, medians; the ratio is the median of the
turns' own ratios, whose range is the last column.
Goals, of the baseline: at 25 connections validate 0.7, mutate 0.5; at one connection 1.3 times its P50. Upstream's validate reaches 0.07.
"
    table webhook connections "virt-api, requests/s" "P50 us" "P99 us" "baseline, requests/s" "P50 us" "P99 us" ratio "ratio of turns"
    local connections
    for connections in 1 25; do
        one_pair validate virtualmachineinstances-validate-create "$connections"
        one_pair mutate virtualmachineinstances-mutate "$connections"
    done
    loaded_api=$(peak "$api_pid")
}
