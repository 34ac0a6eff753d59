# shellcheck shell=bash
# Machines whose size is an instance type's and whose devices are as a preference likes them.

# type_manifest NAME PROCESSORS: with 192 MiB.
type_manifest() {
    cat <<Y
apiVersion: instancetype.kubevirt.io/v1beta1
kind: VirtualMachineInstancetype
metadata: {name: $1, namespace: $NS}
spec: {cpu: {guest: $2}, memory: {guest: 192Mi}}
Y
}
# preference_manifest NAME PROCESSORS: as cores, so many at least.
preference_manifest() {
    cat <<Y
apiVersion: instancetype.kubevirt.io/v1beta1
kind: VirtualMachinePreference
metadata: {name: $1, namespace: $NS}
spec: {cpu: {preferredCPUTopology: cores}, requirements: {cpu: {guest: $2}}}
Y
}
# sized_manifest NAME TYPE: a machine that says nothing of its size, with the preference cores.
sized_manifest() {
    vm_manifest "$1" Always | sed "/memory: {guest/d
        s/^  runStrategy:.*/&\n  instancetype: {kind: VirtualMachineInstancetype, name: $2}\n  preference: {kind: VirtualMachinePreference, name: cores}/"
}

# process_has NAME PATTERN: the emulator of a machine runs with it.
process_has() { pgrep -af "guest=${NS}_$1," | grep -E -- "$2" >/dev/null; }
is_sized() {
    process_has "$1" '-m (192|size=196608k)' || fail "memory of $(pgrep -af "guest=${NS}_$1,")"
    process_has "$1" '-smp [^ ]*cores=2' || fail "processors of $(pgrep -af "guest=${NS}_$1,")"
}

# refused_for WORDS COMMAND...: the manifest that the command writes is refused, in these words.
refused_for() {
    local words=$1 said
    shift
    said=$("$@" | kubectl create --dry-run=server -f - 2>&1) && return 1
    [[ "$said" == *"$words"* ]]
}

with_memory() { sized_manifest sized two | sed 's/^      domain:/&\n        memory: {guest: 128Mi}/'; }
is_another_instance() { [ -n "$(field vmi sized .metadata.uid)" ] && ! is vmi sized .metadata.uid "$1"; }

sized() {
    local revision uid
    type_manifest two 2 | kubectl apply -f -
    preference_manifest cores 2 | kubectl apply -f -
    until_true 10 "admission knows the instance type" refused_for spec.template.spec.domain.memory.guest with_memory

    sized_manifest sized two | kubectl apply -f -
    until_true 120 "it runs" is_running sized
    is_sized sized
    is vmi sized .spec.domain.cpu.cores 2 || fail "cores: $(field vmi sized .spec.domain.cpu.cores)"
    is vmi sized .spec.domain.memory.guest 192Mi || fail "memory: $(field vmi sized .spec.domain.memory.guest)"
    is vmi sized '.metadata.annotations.kubevirt\.io/instancetype-name' two || fail "the instance does not name its type"
    revision=$(field vm sized .status.instancetypeRef.controllerRevisionRef.name)
    is controllerrevision "$revision" .data.spec.cpu.guest 2 || fail "revision: $revision"
    [ -n "$(field vm sized .status.preferenceRef.controllerRevisionRef.name)" ] || fail "no revision of the preference"

    kubectl get --raw "/apis/subresources.kubevirt.io/v1/namespaces/$NS/virtualmachines/sized/expand-spec" |
        jq -e '.spec.template.spec.domain.cpu.cores == 2 and .spec.template.spec.domain.memory.guest == "192Mi" and
            (.spec | has("instancetype") or has("preference") | not)' || fail "expand-spec does not show it"

    # The machine keeps what it took.
    k delete virtualmachineinstancetype two
    uid=$(field vmi sized .metadata.uid)
    virt restart sized
    until_true 90 "another instance" is_another_instance "$uid"
    until_true 120 "it runs again" is_running sized
    is_sized sized
    k delete vm sized --timeout=90s
    k delete virtualmachinepreference cores
}
run_case "an instance type and a preference give a machine its processors and memory, and it keeps them" sized

too_small() { sized_manifest small one; }
conflicting() {
    type_manifest two 2 | kubectl apply -f -
    type_manifest one 1 | kubectl apply -f -
    preference_manifest cores 2 | kubectl apply -f -
    until_true 10 "a field that the type decides is refused by name" \
        refused_for spec.template.spec.domain.memory.guest with_memory
    until_true 10 "a type that is too small for the preference is refused" \
        refused_for 'failure checking preference requirements' too_small
    k delete virtualmachineinstancetype one two
    k delete virtualmachinepreference cores
}
run_case "what does not go with the instance type is refused by name" conflicting

says_missing() {
    k get vm waiting -o json | jq -e '.status.conditions[] | select(.type == "Failure") |
        .status == "True" and .reason == "FailedCreate" and (.message | contains("instance type \"late\""))'
}
has_event() { k get events -o json | jq -e '.items[] | select(.involvedObject.name == "waiting" and .reason == "FailedCreate")'; }

missing() {
    preference_manifest cores 1 | kubectl apply -f -
    sized_manifest waiting late | kubectl apply -f -
    until_true 30 "the machine says what is missing" says_missing
    until_true 30 "an event says so too" has_event
    is_absent vmi waiting || fail "it has an instance"

    type_manifest late 2 | kubectl apply -f -
    until_true 120 "it runs as soon as the type is there" is_running waiting
    is_sized waiting
    until_true 20 "it says so no more" has_no_failure
    k delete vm waiting --timeout=90s
    k delete virtualmachineinstancetype late
    k delete virtualmachinepreference cores
}
has_no_failure() { [ -z "$(condition vm waiting Failure)" ]; }
run_case "a machine whose instance type is missing does not start, says so, and starts when it comes" missing

# inferred_manifest VOLUME: JSON of the volume that it boots from.
inferred_manifest() {
    cat <<Y
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: inferred, namespace: $NS}
spec:
  runStrategy: Halted
  instancetype: {inferFromVolume: root}
  template:
    spec:
      domain: {devices: {disks: [{name: root, disk: {}}]}}
      volumes: [{name: root, $1}]
Y
}
inferring() {
    local said
    cat <<Y | kubectl apply -f -
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: labelled
  namespace: $NS
  labels:
    instancetype.kubevirt.io/default-instancetype: two
    instancetype.kubevirt.io/default-instancetype-kind: virtualmachineinstancetype
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
Y
    said=$(inferred_manifest 'persistentVolumeClaim: {claimName: labelled}' |
        kubectl create --dry-run=server -o json -f - | jq -c .spec.instancetype)
    [ "$said" = '{"kind":"virtualmachineinstancetype","name":"two"}' ] || fail "inferred: $said"

    # CDI is not installed here: the DataVolume counts as not found.
    said=$(inferred_manifest 'dataVolume: {name: nowhere}' | kubectl create --dry-run=server -f - 2>&1) && fail "let in: $said"
    [[ "$said" == *spec.instancetype.inferFromVolume*nowhere* ]] || fail "$said"
    k delete pvc labelled --wait=false
}
run_case "a claim's labels name the instance type of the machine that boots from it" inferring

# is_expanded: the machine on stdin has values where it named a type, and the answer was 200.
is_expanded() {
    local answer
    answer=$(cat)
    [ "$(code <<<"$answer")" = 200 ] || fail "$answer"
    sed '$d' <<<"$answer" | jq -e '.kind == "VirtualMachine" and (.spec | has("instancetype") or has("preference") | not) and
        (.spec.template.spec.domain | .cpu.cores == 2 and .memory.guest == "192Mi")' || fail "$answer"
}
expanded() {
    local namespaced=/apis/subresources.kubevirt.io/v1/namespaces/$NS
    type_manifest two 2 | kubectl apply -f -
    preference_manifest cores 2 | kubectl apply -f -
    until_true 10 "admission knows the instance type" refused_for spec.template.spec.domain.memory.guest with_memory
    sized_manifest expanded two | sed 's/Always/Halted/' >"$STATE/expanded.yaml"
    kubectl create --dry-run=client -o json -f "$STATE/expanded.yaml" |
        api PUT "$namespaced/expand-vm-spec" -H 'Content-Type: application/json' --data-binary @- | is_expanded
    kubectl create -f "$STATE/expanded.yaml"
    api GET "$namespaced/virtualmachines/expanded/expand-spec" | is_expanded
    k delete vm expanded
    k delete virtualmachineinstancetype two
    k delete virtualmachinepreference cores
}
run_case "expand-spec and expand-vm-spec give values for what a machine names" expanded
