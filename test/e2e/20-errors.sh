# shellcheck shell=bash
# Each way a request can be wrong gets its status code and a message that says what to do.

S=/apis/subresources.kubevirt.io/v1
R=$S/namespaces/$NS

make_halted() {
    vm_manifest halted Halted | kubectl apply -f - >/dev/null
}

malformed_body() { make_halted; api PUT "$R/virtualmachines/halted/start" -H 'Content-Type: application/json' -d '{"paused":' | has_status 400 BadRequest; }
run_case "a malformed body: 400" malformed_body

unknown_field() { make_halted; api PUT "$R/virtualmachines/halted/start" -H 'Content-Type: application/json' -d '{"pausd":true}' | has_status 400 BadRequest; }
run_case "an unknown field of the options: 400" unknown_field

wrong_type() { make_halted; api PUT "$R/virtualmachines/halted/start" -H 'Content-Type: application/json' -d '{"paused":"yes"}' | has_status 400 BadRequest; }
run_case "a wrong type in the options: 400" wrong_type

large_body() {
    head -c 4194304 /dev/zero | tr '\0' ' ' >"$STATE/large"
    direct /virtualmachines-validate -X POST -H 'Content-Type: application/json' -H 'Expect:' --data-binary @"$STATE/large" |
        has_status 413 RequestEntityTooLarge
    rm -f "$STATE/large"
}
run_case "a body of 4 MiB: 413" large_body

wrong_content_type() { direct /virtualmachines-validate -X POST -H 'Content-Type: text/plain' -d '{}' | has_status 415 UnsupportedMediaType; }
run_case "a webhook with a wrong content type: 415" wrong_content_type

malformed_review() { direct /virtualmachines-validate -X POST -H 'Content-Type: application/json' -d '{"kind":' | has_status 400 BadRequest; }
run_case "a malformed review: 400" malformed_review

no_certificate() { direct "$R/virtualmachines/halted/start" -X PUT -H 'X-Remote-User: admin' -H 'X-Remote-Group: system:masters' | has_status 401 Unauthorized; }
run_case "headers of the front proxy without its certificate: 401" no_certificate

# A certificate of the front proxy's own CA, but with another name.
wrong_name() {
    local d
    d=$(mktemp -d)
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$d/key" -out "$d/csr" -subj /CN=somebody 2>/dev/null
    openssl x509 -req -in "$d/csr" -CA "$PKI/front-proxy-ca.crt" -CAkey "$PKI/front-proxy-ca.key" -set_serial 77 -days 1 -out "$d/crt" \
        -extfile <(echo extendedKeyUsage=clientAuth) 2>/dev/null
    direct "$R/virtualmachines/halted/start" -X PUT --cert "$d/crt" --key "$d/key" -H 'X-Remote-User: admin' \
        -H 'X-Remote-Group: system:masters' | has_status 401 Unauthorized
    rm -rf "$d"
}
run_case "a front-proxy certificate with a name that is not allowed: 401" wrong_name

denied_user() {
    make_halted
    api PUT "$R/virtualmachines/halted/start" -H 'Impersonate-User: nobody' -H 'Impersonate-Group: system:authenticated' |
        has_status 403 Forbidden
}
run_case "a user without the right: 403" denied_user

granted_user() {
    make_halted
    kubectl apply -f - <<Y
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: starter, namespace: $NS}
rules:
- {apiGroups: [subresources.kubevirt.io], resources: [virtualmachines/start], verbs: [update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: starter, namespace: $NS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: starter}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: starter}]
Y
    until_true 20 "the right is seen" starter_may
}
starter_may() {
    [ "$(api PUT "$R/virtualmachines/halted/start" -H 'Impersonate-User: starter' \
        -H 'Content-Type: application/json' -d '{"dryRun":["All"]}' | code)" = 202 ]
}
run_case "a user with just that right: 202" granted_user

unknown_vm() { api PUT "$R/virtualmachines/nobody/start" | has_status 404 NotFound; }
run_case "an unknown VM: 404" unknown_vm

not_running() { make_halted; api PUT "$R/virtualmachines/halted/restart" | has_status 409 Conflict; }
run_case "a VM that does not run: 409" not_running

no_console() { make_halted; api GET "$R/virtualmachineinstances/halted/console" | has_status 404 NotFound; }
run_case "the console of an instance that is not there: 404" no_console

wrong_method() { make_halted; api POST "$R/virtualmachines/halted/start" | has_status 405 MethodNotAllowed; }
run_case "a method that is not served: 405" wrong_method

unknown_path() { api GET "$R/virtualmachines/halted/nothing" | has_status 404 NotFound; }
run_case "an unknown subresource: 404" unknown_path

refused_spec() {
    vm_manifest wrong Sometimes >"$STATE/wrong.yaml"
    ! kubectl apply -f "$STATE/wrong.yaml" 2>"$STATE/wrong.err" || fail "it was accepted"
    grep -q 'spec.runStrategy' "$STATE/wrong.err" || fail "$(cat "$STATE/wrong.err")"
}
run_case "a run strategy that does not exist is refused by its field" refused_spec

all_faults() {
    vmi_manifest wrong | sed 's/masquerade: {}/masquerade: {}, model: nonsense/; s/guest: 128Mi/guest: 128Mi, hugepages: {pageSize: 3Qi}/' >"$STATE/wrong.yaml"
    ! kubectl apply -f "$STATE/wrong.yaml" 2>"$STATE/wrong.err" || fail "it was accepted"
    grep -q 'model' "$STATE/wrong.err" && grep -q 'hugepages' "$STATE/wrong.err" || fail "$(cat "$STATE/wrong.err")"
}
run_case "two faults are told in one answer" all_faults

# A field that is stored although nothing acts on it: who sets it is told, who does not is not.
asked_with() { vmi_manifest inert | sed "s/masquerade: {}/masquerade: {}$1/" | kubectl apply --dry-run=server -f - 2>&1; }
inert_field() {
    local said
    said=$(asked_with ', tag: blue')
    [[ "$said" == *'Warning: spec.domain.devices.interfaces[0].tag: accepted and stored, but cvirt does not act on it yet'* ]] || fail "$said"
    said=$(asked_with '')
    [[ "$said" != *'does not act on it'* ]] || fail "$said"
}
run_case "a field that nothing acts on yet is warned of by its path" inert_field

# The configuration of a new object is not judged by the webhook, as upstream's is not, so a bad one can come in.
kubevirt_says() { kubectl -n kubevirt get kubevirt kubevirt -o "jsonpath={.status.conditions[?(@.type==\"Degraded\")].$1}"; }
degraded_is() { [ "$(kubevirt_says status)" = "$1" ]; }
kubevirt_events() { kubectl -n kubevirt get events --field-selector involvedObject.kind=KubeVirt,reason=InvalidConfiguration -o jsonpath='{.items[*].message}'; }
has_kubevirt_event() { [[ "$(kubevirt_events)" == *"$1"* ]]; }

# The one that is there makes way for a bad one, with all else it says, and comes back in the end.
put_back() {
    kubectl -n kubevirt delete kubevirt kubevirt --ignore-not-found
    kubectl create -f "$STATE/kubevirt.json"
}
bad_configuration() {
    local field=spec.configuration.additionalGuestMemoryOverheadRatio
    kubectl -n kubevirt get kubevirt kubevirt -o json |
        jq '{apiVersion, kind, metadata: {name: .metadata.name, namespace: .metadata.namespace}, spec}' >"$STATE/kubevirt.json"
    trap put_back EXIT
    kubectl -n kubevirt delete kubevirt kubevirt
    jq '.spec.configuration.additionalGuestMemoryOverheadRatio = "much"' "$STATE/kubevirt.json" | kubectl create -f -
    until_true 20 "its status says that it cannot be used" degraded_is True
    [[ "$(kubevirt_says message)" == "$field: "*"last good configuration" ]] || fail "$(kubevirt_says message)"
    until_true 20 "an event says so" has_kubevirt_event "$field: "
    ! kubectl -n kubevirt patch kubevirt kubevirt --type=merge -p '{"spec":{"configuration":{"additionalGuestMemoryOverheadRatio":"more"}}}' ||
        fail "a change to another bad one is accepted"
    kubectl -n kubevirt patch kubevirt kubevirt --type=merge -p '{"spec":{"configuration":{"additionalGuestMemoryOverheadRatio":"1.5"}}}'
    until_true 20 "its status says that it is good again" degraded_is False
    [ "$(kubectl -n kubevirt get kubevirt kubevirt -o 'jsonpath={.status.phase} {.status.observedGeneration}')" = "Deployed 2" ] ||
        fail "$(kubectl -n kubevirt get kubevirt kubevirt -o yaml)"
    put_back
    trap - EXIT
    until_true 60 "the node takes machines again" has_schedulable_node
}
has_schedulable_node() { [ -n "$(kubectl get nodes -l kubevirt.io/schedulable=true -o name)" ]; }
run_case "a configuration that cannot be used is told by the KubeVirt object and an event, until it is good" bad_configuration
