# shellcheck shell=bash
# What an aggregated API server owes Kubernetes.

S=/apis/subresources.kubevirt.io

available() {
    until_true 30 "APIService Available" is_available_api v1
    until_true 30 "APIService Available" is_available_api v1alpha3
}
is_available_api() {
    [ "$(kubectl get apiservice "$1.subresources.kubevirt.io" -o \
        'jsonpath={.status.conditions[?(@.type=="Available")].status}')" = True ]
}
run_case "both APIServices are Available" available

legacy_discovery() {
    api GET "$S/v1" | sed '$d' | jq -e '.kind == "APIResourceList" and .apiVersion == "v1" and
        ([.resources[] | select(.name == "virtualmachineinstances/console" and .verbs == ["get"])] | length == 1) and
        all(.resources[]; .verbs | length > 0)'
    api GET "$S" | sed '$d' | jq -e '.kind == "APIGroup" and .name == "subresources.kubevirt.io" and
        .preferredVersion.version == "v1"'
    kubectl api-resources --api-group=kubevirt.io | says '^virtualmachines .*vm,vms'
}
run_case "legacy discovery lists every subresource with its verbs" legacy_discovery

aggregated_discovery() {
    local type='application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    api GET /apis -H "Accept: $type" | sed '$d' | jq -e '[.items[] |
        select(.metadata.name == "subresources.kubevirt.io") | .versions[] | select(.freshness == "Current") |
        .resources[].subresources[]?.subresource] | index("console")'
    direct /apis -H "Accept: $type" -D - | says -i '^content-type: application/json;g=apidiscovery.k8s.io;v=v2'
    direct /apis -H "Accept: application/json" | sed '$d' | jq -e '.kind == "APIGroupList"'
}
run_case "aggregated discovery (v2) is fresh, and falls back to the legacy form" aggregated_discovery

openapi() {
    local path etag
    for path in /openapi/v2 /openapi/v3 "/openapi/v3$S/v1" "/openapi/v3$S/v1alpha3"; do
        etag=$(direct "$path" -o /dev/null -D - | tr -d '\r' | awk -F': ' 'tolower($1) == "etag" { print $2 }')
        [ -n "$etag" ] || fail "$path has no ETag"
        [ "$(direct "$path" -H "If-None-Match: $etag" | code)" = 304 ] || fail "$path: no 304"
    done
    until_true 240 "kube-apiserver serves our OpenAPI v3" is_merged_v3
    until_true 240 "kube-apiserver serves our OpenAPI v2" is_merged_v2
}
# When virt-api was away, kube-apiserver asks for its documents again after one minute, two, four.
is_merged_v3() { api GET "/openapi/v3$S/v1" | sed '$d' | jq -e '.openapi == "3.0.0" and (.paths | length > 10)'; }
is_merged_v2() { api GET /openapi/v2 | sed '$d' | jq -e '.paths | keys | any(test("virtualmachines/{name}/start"))'; }
run_case "OpenAPI v2 and v3 with ETag and 304, merged by kube-apiserver" openapi

open_paths() {
    local path
    for path in / /apis /healthz /livez /readyz /version "$S/v1/version" "$S/v1/healthz" /metrics; do
        [ "$(direct "$path" | code)" = 200 ] || fail "$path: $(direct "$path")"
    done
}
run_case "discovery, health, version and metrics need no credentials" open_paths

namespaces_go() {
    kubectl create namespace cvirt-e2e-short >/dev/null
    kubectl delete namespace cvirt-e2e-short --wait=true --timeout=20s
}
run_case "a namespace made and deleted is gone within seconds" namespaces_go

columns() {
    vm_manifest columns Halted | kubectl apply -f -
    k get vm columns | says -E '^NAME +AGE +STATUS +READY'
    k get vmi | says -E '^NAME +AGE +PHASE +IP +NODENAME +READY' || k get vmi 2>&1 | says 'No resources'
    until_true 20 "status Stopped" is vm columns .status.printableStatus Stopped
    k delete vm columns --wait=true --timeout=20s
}
run_case "kubectl get vm shows upstream's columns" columns

explain() {
    kubectl explain vmi.spec.domain.cpu.cores | says 'Cores in each socket\.'
    kubectl explain vm.spec.template.spec.domain.rebootPolicy | says -E 'Reboot|Terminate'
    kubectl explain kubevirt.spec.configuration.cpuModel | says 'Processor model when a user asks for none'
    kubectl explain virtualmachineclusterpreferences.spec.cpu.preferredCPUTopology | says 'preferredCPUTopology'
}
run_case "kubectl explain knows the fields, in our words" explain

crds_are_clean() {
    local said
    said=$(kubectl apply --dry-run=server -f "$repository/deploy/crds/" 2>&1)
    ! says -i 'warning' <<<"$said" || fail "$said"
    kubectl get crd -o json | jq -e '[.items[] | select(.spec.group | endswith("kubevirt.io"))] | length >= 10 and
        all(.[]; ([.status.conditions[] | select(.type == "NonStructuralSchema" and .status == "True")] | length == 0) and
            ([.status.conditions[] | select(.type == "Established" and .status == "True")] | length == 1))'
}
run_case "the CRDs are structural and taken without a warning" crds_are_clean

# applied MANAGER CLAIM: its share of one list of a VM.
applied() {
    vm_manifest merged Halted | kubectl create --dry-run=client -o json -f - | jq --arg claim "$2" \
        '.spec.template.spec.resourceClaims = [{name: $claim, resourceClaimName: $claim}]' |
        kubectl apply --server-side --field-manager="$1" -f -
}
merged_by_key() {
    applied one first
    applied two second
    [ "$(field vm merged '.spec.template.spec.resourceClaims[*].name')" = "first second" ] ||
        fail "got: $(field vm merged .spec.template.spec.resourceClaims)"
    k delete vm merged
}
run_case "server-side apply merges what two managers say by the list's key" merged_by_key
