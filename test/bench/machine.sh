# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# A machine's way from its creation to its prompt and to its end: time by stages, writes to the API.

now() { printf '%s\n' "$EPOCHREALTIME"; }

# follow KIND JSONPATH: each change as a line "TIME NAME VALUE" in $work/KIND.seen.
follow() {
    kubectl -n "$NS" get "$1" --watch -o "jsonpath={.metadata.name} {$2}{\"\\n\"}" 2>/dev/null |
        while read -r line; do printf '%s %s\n' "$EPOCHREALTIME" "$line"; done >"$work/$1.seen" &
    started+=($!)
}

# when KIND PREFIX [VALUE]: the first time that it was seen, in seconds.
when() {
    awk -v prefix="$2" -v value="${3:-}" 'index($2, prefix) == 1 && (value == "" || $3 == value) { print $1; exit }' "$work/$1.seen"
}
was_seen() { [ -n "$(when "$@")" ]; }

one_life() {
    local name=$1 prompt begin gone pod=virt-launcher-$1
    vm_manifest "$name" Always | kubectl create -f - >/dev/null
    until_true 60 "$name runs" was_seen vmi "$name" Running
    start_console "$name"
    begin=$SECONDS
    until grep -aq 'login:' "$CONSOLE_LOG"; do
        [ $((SECONDS - begin)) -lt 60 ] || die "no prompt of $name within 60 s"
        type_keys ''
        sleep 0.1
    done
    prompt=$(now)
    stop_console
    begin=$(now)
    k delete vm "$name" --timeout=60s >/dev/null
    until_true 30 "$name's pod is gone" no_pods
    gone=$(now)
    printf '%s %s %s %s %s %s %s %s %s\n' "$(when vm "$name")" "$(when vmi "$name")" "$(when pods "$pod")" "$(when pods "$pod" Running)" \
        "$(when vmi "$name" Scheduled)" "$(when vmi "$name" Running)" "$prompt" "$begin" "$gone" >>"$work/lives"
}
no_pods() { [ -z "$(k get pods -o name)" ]; }

# stage NAME FROM TO: columns of $work/lives; median and range in ms.
stage() {
    local spread
    spread=$(awk -v a="$2" -v b="$3" '{ printf "%.0f\n", ($b - $a) * 1000 }' "$work/lives" | sort -g)
    row "$1" "$(median <<<"$spread")" "$(range <<<"$spread")"
}

# writes NAME [UNTIL]: "user: n writes, what" of one machine's life, from the audit log.
writes() {
    tail -c "+$audit_from" "$STATE/audit.log" | jq -r --arg ns "$NS" --arg name "$1" --arg until "${2:-9}" '
        select(.objectRef.namespace == $ns and .requestReceivedTimestamp <= $until) |
        .what = .objectRef.resource + (if .objectRef.subresource then "/" + .objectRef.subresource else "" end) |
        .named = ((.objectRef.name // "") + " " + .requestURI) |
        select(.named | test("(^|[-/ ])" + $name + "([-./ ?]|$)")) |
        [(.user.username | sub("^system:serviceaccount:[^:]*:"; "") | sub("^system:"; "") | sub("^node:.*"; "kubelet")),
         .verb + " " + .what, (.responseStatus.code // 0)] | @tsv'
}

# Users of cvirt first; of each: all, those that were refused (conflicts), and the list.
write_table() {
    sort | awk -F'\t' '
        { all[$1]++; kinds[$1 FS $2]++; if ($3 >= 400) refused[$1]++ }
        END {
            for (u in all) {
                list = ""
                for (k in kinds) { split(k, p, FS); if (p[1] == u) list = list (list ? ", " : "") kinds[k] " " p[2] }
                printf "%s\t%d\t%d\t%s\n", u, all[u], refused[u], list
            }
        }' | sort
}

measure_machine() {
    heading "A machine's life"
    put "A VM with kernelBoot and cloud-init, created, watched until its login prompt is read from \`kubectl-virt console\`, deleted. $lives lives, one
after the other; milliseconds, as watches of the API see them; medians, least to most.
"
    audit_from=$(($(stat -c %s "$STATE/audit.log") + 1))
    local kind i
    for kind in vm vmi; do follow $kind .status.phase; done
    follow pods .status.phase
    sleep 1
    : >"$work/lives"
    for ((i = 1; i <= lives; i++)); do one_life "life$i"; done

    table stage median range
    stage "VM to VMI (virt-controller)" 1 2
    stage "VMI to pod (virt-controller)" 2 3
    stage "pod to pod running (scheduler, kubelet, containerd)" 3 4
    stage "pod running to Scheduled (virt-controller)" 4 5
    stage "Scheduled to Running (virt-handler, virt-launcher, libvirt, QEMU)" 5 6
    stage "**VM to Running**" 1 6
    stage "Running to prompt (guest, emulated CPU)" 6 7
    stage "**VM to prompt**" 1 7
    stage "deletion to VM and pod gone" 8 9

    heading "Writes to the API"
    put "Of the last of these lives, by who made them, from kube-apiserver's audit log; Running as above, refused are conflicts. An
event is a write too.
"
    table who "to Running" "what" "to gone" "what" "of it refused"
    local name=life$lives running
    running=$(date -u -d "@$(when vmi "$name" Running)" +%Y-%m-%dT%H:%M:%S.%6NZ)
    writes "$name" | write_table >"$work/life.writes"
    writes "$name" "$running" >"$work/start.lines"
    write_table <"$work/start.lines" >"$work/start.writes"
    join -t $'\t' -a 1 -e 0 -o 0,2.2,2.4,1.2,1.4,1.3 "$work/life.writes" "$work/start.writes" |
        while IFS=$'\t' read -r -a cells; do row "${cells[@]}"; done
    put ""
    put "Updates and patches by cvirt up to Running: $(updates virtualmachineinstances) of the VMI, $(updates virtualmachines) of the VM (goals 4 and 5 together with
the VMI's; upstream's own figures: 5.5 of a VMI's start, 9.5 of a VM's)."
}

# updates RESOURCE: from the machine's start, status included.
updates() {
    awk -F'\t' -v r="$1" '$1 ~ /^kubevirt-/ && $2 ~ "^(patch|update) " r "(/|$)" && $3 < 400 { n++ } END { print n + 0 }' "$work/start.lines"
}
