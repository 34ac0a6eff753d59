#!/bin/bash
# What test/goclient does with upstream's client, by kubectl-virt: every stream and subresource that it has a command for.
#   cli-script.sh NAMESPACE [NAME]
# Expects kubectl, kubectl-virt, ssh and gcc in PATH and a kubeconfig.  Creates the machine and deletes it.  A line a step;
# exits 1 at the first that fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NS=$1 name=${2:-cli-script}
# shellcheck source=test/e2e/lib.sh
. "$here/../e2e/lib.sh"
work=$(mktemp -d) number=0
finish() {
    k delete vm "$name" --wait=false --ignore-not-found >/dev/null 2>&1 || :
    rm -rf "$work"
}
trap finish EXIT

end_jobs() {
    local pids
    mapfile -t pids < <(jobs -p)
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || :
}

# step NAME FUNCTION: not as a condition, where bash ignores errexit.  What the step left running ends with it.
step() {
    local began=$SECONDS code
    number=$((number + 1))
    set +e
    (
        set -e
        trap end_jobs EXIT
        "$2"
    ) >"$work/log" 2>&1
    code=$?
    set -e
    if [ "$code" -ne 0 ]; then
        printf 'not ok %d - %s\n' "$number" "$1"
        sed 's/^/    /' "$work/log"
        exit 1
    fi
    printf 'ok %d - %s (%d s)\n' "$number" "$1" $((SECONDS - began))
}

manifest() {
    vm_manifest "$name" Manual | kubectl create --dry-run=client -o json -f - | jq --arg key "$(<"$work/key.pub")" '
        .spec.template.spec.domain.devices.clientPassthrough = {} |
        (.spec.template.spec.volumes[] | select(.cloudInitNoCloud)).cloudInitNoCloud.userData = "#cloud-config
hostname: guest
ssh_authorized_keys:
  - \($key)
runcmd:
  - mkdir -p /www && echo it-works > /www/index.html
  - httpd -p 80 -h /www
  - nc -ll -p 7 -e cat </dev/null >/dev/null 2>&1 &
"'
}

version() { virt version; }
create() {
    ssh-keygen -q -t ed25519 -N '' -f "$work/key"
    manifest | kubectl apply -f -
}
start() {
    virt start "$name"
    until_true 90 "it runs" is_running "$name"
}
console() {
    start_console "$name"
    log_in
    type_keys "echo answer-\$((6*7))"
    expect 20 answer-42
    stop_console
}
screenshot() {
    virt vnc screenshot "$name" -f "$work/screen.png"
    [ "$(head -c 4 "$work/screen.png" | tail -c 3)" = PNG ]
}
# background LOG PATTERN COMMAND...: returns once the log shows the pattern.
background() {
    local log=$1 pattern=$2
    shift 2
    "$@" >"$log" 2>&1 &
    until_true 30 "$*: $pattern" grep -qi "$pattern" "$log"
}
# address LOG: HOST and PORT that it names last.
address() { grep -oE '[0-9a-z.]+:[0-9]+' "$1" | tail -n 1 | tr : ' '; }

screen() {
    local host port greeting
    background "$work/vnc" '"port"' kubectl-virt -n "$NS" vnc "$name" --proxy-only
    host=127.0.0.1 port=$(grep -o '{.*}' "$work/vnc" | jq .port)
    exec 8<>"/dev/tcp/$host/$port"
    read -r -t 10 greeting <&8
    exec 8>&-
    [[ "$greeting" == "RFB 003."* ]]
}
forward_tcp() {
    local answer
    background "$work/forward" forwarding kubectl-virt -n "$NS" port-forward "vmi/$name" 28080:80 28007:7 28081:81
    until_true 30 "the web server" curl -sf -o /dev/null http://127.0.0.1:28080/
    [ "$(curl -s http://127.0.0.1:28080/)" = it-works ]
    ! curl -s --max-time 5 http://127.0.0.1:28081/ || fail "something answers on a closed port"
    exec 8<>/dev/tcp/127.0.0.1/28007
    echo over-tcp >&8
    read -r -t 10 answer <&8
    exec 8>&-
    [ "$answer" = over-tcp ]
    [ "$(curl -s http://127.0.0.1:28080/)" = it-works ] || fail "the tunnel ended with the closed port"
}
forward_stdio() {
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 kubectl-virt -n "$NS" port-forward --stdio "vm/$name" 80 | says it-works
}

options=(-t "-o StrictHostKeyChecking=no" -t "-o UserKnownHostsFile=/dev/null" -t "-o LogLevel=ERROR")
remote() { virt ssh "root@vmi/$name" -i "$work/key" "${options[@]}" -c "$1"; }
secure_shell() { [ "$(remote "echo \$((6*7))")" = 42 ]; }
secure_copy() {
    gcc -O2 -static -s -o "$work/udp-echo" "$here/guest/udp_echo.c"
    virt scp -i "$work/key" "${options[@]}" "$work/udp-echo" "root@vmi/$name:/tmp/udp-echo"
    virt scp -i "$work/key" "${options[@]}" "root@vmi/$name:/tmp/udp-echo" "$work/back"
    cmp "$work/udp-echo" "$work/back"
}
forward_udp() {
    local answer
    remote 'chmod +x /tmp/udp-echo; /tmp/udp-echo 9007 </dev/null >/dev/null 2>&1 &'
    background "$work/udp" forwarding kubectl-virt -n "$NS" port-forward "vmi/$name" udp/29007:9007
    exec 8<>/dev/udp/127.0.0.1/29007
    printf over-udp >&8
    read -r -t 10 -N 8 answer <&8
    exec 8>&-
    [ "$answer" = over-udp ]
}
usb() {
    local host port
    background "$work/usb" 'usbredir client at' kubectl-virt -n "$NS" usbredir --no-launch "$name"
    read -r host port < <(address "$work/usb")
    exec 8<>"/dev/tcp/$host/$port"
    # A hello: its type, its length and an id are four bytes each, then who speaks.
    timeout 10 head -c 40 <&8 | tail -c 28 | tr -d '\0' | says -a -i qemu
    exec 8>&-
}

pause() {
    virt pause vmi "$name"
    until_true 20 "it is paused" has_condition vmi "$name" Paused
}
unpause() {
    virt unpause vmi "$name"
    until_true 20 "it goes on" is_unpaused
}
is_unpaused() { [ -z "$(condition vmi "$name" Paused)" ]; }
agent_answers() { virt "$1" "$name" | jq -e . >/dev/null; }
guest() {
    local command
    for command in guestosinfo userlist fslist; do until_true 60 "$command" agent_answers "$command"; done
}
# boots COMMAND: the prompt of another boot shows on the console.
boots() {
    start_console "$name"
    expect 30 '(login:|# )' ''
    : >"$CONSOLE_LOG"
    virt "$1" "$name"
    expect 90 'login:'
    stop_console
}
soft_reboot() { boots soft-reboot; }
reset() { boots reset; }
expand() { virt expand --vm "$name" -o json | jq -e '.kind == "VirtualMachine"'; }
restart() {
    local before
    before=$(field vmi "$name" .metadata.uid)
    virt restart "$name"
    until_true 90 "another instance" is_another "$before"
}
is_another() { is_running "$name" && [ "$(field vmi "$name" .metadata.uid)" != "$1" ]; }
stop() {
    virt stop "$name"
    until_true 90 "it is gone" is_absent vmi "$name"
}
refused() {
    local text
    ! text=$(virt console "$name" --timeout 1 2>&1 </dev/null) || fail "a console of a machine that is stopped"
    grep -qi "not found\|not running" <<<"$text" || fail "unclear: $text"
}

step "version" version
step "a machine" create
step "start" start
step "console: log in, a command, its output" console
step "vnc screenshot" screenshot
step "vnc --proxy-only: RFB" screen
step "port-forward: TCP, several ports, a closed one" forward_tcp
step "port-forward --stdio of the VM" forward_stdio
step "ssh" secure_shell
step "scp there and back" secure_copy
step "port-forward: UDP" forward_udp
step "usbredir --no-launch: QEMU's hello" usb
step "pause" pause
step "unpause" unpause
step "guestosinfo, userlist, fslist" guest
step "soft-reboot" soft_reboot
step "reset" reset
step "expand" expand
step "restart" restart
step "stop" stop
step "console of a stopped machine is refused in words" refused
printf '%d passed, 0 failed\n' "$number"
