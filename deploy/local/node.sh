#!/bin/bash
# A whole Kubernetes node on this machine, in a network namespace of its own.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # settings.sh prints it
PROGRAM=node
# shellcheck source=deploy/local/settings.sh
. "$HERE/settings.sh"
for part in process network pki host components; do
    # shellcheck source=/dev/null
    . "$HERE/lib/$part.sh"
done

usage() {
    cat <<EOF
usage: node.sh COMMAND
  up                  start what does not run yet, import the images that are built, wait for the node
  down                end everything that 'up' and the node's pods started, and delete the node's state
  status              what runs, whether the node is ready, which images it has
  env                 shell code that points kubectl at the node: eval "\$(node.sh env)"
  start COMPONENT     start one component and wait until it is ready
  stop COMPONENT      stop one component
  restart COMPONENT   stop, then start
  log COMPONENT       the file with a component's output
  import ARCHIVE...   load image archives into the node
  run COMMAND...      run a command in the node's network namespace
components: $COMPONENTS
EOF
}

lock() {
    exec 9>/run/cvirt-local.lock
    flock -n 9 || { say "another node.sh is at work; waiting for it" && flock 9; }
}

need_root() { [ "$(id -u)" -eq 0 ] || die "the node needs root"; }

need_programs() {
    local program
    for program in kube-apiserver kubelet kubectl etcd containerd ctr; do
        [ -x "$BIN/$program" ] || die "$program is not built yet: run deploy/local/build.sh"
    done
    need runc runc
    need iptables iptables
    need conntrack conntrack
    need ip iproute2
    need openssl openssl
    need curl curl
    need mount mount
    need jq jq
    [ -x "$CNI_BIN/bridge" ] || die "no CNI plugins in $CNI_BIN: install them (Debian: containernetworking-plugins) or set CVIRT_CNI_BIN"
}

names_in_archive() {
    tar -xOf "$1" index.json | jq -r '.manifests[].annotations["io.containerd.image.name"] // empty'
}

# containerd's CRI gives an image that replaces another of its name no record by its id, without which it cannot be
# an image volume. A label that is not the CRI's makes it look again.
announce_image() {
    node_ctr images label "$1" io.cri-containerd.image=imported >/dev/null
    wait_for 5 has_record_by_id "$1" || die "containerd made no record by id of $1"
}

has_record_by_id() {
    node_ctr images ls | awk -v name="$1" '
        $1 ~ /^sha256:/ { has_id[$3] = 1 }
        $1 == name { digest = $3 }
        END { exit !has_id[digest] }'
}

# Records of images by their id that no name stands for any more would keep replaced images for ever.
forget_replaced_images() {
    node_ctr images ls | awk '
        $1 ~ /^sha256:/ { id[$1] = $3 }
        $1 !~ /^sha256:/ { named[$3] = 1 }
        END { for (i in id) if (!(id[i] in named)) print i }' |
        while read -r id; do node_ctr images rm "$id" >/dev/null; done
}

import_archives() {
    local archive name
    for archive; do
        [ -f "$archive" ] || die "no such archive: $archive"
        say "importing $(basename "$archive")"
        node_ctr images import --local --snapshotter overlayfs "$archive" >/dev/null
        for name in $(names_in_archive "$archive"); do announce_image "$name"; done
    done
    forget_replaced_images
}

# Images outlive the node as archives in the cache; a new node gets them back.
import_built_images() {
    [ -e "$IMAGES/pause.tar" ] || "$HERE/../images/build.sh" pause
    local archive present
    present=$(node_ctr images list -q)
    local missing=()
    for archive in "$IMAGES"/*.tar; do
        grep -qxF "localhost/cvirt/$(basename "$archive" .tar):devel" <<<"$present" || missing+=("$archive")
    done
    import_archives "${missing[@]}"
}

node_is_ready() {
    [ "$(admin_kubectl get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]
}

up() {
    need_root
    need_programs
    lock
    local begin=$SECONDS component
    mkdir -p "$STATE"
    touch "$STATE/.cvirt-local"
    claim_folders
    network_up
    pki_up
    cgroup_up
    share_mount "$KUBELET_ROOT"
    share_mount "$KUBEVIRT_RUN"

    start_component etcd
    start_component containerd
    await_component etcd
    start_component apiserver
    await_component containerd
    import_built_images
    await_component apiserver
    for component in $COMPONENTS; do start_component "$component"; done
    for component in $COMPONENTS; do await_component "$component"; done
    wait_for 90 node_is_ready || die "the node did not become ready within 90 s; see node.sh log kubelet"
    say "node $NODE_NAME is ready after $((SECONDS - begin)) s; in your shell: eval \"\$($0 env)\""
}

down() {
    need_root
    lock
    [ -e "$STATE/.cvirt-local" ] || { say "nothing to end: there is no $STATE" && return 0; }
    local component
    for component in kubelet proxy scheduler controller-manager apiserver; do stop_component "$component"; done
    say "ending the pods' containers"
    containers_down
    for component in containerd etcd; do stop_component "$component"; done
    containers_down
    network_down
    folders_down
    cgroup_down
    say "the node is gone"
}

status() {
    local component pid
    for component in $COMPONENTS; do
        if pid=$(pid_of "$component"); then
            printf '%-20s running   pid %s\n' "$component" "$pid"
        else
            printf '%-20s stopped\n' "$component"
        fi
    done
    pid_of apiserver >/dev/null || return 3
    admin_kubectl get nodes -o wide || return 3
    pid_of containerd >/dev/null || return 3
    node_ctr images list -q | sed -n '/^localhost/s/^/image  /p'
}

print_env() {
    printf 'export KUBECONFIG=%q\n' "$KUBECONFIG_FILE"
    # shellcheck disable=SC2016 # for the caller's shell
    printf 'case ":$PATH:" in *:%q:*) ;; *) export PATH=%q:%q:"$PATH" ;; esac\n' "$BIN" "$BIN" "$REPOSITORY/build"
}

print_log() {
    is_component "${1:-}" || die "which component? one of: $COMPONENTS"
    echo "$STATE/log/$1.log"
}

# one_component VERB NAME
one_component() {
    local verb=$1 name=${2:-}
    is_component "$name" || die "which component? one of: $COMPONENTS"
    need_root
    lock
    [ -e "$STATE/.cvirt-local" ] || die "there is no node; run node.sh up"
    [ "$verb" = start ] || stop_component "$name"
    [ "$verb" = stop ] || { start_component "$name" && await_component "$name"; }
}

main() {
    local command=${1:-}
    [ $# -eq 0 ] || shift
    case $command in
    up) up ;;
    down) down ;;
    status) status ;;
    env) print_env ;;
    start | stop | restart) one_component "$command" "$@" ;;
    log) print_log "$@" ;;
    import) import_archives "$@" ;;
    run) in_node "$@" ;;
    help | --help | -h) usage ;;
    *) usage >&2 && exit 2 ;;
    esac
}

main "$@"
