# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# Streams through a virt-api of the bench's own: its world is stream-world (an API server and the end of streams, both
# pretended), its yardstick stream-relay, both from this run.

stream_api_port=18445 stream_relay_port=18446 idle_streams=${BENCH_STREAMS:-2000} echoes=${BENCH_ECHOES:-400}
stream_files=$work/streams

# leaf NAME COMMON_NAME
leaf() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$2" -CA "$stream_files/ca.crt" \
        -CAkey "$stream_files/ca.key" -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$stream_files/$1.key" -out "$stream_files/$1.crt" 2>/dev/null
}

make_certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=bench CA" \
        -keyout "$stream_files/ca.key" -out "$stream_files/ca.crt" 2>/dev/null
    leaf api virt-api
    leaf node kubevirt.io:system:node:virt-handler
    leaf to-node kubevirt.io:system:client:virt-handler
    leaf front-proxy front-proxy-client
}

start_stream_servers() {
    mkdir -p "$stream_files"
    make_certificates
    "$repository/build/bench/stream-world" "$stream_files" >"$work/stream-world.log" 2>&1 &
    started+=($!)
    until_true 20 "the streams' world stands" test -s "$stream_files/node-port"
    node_port=$(<"$stream_files/node-port")
    (
        ulimit -n "$(ulimit -Hn)"
        exec env GLIBC_TUNABLES="$(tunables)" "$repository/build/virt-api" --kubeconfig "$stream_files/kubeconfig" --listen 127.0.0.1 \
            --port "$stream_api_port" --tls-cert-file "$stream_files/api.crt" --tls-key-file "$stream_files/api.key" -v 0 \
            --handler-cert-file "$stream_files/to-node.crt" --handler-key-file "$stream_files/to-node.key" \
            --console-server-port "$node_port"
    ) >"$work/stream-api.log" 2>&1 &
    stream_api=$!
    started+=("$stream_api")
    "$repository/build/bench/stream-relay" "$stream_relay_port" "$node_port" "$stream_files" >"$work/stream-relay.log" 2>&1 &
    stream_relay=$!
    started+=("$stream_relay")
    until_true 20 "virt-api is ready" is_stream_api_ready
}
is_stream_api_ready() { curl -skf -o /dev/null "https://127.0.0.1:$stream_api_port/readyz"; }

stream_client() { "$repository/build/bench/stream-client" "$stream_files" "$@" || die "no stream: $*"; }
through_api() { stream_client api "$stream_api_port" "$@"; }
through_relay() { stream_client node "$stream_relay_port" "$@"; }
straight() { stream_client node "$node_port" "$@"; }

# nth PERCENT: of the lines of standard input.
nth() { sort -g | awk -v p="$1" '{ v[NR] = $1 } END { i = int(NR * p / 100) + 1; if (i > NR) i = NR; print v[i] }'; }
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", a - b }'; }
pairs() { paste -d' ' "$1" "$2" | awk -v c="$3" '{ printf "%.2f\n", $c / $(NF / 2 + c) }'; }

stream_throughput() {
    local i a=$work/pull.api b=$work/pull.relay
    : >"$a" && : >"$b"
    for ((i = 0; i < rounds; i++)); do
        through_api pull "$seconds" "$stream_api" >>"$a"
        through_relay pull "$seconds" "$stream_relay" >>"$b"
    done
    put "Guest's output in frames of 32 KiB, from a virt-handler's stand-in through TLS ($(column 3 "$a" | sort -u | paste -sd' ')) to one client; the yardstick is one
thread of gnutls that copies records of 16 KiB between the same two (test/bench/stream_relay.c). CPU is the relaying process's own,
user and kernel. $rounds turns each of $seconds s, medians. Goals: 0.8 of the yardstick; 1.4 s a GiB (upstream: 2.1).
"
    table "" virt-api yardstick ratio "ratio of turns"
    row "MiB/s" "$(column 1 "$a" | median)" "$(column 1 "$b" | median)" "**$(pairs "$a" "$b" 1 | median)**" "$(pairs "$a" "$b" 1 | range)"
    row "CPU seconds/GiB" "**$(column 2 "$a" | median)**" "$(column 2 "$b" | median)" "$(pairs "$a" "$b" 2 | median)" "$(pairs "$a" "$b" 2 | range)"
    put ""
}

stream_echo() {
    local i way file=$work/echo
    : >"$file.api" && : >"$file.relay" && : >"$file.straight"
    for ((i = 0; i < rounds; i++)); do
        straight echo "$echoes" >>"$file.straight"
        through_api echo "$echoes" >>"$file.api"
        through_relay echo "$echoes" >>"$file.relay"
    done
    put "A keystroke's echo, microseconds, $((rounds * echoes)) of each in turns; added is what is more than without anything between. Goal: 60 added
at P50 (upstream: 120).
"
    table "" P50 P99 "added P50" "added P99"
    local p50 p99
    p50=$(nth 50 <"$file.straight") p99=$(nth 99 <"$file.straight")
    row "nothing between" "$(rounded <<<"$p50")" "$(rounded <<<"$p99")" - -
    for way in api relay; do
        row "$([ "$way" = api ] && echo virt-api || echo yardstick)" "$(nth 50 <"$file.$way" | rounded)" "$(nth 99 <"$file.$way" | rounded)" \
            "$([ "$way" != api ] || echo "**")$(minus "$(nth 50 <"$file.$way")" "$p50")$([ "$way" != api ] || echo "**")" \
            "$(minus "$(nth 99 <"$file.$way")" "$p99")"
    done
    put ""
}

rss_kib() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$stream_api/status"; }
# hold_streams: they stand when this returns, until let_go.
hold_streams() {
    coproc HOLD { through_api hold "$idle_streams"; }
    local line=
    read -r -t 60 line <&"${HOLD[0]}" || :
    [ "$line" = held ] || die "the idle streams do not stand: $(tail -n 3 "$work/stream-api.log")"
}
let_go() {
    local pid=$HOLD_PID
    eval "exec ${HOLD[1]}>&-"
    wait "$pid" || die "an idle stream did not last"
    until_true 20 "the idle streams are gone" has_few_files
}
has_few_files() { [ "$(find "/proc/$stream_api/fd" -type l | wc -l)" -lt 60 ]; }

validate_turns() {
    local i
    for ((i = 0; i < rounds; i++)); do
        load 4 "https://127.0.0.1:$stream_api_port/virtualmachineinstances-validate-create" validate >>"$1"
    done
}

# memory_row WHEN KIB: and what that is more than at first, for each stream.
memory_row() {
    row "$1" "$2" "$(awk -v a="$2" -v b="$kib_at_first" -v n="$idle_streams" 'BEGIN { printf "%.1f", (a - b) / n }')"
}

# Twice: the second time in memory that the first has left behind.
stream_idle() {
    local kib_at_first kib_first kib_closed kib_again began=$SECONDS without=$work/idle.without with=$work/idle.with
    : >"$without" && : >"$with"
    validate_turns "$without"
    kib_at_first=$(rss_kib)
    hold_streams
    kib_first=$(rss_kib)
    let_go
    hold_streams
    kib_again=$(rss_kib)
    validate_turns "$with"
    let_go
    validate_turns "$without"
    kib_closed=$(rss_kib)
    put "$idle_streams streams that say nothing but pings, of 16 users and 16 machines: virt-api's resident memory, and what each
stream adds to it. Goal: 40 KiB (upstream: 132).
"
    table "" KiB "KiB a stream"
    memory_row "after reviews" "$kib_at_first"
    memory_row "with the streams" "$kib_first"
    memory_row "closed, and opened again" "$kib_again"
    memory_row "closed, a while later" "$kib_closed"
    put "
Validate at 4 connections without them, with them, without: turns of $seconds s, medians. Goal: P99 1.5 times of without, at most.
"
    table "" requests/s "P50 us" "P99 us" "P99 of turns"
    hanging_row without "$without"
    hanging_row "with $idle_streams streams" "$with"
    row "ratio of P99" "" "" "**$(ratio "$(column 3 "$with" | median)" "$(column 3 "$without" | median)")**" ""
    put ""
}

# ratios OF TO FILE: the two columns' own, a line a turn.
ratios() { awk -v a="$1" -v b="$2" '{ printf "%.2f\n", $a / $b }' "$3"; }

stream_ends() {
    local file=$work/ends n cells=()
    "$repository/build/bench/stream-qemu" "$stream_files" "$rounds" 0.5 >"$file" || die "virt-handler's end does not carry"
    for n in 1 2 3 4 5 6; do cells+=("$(column "$n" "$file" | median)"); done
    put "virt-handler's end: from a unix socket that QEMU's stand-in fills to a websocket, MiB/s, beside libwebsockets by itself with frames of 64 KiB,
out of memory and out of such a socket, all in one process on the same cores. Over TLS virt-handler's is gnutls on a thread of its own,
libwebsockets' is OpenSSL. $rounds turns of 0.5 s, medians. Goal: 0.8 of libwebsockets'.
"
    table "" virt-handler "libwebsockets, memory" ratio "libwebsockets, socket" ratio
    row plain "${cells[0]}" "${cells[1]}" "**$(ratios 1 2 "$file" | median)**" "${cells[2]}" "**$(ratios 1 3 "$file" | median)**"
    row TLS "${cells[3]}" "${cells[4]}" "**$(ratios 4 5 "$file" | median)**" "${cells[5]}" "**$(ratios 4 6 "$file" | median)**"
    put ""
}

# Not a figure to compare: what matters is that every byte arrives, and nothing drops.
stream_flood() {
    local figures
    figures=$(through_api count)
    put "A console that prints without a pause, through virt-handler's websocket thread (handler/ws) and virt-api: ${figures% *} bytes, each compared,
at ${figures#* } MB/s; then a close with the guest's end.
"
}

measure_streams() {
    heading Streams
    start_stream_servers
    stream_throughput
    stream_echo
    stream_idle
    stream_ends
    stream_flood
}
