# shellcheck shell=bash
# What every end-to-end file needs: cases with a name, waiting with a deadline,
# a console that can be typed into.  Sourced by run.sh; each case runs in a subshell.

NS=${NS:-cvirt-e2e-$$}
passed=0 failed=0 retried=0
failures=()

say() { printf '# %s\n' "$*"; }

# fail TEXT: end the case.
fail() {
    printf '    %s\n' "$*" >&2
    exit 1
}

# run_case NAME FUNCTION: one line, and the case's output only when it failed.  A case on real machines may be tried
# again (E2E_TRIES, 2): what its first try said is shown, and the end counts such cases.
run_case() {
    local name=$1 start=$SECONDS log try
    [ -z "${ONLY:-}" ] || [[ "$name" =~ $ONLY ]] || return 0
    log=$(mktemp)
    for ((try = 1; try <= ${E2E_TRIES:-2}; try++)); do
        # Not as the condition of an if: bash ignores errexit there.
        (
            set -euo pipefail
            # What a case leaves running would be in the way of the next one.
            trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
            "$2"
        ) >"$log" 2>&1
        # shellcheck disable=SC2181
        if [ $? -eq 0 ]; then
            passed=$((passed + 1))
            [ "$try" -eq 1 ] || retried=$((retried + 1))
            printf 'ok      %s (%d s%s)\n' "$name" $((SECONDS - start)) "$([ "$try" -eq 1 ] || echo ", try $try")"
            rm -f "$log"
            return 0
        fi
        printf 'try %d   %s\n' "$try" "$name"
        sed 's/^/        /' "$log" | tail -40
    done
    failed=$((failed + 1))
    failures+=("$name")
    printf 'FAILED  %s (%d s)\n' "$name" $((SECONDS - start))
    rm -f "$log"
}

# until_true SECONDS WHAT COMMAND...
until_true() {
    local limit=$1 what=$2 start=$SECONDS
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $((SECONDS - start)) -lt "$limit" ] || fail "not within $limit s: $what"
        sleep 0.2
    done
}

# COMMAND | says [OPTIONS OF GREP] PATTERN: reads to the end, while grep -q leaves a writer without its reader, which
# fails the pipe now and then.
says() {
    local text
    text=$(cat)
    grep -q "$@" <<<"$text"
}

k() { kubectl -n "$NS" "$@"; }
virt() { kubectl-virt -n "$NS" "$@"; }

# field KIND NAME JSONPATH
field() { k get "$1" "$2" -o "jsonpath={$3}" 2>/dev/null; }
condition() { k get "$1" "$2" -o "jsonpath={.status.conditions[?(@.type==\"$3\")].status}" 2>/dev/null; }

# is KIND NAME JSONPATH VALUE
is() { [ "$(field "$1" "$2" "$3")" = "$4" ]; }
is_running() { is vmi "$1" .status.phase Running; }
is_absent() {
    local found
    found=$(k get "$1" "$2" --ignore-not-found -o name) && [ -z "$found" ]
}
has_condition() { [ "$(condition "$1" "$2" "$3")" = "${4:-True}" ]; }

# vm_manifest NAME STRATEGY: a small machine that boots the guest's kernel directly.
vm_manifest() {
    cat <<Y
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: $1, namespace: $NS}
spec:
  runStrategy: $2
  template:
    metadata: {labels: {e2e: "$1"}}
    spec:
$(vmi_spec | sed 's/^/      /')
Y
}

vmi_manifest() {
    cat <<Y
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: $1, namespace: $NS, labels: {e2e: "$1"}}
spec:
$(vmi_spec | sed 's/^/  /')
Y
}

vmi_spec() {
    cat <<'Y'
terminationGracePeriodSeconds: 30
domain:
  memory: {guest: 128Mi}
  firmware:
    kernelBoot:
      kernelArgs: console=tty0 console=ttyS0
      container:
        image: localhost/cvirt/guest-kernel:devel
        imagePullPolicy: IfNotPresent
        kernelPath: /boot/vmlinuz
        initrdPath: /boot/initrd
  devices:
    disks: [{name: cloudinit, disk: {bus: virtio}}]
    interfaces: [{name: default, masquerade: {}}]
    rng: {}
networks: [{name: default, pod: {}}]
volumes:
- name: cloudinit
  cloudInitNoCloud:
    userData: |
      #cloud-config
      hostname: guest
Y
}

# start_console NAME: a console in the background; its output grows in $CONSOLE_LOG.
start_console() {
    CONSOLE_LOG=$(mktemp)
    coproc CONSOLE { exec kubectl-virt -n "$NS" console "$1" --timeout 1 >>"$CONSOLE_LOG" 2>&1; }
}
type_keys() {
    [ -n "${CONSOLE[1]:-}" ] || fail "the console has ended: $(tail -c 500 "$CONSOLE_LOG")"
    printf '%s\r' "$1" >&"${CONSOLE[1]}"
}
# A console that has ended by itself has no descriptors any more.
stop_console() {
    [ -z "${CONSOLE[1]:-}" ] || { printf '\035' >&"${CONSOLE[1]}"; } 2>/dev/null || :
    [ -z "${CONSOLE_PID:-}" ] || wait "$CONSOLE_PID" 2>/dev/null || :
}

# expect SECONDS PATTERN [KEYS]: wait for the pattern, typing KEYS at once and every 5 s.  Not more often: QEMU 7.2's UART
# holds 16 bytes, and one that was full when the guest's driver reset it takes no more input.
expect() {
    local start=$SECONDS next=0
    until grep -aqE "$2" "$CONSOLE_LOG"; do
        [ $((SECONDS - start)) -lt "$1" ] || {
            tail -c 2000 "$CONSOLE_LOG" >&2
            fail "the console did not show /$2/ within $1 s"
        }
        if [ $# -ge 3 ] && [ $((SECONDS - start)) -ge "$next" ]; then
            type_keys "$3"
            next=$((next + 5))
        fi
        sleep 0.2
    done
}

# shows SECONDS PATTERN: does the console show it in time?
shows() {
    local start=$SECONDS
    until grep -aqE "$2" "$CONSOLE_LOG"; do
        [ $((SECONDS - start)) -lt "$1" ] || return 1
        sleep 0.2
    done
}

# A guest that boots may take a key of ours for a name or a password; it asks again then.
log_in() {
    local try
    expect 60 'login:' ''
    for try in 1 2 3 4; do
        : >"$CONSOLE_LOG"
        type_keys root
        if shows 5 'assword:'; then
            type_keys cvirt
            ! shows 10 '~ # ' || return 0
        fi
        # An empty password is refused, and the name is asked for again.
        : >"$CONSOLE_LOG"
        type_keys ''
        shows 15 'login:' || :
    done
    tail -c 2000 "$CONSOLE_LOG" >&2
    fail "no shell after $try tries"
}

apiserver_url() { kubectl config view --minify -o 'jsonpath={.clusters[0].cluster.server}'; }

# api METHOD PATH [curl arguments]: as the administrator; body to stdout, then the status on a line of its own.
api() {
    local method=$1 path=$2
    shift 2
    curl -s --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" -X "$method" \
        -w '\n%{http_code}\n' "$@" "$(apiserver_url)$path"
}

# direct PATH [curl arguments]: to a virt-api pod itself, without kube-apiserver.
direct() {
    local path=$1
    shift
    curl -sk --connect-timeout 10 -w '\n%{http_code}\n' "$@" "https://$(api_pod_ip):8443$path"
}
# Of those that are ready: the pod of an earlier rollout may still run, and is about to go.
ready_api_addresses() {
    kubectl -n kubevirt get endpointslices -l kubernetes.io/service-name=virt-api -o json |
        jq -r '.items[].endpoints[]? | select(.conditions.ready) | .addresses[0]'
}
api_pod_ip() { ready_api_addresses | sed -n 1p; }

code() { tail -n 1; }

# has_status CODE REASON: the answer on stdin is a metav1.Status like that.
has_status() {
    local answer
    answer=$(cat)
    [ "$(tail -n 1 <<<"$answer")" = "$1" ] || fail "wanted $1, got: $answer"
    sed '$d' <<<"$answer" | jq -e --arg reason "$2" \
        '.kind == "Status" and .apiVersion == "v1" and .reason == $reason and (.message | length > 0)' >/dev/null ||
        fail "wanted a Status with reason $2, got: $answer"
}
