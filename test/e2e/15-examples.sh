# shellcheck shell=bash
# The manifests of deploy/examples, asked of the API server without storing them.

EXAMPLES=$repository/deploy/examples

# Refused as the cluster is configured (a feature gate that is off): file, field of the cause.
REFUSED='
vmi-downward-metrics       spec.domain.devices.downwardMetrics
vmi-downward-metrics-disk  spec.volumes[1]
vmi-filesystem-claim       spec.domain.devices.filesystems[0]
vmi-hook-sidecar           metadata.annotations
vmi-host-device            spec.domain.devices.hostDevices
vmi-host-disk              spec.volumes[1]
vmi-ignition               metadata.annotations
vmi-lun-reservation        spec.domain.devices.disks[1].lun.reservation
vmi-tdx                    spec.domain.launchSecurity
vmi-vsock                  spec.domain.devices.autoattachVSOCK
'

described() {
    local file n=0
    for file in "$EXAMPLES"/*.yaml; do
        head -n 1 "$file" | grep -qE '^# .*\.$' || fail "$file does not begin with what it shows"
        n=$((n + 1))
    done
    [ "$n" -ge 60 ] || fail "$n examples"
    [ "$(head -qn 1 "$EXAMPLES"/*.yaml | sort | uniq -d | wc -l)" -eq 0 ] || fail "two show the same"
}
run_case "each example says in its first line what it shows" described

# The cluster's configuration has a namespace of its own.
ask() {
    local file here=()
    for file in "$EXAMPLES"/*.yaml; do
        case $file in
        */kubevirt*) ;;
        *) here+=(-f "$file") ;;
        esac
    done
    k apply --dry-run=server "${here[@]}" || :
    kubectl apply --dry-run=server -f "$EXAMPLES/kubevirt.yaml" -f "$EXAMPLES/kubevirt-gates.yaml" || :
}

admitted() {
    local said file field total refused=0
    said=$(ask 2>&1 | grep -v '^Warning: ')
    total=$(find "$EXAMPLES" -name '*.yaml' | wc -l)
    while read -r file field; do
        [ -n "$file" ] || continue
        grep -F "/$file.yaml\": " <<<"$said" | grep -qF " denied the request: $field: " ||
            fail "$file is not refused at $field"
        said=$(grep -vF "/$file.yaml\": " <<<"$said")
        refused=$((refused + 1))
    done <<<"$REFUSED"
    ! grep -v '(server dry run)$' <<<"$said" || fail "refused without a row"
    [ "$(wc -l <<<"$said")" -eq $((total - refused)) ] || fail "$(wc -l <<<"$said") admitted of $((total - refused))"
}
run_case "every example is admitted, or refused at the field that is known" admitted
