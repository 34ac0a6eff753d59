# shellcheck shell=bash
# Consoles, screens and tunnels of one machine, through kubectl-virt and kube-apiserver.

# The machine of this file and the next ones: a key for SSH, USB redirection, a web server and an echo in the guest.
streams_manifest() {
    cat <<Y
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: streams, namespace: $NS}
spec:
  runStrategy: Always
  template:
    spec:
$(vmi_spec | sed -e '/^    userData:/,$d' -e 's/^    rng: {}/    rng: {}\n    clientPassthrough: {}/' | sed 's/^/      /')
          userData: |
            #cloud-config
            hostname: streams
            ssh_authorized_keys:
              - $(cat "$STREAMS/key.pub")
            runcmd:
              - mkdir -p /www && echo it-works > /www/index.html && head -c 3000000 /dev/zero > /www/large
              - httpd -p 80 -h /www
              - nc -ll -p 7 -e cat </dev/null >/dev/null 2>&1 &
Y
}
STREAMS=$STATE/e2e-streams

begin_streams() {
    rm -rf "$STREAMS" && mkdir "$STREAMS" && chmod 700 "$STREAMS"
    ssh-keygen -q -t ed25519 -N '' -f "$STREAMS/key"
    streams_manifest | kubectl apply -f - >/dev/null
    until_true 90 "running" is_running streams
    start_console streams
    log_in
    stop_console
}
run_case "a machine with a web server, an SSH key and USB redirection" begin_streams

# forward LOCAL... : kubectl-virt port-forward in the background, up when it says so.
forward() {
    FORWARD_LOG=$(mktemp)
    kubectl-virt -n "$NS" port-forward vmi/streams "$@" >"$FORWARD_LOG" 2>&1 &
    FORWARD_PID=$!
    until_true 20 "port-forward says that it is there" grep -q Forwarding "$FORWARD_LOG"
}
end_forward() {
    kill -INT "$FORWARD_PID"
    wait "$FORWARD_PID" 2>/dev/null || :
}

forward_tcp() {
    forward 18080:80 18099:99
    until_true 30 "the web server" curl -sf http://127.0.0.1:18080/ -o /dev/null
    [ "$(curl -s http://127.0.0.1:18080/)" = it-works ] || fail "another page"
    # Nobody listens on 99: that connection fails, the others go on.
    ! curl -s --max-time 5 http://127.0.0.1:18099/ || fail "something answers on a closed port"
    local i
    for i in 1 2 3 4 5 6 7 8; do curl -s http://127.0.0.1:18080/large | wc -c >"$STREAMS/size.$i" & done
    for i in 1 2 3 4 5 6 7 8; do until_true 30 "download $i" grep -qx 3000000 "$STREAMS/size.$i"; done
    [ "$(curl -s http://127.0.0.1:18080/)" = it-works ] || fail "the tunnel is gone: $(cat "$FORWARD_LOG")"
    end_forward
}
run_case "port-forward: many connections at once, and a failed one closes only itself" forward_tcp

forward_stdio() {
    [ "$(printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 kubectl-virt -n "$NS" port-forward --stdio vm/streams 80 | tr -d '\r' | tail -n 1)" = it-works ] ||
        fail "no page over stdin and stdout"
}
run_case "port-forward --stdio of a VM" forward_stdio

SSH_OPTIONS=(-t "-o StrictHostKeyChecking=no" -t "-o UserKnownHostsFile=/dev/null" -t "-o LogLevel=ERROR")
ssh_in() {
    # shellcheck disable=SC2016 # the guest's shell expands it
    [ "$(virt ssh root@vmi/streams -i "$STREAMS/key" "${SSH_OPTIONS[@]}" -c 'echo $((6*7))-$(hostname)')" = 42-streams ] ||
        fail "no command over SSH"
    ! virt ssh root@vm/streams -i "$STREAMS/key" "${SSH_OPTIONS[@]}" -c 'exit 7' || fail "a failed command is a success"
}
run_case "ssh with the real OpenSSH client" ssh_in

scp_both_ways() {
    head -c 500000 /dev/urandom >"$STREAMS/there"
    virt scp -i "$STREAMS/key" "${SSH_OPTIONS[@]}" "$STREAMS/there" root@vmi/streams:/tmp/there
    virt scp -i "$STREAMS/key" "${SSH_OPTIONS[@]}" root@vmi/streams:/tmp/there "$STREAMS/back"
    cmp "$STREAMS/there" "$STREAMS/back"
}
run_case "scp there and back" scp_both_ways

forward_udp() {
    local answer
    gcc -O2 -static -s -o "$STREAMS/udp_echo" "$repository/test/streams/guest/udp_echo.c"
    virt scp -i "$STREAMS/key" "${SSH_OPTIONS[@]}" "$STREAMS/udp_echo" root@vmi/streams:/tmp/udp_echo
    virt ssh root@vmi/streams -i "$STREAMS/key" "${SSH_OPTIONS[@]}" -c '/tmp/udp_echo 7 </dev/null >/dev/null 2>&1 &'
    forward udp/10017:7
    exec 8<>/dev/udp/127.0.0.1/10017
    printf 'over-udp' >&8
    read -r -t 10 -N 8 answer <&8
    exec 8>&-
    [ "$answer" = over-udp ] || fail "answer: $answer"
    end_forward
}
run_case "port-forward: UDP" forward_udp

usb() {
    kubectl-virt -n "$NS" usbredir --no-launch streams >"$STREAMS/usb" 2>&1 &
    local pid=$! address hello
    until_true 20 "an address" grep -q 'connect usbredir client at' "$STREAMS/usb"
    address=$(grep -o '[0-9.a-z]*:[0-9]*$' "$STREAMS/usb")
    exec 8<>"/dev/tcp/${address%:*}/${address##*:}"
    # usbredirproto: a hello has type 0 (le32), a length, an id, and the version's text.
    hello=$(timeout 10 head -c 40 <&8 | tr -d '\0' | tr -cd '[:print:]')
    exec 8>&-
    kill "$pid" 2>/dev/null || :
    [[ "$hello" == *qemu* || "$hello" == *usb* ]] || fail "not a usbredir hello: $hello"
}
run_case "usbredir reaches QEMU" usb

no_vsock() { api GET "/apis/subresources.kubevirt.io/v1/namespaces/$NS/virtualmachineinstances/streams/vsock?port=1" | has_status 400 BadRequest; }
run_case "vsock of a machine without it: 400" no_vsock

# open_console NAME FLAGS...: a console whose keys are given by file descriptor $KEYS_NAME, its output in $STREAMS/NAME.out.
open_console() {
    local name=$1 fd
    shift
    rm -f "$STREAMS/$name.in" && mkfifo "$STREAMS/$name.in"
    kubectl-virt -n "$NS" console streams --timeout 1 "$@" <"$STREAMS/$name.in" >"$STREAMS/$name.out" 2>"$STREAMS/$name.err" &
    exec {fd}>"$STREAMS/$name.in"
    printf -v "KEYS_$name" %s "$fd"
    until_true 20 "console $name" grep -q 'Successfully connected' "$STREAMS/$name.err"
}
keys() {
    local fd="KEYS_$1"
    printf '%s\r' "$2" >&"${!fd}"
}
sees() { until_true 20 "$1 sees $2" grep -aq "$2" "$STREAMS/$1.out"; }

two_readers() {
    open_console writer --shared
    open_console reader --observe
    keys writer "echo by-writer-\$((40+2))"
    sees writer by-writer-42
    sees reader by-writer-42
    keys reader "echo by-reader-\$((40+2))"
    keys writer "echo second-\$((40+2))"
    sees reader second-42
    ! grep -aq by-reader "$STREAMS/writer.out" || fail "an observer typed"
    grep -q observing "$STREAMS/reader.err" || fail "the observer is not told its part: $(cat "$STREAMS/reader.err")"
}
run_case "console: one writes, another watches and cannot type" two_readers

take_over_console() {
    open_console first --shared
    open_console second --take-over
    keys second "echo by-second-\$((40+2))"
    sees second by-second-42
    sees first by-second-42
    keys first "echo by-first-\$((40+2))"
    keys second "echo end-\$((40+2))"
    sees first end-42
    ! grep -aq by-first "$STREAMS/second.out" || fail "who was taken over still types"
}
run_case "console: take-over; who wrote goes on reading" take_over_console

upstream_console() {
    open_console old
    open_console new
    until_true 20 "the old session ends" grep -q 'taken over' "$STREAMS/old.err" "$STREAMS/old.out"
    keys new "echo still-\$((40+2))"
    sees new still-42
}
run_case "console: a client that asks for nothing takes it over, and the other is told" upstream_console

# As many as --viewers-max lets in, and one more.
one_too_many() {
    local i pids=()
    for ((i = 0; i < 16; i++)); do
        sleep 60 | kubectl-virt -n "$NS" console streams --timeout 1 --observe >/dev/null 2>"$STREAMS/many.$i" &
        pids+=($!)
    done
    until_true 30 "16 readers" all_connected
    api GET "/apis/subresources.kubevirt.io/v1/namespaces/$NS/virtualmachineinstances/streams/console?observe=true" \
        "${UPGRADE[@]}" >"$STREAMS/late" || :
    kill "${pids[@]}" 2>/dev/null || :
    says ' 429' <"$STREAMS/late" || fail "the 17th: $(cat "$STREAMS/late")"
}
all_connected() { [ "$(cat "$STREAMS"/many.* | grep -c 'Successfully connected')" -ge 16 ]; }
UPGRADE=(--http1.1 --max-time 3 -i -H 'Connection: Upgrade' -H 'Upgrade: websocket'
    -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
run_case "console: one viewer too many is refused with 429" one_too_many
