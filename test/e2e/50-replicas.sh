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

# preset_manifest NAME CORES: for instances with the label size=two.
preset_manifest() {
    cat <<Y
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstancePreset
metadata: {name: $1, namespace: $NS}
spec:
  selector: {matchLabels: {size: two}}
  domain: {cpu: {cores: $2}, resources: {requests: {memory: 192Mi}}, devices: {}}
Y
}
# An instance for them, which says nothing of its memory.
presetted_manifest() { vmi_manifest presetted | sed 's/e2e: "presetted"/size: two/; /memory: {guest/d'; }

# The spec that the instance on stdin would be stored with.
once_created() { kubectl create --dry-run=server -o json -f - | jq -S '.spec | del(.domain.firmware.uuid)'; }
gives_cores() { [ "$(presetted_manifest | once_created | jq .domain.cpu.cores)" = "$1" ]; }
said_of_created() { presetted_manifest | kubectl create --dry-run=server -f - 2>&1 || :; }
is_in_conflict() { [[ "$(said_of_created)" == *spec.domain.cpu*'"four" and "two"'* ]]; }

# domain_has NAME PATTERN: the emulator of a machine runs with it.
domain_has() { pgrep -af "guest=${NS}_$1," | grep -E -- "$2" >/dev/null; }

events_of() { k get events --field-selector "involvedObject.name=$1,reason=$2" -o jsonpath='{range .items[*]}{.type} {.message}{"\n"}{end}'; }
has_event() { grep -qF -- "$3" <<<"$(events_of "$1" "$2")"; }

preset() {
    local said
    preset_manifest two 2 | kubectl apply -f -
    until_true 10 "admission knows the preset" gives_cores 2

    said=$(presetted_manifest | virt preset preview -f -)
    [[ "$said" == *'# preset "two": applied'* && "$said" == *'+      cores: 2'* ]] || fail "the preview: $said"
    diff <(presetted_manifest | once_created) <(presetted_manifest | virt preset preview -f - -o yaml | once_created) ||
        fail "the preview is not what is created"

    presetted_manifest | kubectl apply -f -
    [ "$(field vmi presetted .spec.domain.cpu.cores)" = 2 ] || fail "cores: $(field vmi presetted .spec.domain.cpu.cores)"
    k get vmi presetted -o yaml | grep 'virtualmachinepreset.kubevirt.io/two: kubevirt.io/v1'
    said=$(virt preset preview presetted)
    [[ "$said" == *'spec.domain.cpu: '*'already so'* || "$said" == *'spec.domain.cpu: overridden by the instance'* ]] ||
        fail "the preview of the stored one: $said"
    until_true 20 "an event says what the preset gave" has_event presetted PresetApplied \
        'Normal preset "two" gave domain.resources.requests, domain.cpu'
    until_true 90 "it runs" is_running presetted
    [ "$(events_of presetted PresetApplied | wc -l)" -eq 1 ] || fail "more than one event: $(events_of presetted PresetApplied)"
    domain_has presetted '-m (192|size=196608k)' || fail "memory of $(pgrep -af "guest=${NS}_presetted,")"
    domain_has presetted '-smp [^ ]*cores=2' || fail "processors of $(pgrep -af "guest=${NS}_presetted,")"
    k delete vmi presetted --timeout=60s
    k delete vmipreset two
}
run_case "a preset gives its CPU and memory to an instance that its selector matches, as its preview shows" preset

presets_conflict() {
    local said
    preset_manifest two 2 | kubectl apply -f -
    preset_manifest four 4 | kubectl apply -f -
    until_true 10 "admission refuses the instance for the two" is_in_conflict
    said=$(presetted_manifest | virt preset preview -f - 2>&1) && fail "the preview succeeds: $said"
    [[ "$said" == *'# conflict in spec.domain.cpu: '*'"four" and "two"'* ]] || fail "the preview: $said"
    k delete vmipreset two four
}
run_case "two presets that differ refuse the instance, and the preview says so" presets_conflict

excluded_manifest() {
    vmi_manifest presetted |
        sed 's/labels: {e2e: "presetted"}/labels: {size: two}, annotations: {virtualmachineinstancepresets.admission.kubevirt.io\/exclude: "true"}/'
}
presets_exclude() {
    local said
    preset_manifest two 2 | kubectl apply -f -
    until_true 10 "admission knows the preset" gives_cores 2
    [ "$(excluded_manifest | once_created | jq .domain.cpu.cores)" != 2 ] || fail "the preset was applied"
    said=$(excluded_manifest | virt preset preview -f -)
    [[ "$said" == '# excluded by its annotation '* ]] || fail "the preview: $said"
    k delete vmipreset two
}
run_case "an instance that excludes presets gets none" presets_exclude
