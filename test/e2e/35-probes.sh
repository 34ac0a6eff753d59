# shellcheck shell=bash
# Probes of the guest: the kubelet runs virt-probe in the launcher's container, which asks the guest's agent.

# probed NAME KIND PROBE: an instance with a probe; PROBE is YAML's flow style.
probed() { vmi_manifest "$1" | sed "s|^spec:|&\n  $2: $3|" | kubectl apply -f -; }
pod_of() { k get pods -l "vm.kubevirt.io/name=$1" -o 'jsonpath={.items[0].metadata.name}'; }

# unhealthy NAME PATTERN: did a probe of its pod fail with such words?
unhealthy() {
    k get events --field-selector "reason=Unhealthy,involvedObject.name=$(pod_of "$1")" \
        -o 'jsonpath={range .items[*]}{.message}{"\n"}{end}' | says "$2"
}
is_ready() { has_condition vmi "$1" Ready; }
drop() { k delete vmi "$1" --ignore-not-found --timeout=90s; }

ready_by_ping() {
    drop p-ping
    probed p-ping readinessProbe '{guestAgentPing: {}, periodSeconds: 2, timeoutSeconds: 5}'
    until_true 90 "running" is_running p-ping
    ! is_ready p-ping || fail "ready before its agent can have answered"
    until_true 120 "ready" is_ready p-ping
    has_condition vmi p-ping AgentConnected || fail "ready without an agent"
    drop p-ping
}
run_case "a guest whose agent answers becomes ready" ready_by_ping

ready_by_command() {
    drop p-cat
    probed p-cat readinessProbe '{exec: {command: [cat, /etc/hostname]}, periodSeconds: 2, timeoutSeconds: 5}'
    until_true 120 "ready" is_ready p-cat
    # The program itself, as the kubelet runs it: output and exit code are the guest command's.
    k exec "$(pod_of p-cat)" -c compute -- virt-probe --domainName "${NS}_p-cat" --timeoutSeconds 5 \
        --command cat -- /etc/hostname | says '[a-z]' || fail "no output"
    local code=0
    k exec "$(pod_of p-cat)" -c compute -- virt-probe --domainName "${NS}_p-cat" --timeoutSeconds 5 \
        --command sh -- -c 'exit 7' || code=$?
    [ "$code" = 7 ] || fail "exit code $code"
    drop p-cat
}
run_case "a guest in which a command succeeds becomes ready" ready_by_command

unready_by_command() {
    drop p-bad
    probed p-bad readinessProbe \
        '{exec: {command: [sh, -c, "echo not-today; exit 3"]}, periodSeconds: 2, timeoutSeconds: 5}'
    until_true 120 "the agent is connected" has_condition vmi p-bad AgentConnected
    until_true 60 "the command's words in an event" unhealthy p-bad 'not-today'
    ! is_ready p-bad || fail "ready, although its command fails"
    is_running p-bad || fail "a guest that is not ready must go on"
    drop p-bad
}
run_case "a guest in which the command fails runs, and is not ready" unready_by_command

# Liveness after the first half minute, in which the guest boots.
paused_lives() {
    drop p-live
    probed p-live livenessProbe \
        '{guestAgentPing: {}, initialDelaySeconds: 30, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 3}'
    until_true 120 "the agent is connected" has_condition vmi p-live AgentConnected
    sleep 40
    is_running p-live || fail "ended, although its agent answers"
    virt pause vmi p-live
    until_true 20 "Paused" has_condition vmi p-live Paused
    sleep 15
    is_running p-live || fail "ended because its user paused it"
    virt unpause vmi p-live
    sleep 10
    is_running p-live || fail "ended after unpause"
    drop p-live
}
run_case "a liveness ping leaves a healthy guest alone, also while it is paused" paused_lives
