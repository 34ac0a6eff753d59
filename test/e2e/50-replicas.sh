# shellcheck shell=bash
# A replica set, scaled 1 - 3 - 0 through its scale subresource.

set_manifest() {
    cat <<Y
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceReplicaSet
metadata: {name: web, namespace: $NS}
spec:
  replicas: 1
  selector: {matchLabels: {set: web}}
  template:
    metadata: {labels: {set: web}}
    spec:
$(vmi_spec | sed 's/^/      /')
Y
}
ready_is() { [ "$(field vmirs web .status.readyReplicas)" = "$1" ]; }
count_is() { [ "$(k get vmi -l set=web -o name | wc -l)" = "$1" ]; }

# Zero is left out of status, as upstream's types do.
has_none() { [ "$(field vmirs web .status.replicas)" = "" ] || is vmirs web .status.replicas 0; }

scaled() {
    set_manifest | kubectl apply -f -
    until_true 90 "1 ready" ready_is 1
    k scale vmirs web --replicas=3
    until_true 150 "3 ready" ready_is 3
    count_is 3
    k scale vmirs web --replicas=0
    until_true 120 "none left" count_is 0
    until_true 20 "status 0" has_none
    k delete vmirs web --timeout=60s
}
run_case "a replica set scales 1 - 3 - 0" scaled

preset() {
    kubectl -n "$NS" apply -f - <<Y
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstancePreset
metadata: {name: two, namespace: $NS}
spec:
  selector: {matchLabels: {size: two}}
  domain: {cpu: {cores: 2}, devices: {}}
Y
    sleep 1
    vmi_manifest presetted | sed 's/e2e: "presetted"/size: two/' | kubectl apply -f -
    [ "$(field vmi presetted .spec.domain.cpu.cores)" = 2 ] || fail "cores: $(field vmi presetted .spec.domain.cpu.cores)"
    k get vmi presetted -o yaml | grep -q 'virtualmachinepreset.kubevirt.io/two: kubevirt.io/v1'
    k delete vmi presetted --timeout=60s
    k delete vmipreset two
}
run_case "a preset gives its CPU to an instance that its selector matches" preset
