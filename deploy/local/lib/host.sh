# shellcheck shell=bash
# What the node needs of the machine besides processes and network (folders, shared mounts, a control group),
# and how all of it is given back.

# Pods reach these by hostPath. Those that were not there before the node's first start go away with it.
LENT_FOLDERS="$KUBELET_ROOT $KUBEVIRT_RUN $CNI_CACHE /run/kubevirt-private /run/kubevirt-libvirt-runtimes
/var/lib/kubevirt-node-labeller"

is_empty_or_absent() { [ -z "$(ls -A "$1" 2>/dev/null)" ]; }

is_ours() { grep -qxF "$1" "$STATE/own-folders" 2>/dev/null; }

claim_folders() {
    local folder
    for folder in $LENT_FOLDERS; do
        if ! is_ours "$folder" && is_empty_or_absent "$folder"; then
            echo "$folder" >>"$STATE/own-folders"
        fi
    done
    is_ours "$KUBELET_ROOT" || die "$KUBELET_ROOT belongs to another kubelet of this machine"
}

# A privileged pod with mountPropagation needs its host paths on shared mounts; most containers' root is private.
share_mount() {
    mkdir -p "$1"
    mountpoint -q "$1" || mount --bind "$1" "$1"
    mount --make-rshared "$1"
}

# The folders of our control group, one for each hierarchy.
cgroup_folders() {
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        echo "/sys/fs/cgroup/$CGROUP"
    else
        awk -v group="$CGROUP" '$3 ~ /^cgroup2?$/ { print $2 "/" group }' /proc/mounts
    fi
}

cgroup_up() {
    local folder controller
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        for controller in cpuset cpu io memory hugetlb pids; do
            echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || :
        done
    fi
    for folder in $(cgroup_folders); do
        mkdir -p "$folder"
    done
}

processes_in_cgroup() {
    local folder
    for folder in $(cgroup_folders); do
        [ ! -d "$folder" ] || find "$folder" -name cgroup.procs -exec cat {} + 2>/dev/null || :
    done | sort -u
}

kill_cgroup() {
    local pids
    pids=$(processes_in_cgroup)
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086 # a list of pids
    kill -KILL $pids 2>/dev/null || :
    return 1
}

cgroup_down() {
    local folder
    for folder in $(cgroup_folders); do
        [ ! -d "$folder" ] || find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || :
    done
}

# The shims of our containerd: they outlive it, and name its socket on their command line.
shims() {
    local file words
    for file in /proc/[0-9]*/cmdline; do
        mapfile -d '' words <"$file" 2>/dev/null || continue
        [[ ${words[0]:-} == *containerd-shim-runc-v2 ]] || continue
        [[ " ${words[*]} " == *" -address $CONTAINERD_SOCKET "* ]] || continue
        file=${file%/cmdline}
        echo "${file#/proc/}"
    done
}

kill_shims() {
    local pids
    pids=$(shims)
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086 # a list of pids
    kill -KILL $pids 2>/dev/null || :
    return 1
}

containers_down() {
    wait_for 20 kill_cgroup || say "some of the containers' processes do not end"
    wait_for 10 kill_shims || say "some of the containers' shims do not end"
}

mounts_below() {
    awk '{ print $5 }' /proc/self/mountinfo | while read -r point; do
        point=$(printf '%b' "${point//\\/\\0}")
        [[ $point == "$1" || $point == "$1"/* ]] && echo "$point"
    done | sort -r
    return 0
}

unmount_below() {
    local point
    mounts_below "$1" | while read -r point; do
        umount "$point" 2>/dev/null || umount -l "$point" 2>/dev/null || :
    done
    [ -z "$(mounts_below "$1")" ]
}

remove_folder() {
    wait_for 10 unmount_below "$1" || die "cannot unmount what is below $1; nothing of it was deleted"
    rm -rf --one-file-system "$1"
}

folders_down() {
    local folder
    for folder in $LENT_FOLDERS; do
        if is_ours "$folder"; then
            remove_folder "$folder"
        elif [ "$folder" = "$KUBEVIRT_RUN" ]; then
            wait_for 10 unmount_below "$folder" || :
        fi
    done
    remove_folder "$STATE"
}
