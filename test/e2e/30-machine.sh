# shellcheck shell=bash
# One machine's life, as its user sees it.

to_prompt() {
    kubectl -n "$NS" apply -f "$repository/deploy/examples/vm.yaml"
    until_true 90 "running" is_running demo
    start_console demo
    log_in
    stop_console
}
run_case "kubectl apply to a login at the prompt" to_prompt

typed() {
    start_console demo
    type_keys ''
    expect 20 '(login:|~ # )' ''
    grep -aq 'login:' "$CONSOLE_LOG" && { type_keys root; sleep 1; type_keys cvirt; sleep 1; }
    type_keys 'echo $((6 * 7))-$(hostname)'
    expect 10 '42-demo'
    stop_console
}
run_case "the console types into the guest and reads from it; cloud-init gave the host name" typed

network() {
    start_console demo
    type_keys 'ip -4 addr show eth0; ip route; wget -q -T 5 -O - http://192.168.77.1:1/ 2>&1 | head -1; echo done-$((1+1))'
    expect 20 'done-2'
    grep -aqE 'inet 10\.0\.2\.2/24' "$CONSOLE_LOG" || fail "no address by DHCP"
    grep -aqE 'default via 10\.0\.2\.1' "$CONSOLE_LOG" || fail "no default route"
    stop_console
    local ip
    ip=$(field vmi demo '.status.interfaces[0].ipAddress')
    [ "$ip" = "$(k get pods -l "vm.kubevirt.io/name=demo" -o 'jsonpath={.items[0].status.podIP}')" ] ||
        fail "status.interfaces says $ip"
}
run_case "the guest has its address by DHCP behind masquerade; status names the pod's" network

screen() {
    virt vnc screenshot demo -f "$STATE/screen.png"
    [ "$(head -c 8 "$STATE/screen.png" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || fail "not a PNG"
    # A blank 720x400 picture is about 1 KiB of PNG; text makes it larger.
    [ "$(stat -c %s "$STATE/screen.png")" -gt 2000 ] || fail "the screen is blank"
}
run_case "a screenshot is a PNG that is not blank" screen

vnc_handshake() {
    local port banner
    coproc VNC { exec kubectl-virt -n "$NS" vnc demo --proxy-only; }
    read -r -t 20 port <&"${VNC[0]}"
    port=$(jq .port <<<"$port")
    exec 7<>"/dev/tcp/127.0.0.1/$port"
    read -r -t 10 banner <&7
    [[ "$banner" == "RFB 003."* ]] || fail "banner: $banner"
    exec 7>&-
    kill "$VNC_PID" 2>/dev/null || :
}
run_case "VNC through the proxy greets as RFB" vnc_handshake

pausing() {
    virt pause vm demo | says 'VMI demo was scheduled to pause'
    until_true 20 "Paused" has_condition vmi demo Paused
    until_true 20 "printable status" is vm demo .status.printableStatus Paused
    ! virt pause vmi demo 2>"$STATE/err" || fail "paused twice"
    grep -q 'already paused' "$STATE/err" || fail "$(cat "$STATE/err")"
    virt unpause vmi demo
    until_true 20 "not Paused" is_not_paused demo
}
is_not_paused() { [ "$(condition vmi "$1" Paused)" != True ]; }
run_case "pause and unpause" pausing

agent() {
    until_true 60 "AgentConnected" has_condition vmi demo AgentConnected
    virt guestosinfo demo | jq -e '.guestAgentVersion and .os'
}
run_case "the guest agent is connected and answers" agent

# Its machine wants to be moved rather than ended: the eviction is refused and the instance marked.
evicting() {
    local pod
    vmi_manifest keep | sed 's/^spec:/&\n  evictionStrategy: LiveMigrate/' | kubectl apply -f -
    until_true 90 "running" is_running keep
    pod=$(k get pods -l vm.kubevirt.io/name=keep -o 'jsonpath={.items[0].metadata.name}')
    ! evict "$pod" 2>"$STATE/err" || fail "evicted"
    grep -q TooManyRequests "$STATE/err" || fail "$(cat "$STATE/err")"
    is vmi keep .status.evacuationNodeName cvirt-node || fail "not marked"
    [ -z "$(k get pod "$pod" -o 'jsonpath={.metadata.deletionTimestamp}')" ] || fail "its pod is being deleted"
    k delete vmi keep --timeout=60s
}
evict() {
    printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"%s","namespace":"%s"}}' "$1" "$NS" |
        kubectl create --raw "/api/v1/namespaces/$NS/pods/$1/eviction" -f -
}
run_case "a machine that is to be moved is not evicted" evicting

soft_reboot() {
    start_console demo
    expect 20 '(login:|~ # )' ''
    virt soft-reboot demo
    : >"$CONSOLE_LOG"
    expect 60 'login:'
    stop_console
    is_running demo
}
run_case "soft-reboot boots the guest again in the same instance" soft_reboot

restarting() {
    local uid
    uid=$(field vmi demo .metadata.uid)
    virt restart demo | says 'VM demo was scheduled to restart'
    until_true 90 "a new running instance" is_other_running demo "$uid"
}
is_other_running() { is_running "$1" && [ "$(field vmi "$1" .metadata.uid)" != "$2" ]; }
run_case "restart makes a new instance" restarting

stopping() {
    start_console demo
    expect 60 'login:' ''
    virt stop demo | says 'VM demo was scheduled to stop'
    expect 30 '(Power down|reboot: Power|shutting down|System halted|The system is going down)'
    stop_console
    until_true 40 "the instance is gone" is_absent vmi demo
    until_true 20 "Stopped" is vm demo .status.printableStatus Stopped
}
run_case "stop lets the guest shut down by itself" stopping

deleting() {
    k delete vm demo --wait=true --timeout=60s
    until_true 30 "no pod is left" no_pods demo
}
no_pods() { [ -z "$(k get pods -l "vm.kubevirt.io/name=$1" -o name)" ]; }
run_case "delete leaves nothing behind" deleting
