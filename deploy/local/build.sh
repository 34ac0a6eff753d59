#!/bin/bash
# Builds Kubernetes, etcd and containerd from the Go modules pinned in tools/ into the cache, once.
#   build.sh            build what is missing
#   build.sh --rebuild  build all of it again
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # settings.sh prints it
PROGRAM=build
# shellcheck source=deploy/local/settings.sh
. "$HERE/settings.sh"

HEARTBEAT_S=20

# part | programs | expected minutes on two cores
PARTS="
etcd       | etcd                                                                       | 1
containerd | containerd containerd-shim-runc-v2 ctr                                     | 1
kubernetes | kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubectl kubelet | 11
"

version_of_part() {
    case $1 in
    etcd) echo "$ETCD_VERSION" ;;
    containerd) echo "$CONTAINERD_VERSION" ;;
    kubernetes) echo "$KUBERNETES_VERSION" ;;
    esac
}

package_of() {
    case $1 in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    containerd | containerd-shim-runc-v2 | ctr) echo "github.com/containerd/containerd/v2/cmd/$1" ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
    esac
}

tags_of_part() { [ "$1" != containerd ] || echo no_btrfs; }

linker_flags_of_part() {
    local minor=${KUBERNETES_VERSION#*.}
    printf -- '-s -w'
    case $1 in
    containerd)
        printf -- ' -X github.com/containerd/containerd/v2/version.Version=v%s' "$CONTAINERD_VERSION"
        ;;
    kubernetes)
        printf -- ' -X k8s.io/component-base/version.%s' \
            "gitVersion=v$KUBERNETES_VERSION" "gitMajor=${KUBERNETES_VERSION%%.*}" "gitMinor=${minor%%.*}"
        printf -- ' -X k8s.io/client-go/pkg/version.gitVersion=v%s' "$KUBERNETES_VERSION"
        ;;
    esac
}

# What a program on PATH says of itself, as MAJOR.MINOR.PATCH; empty when it says nothing.
version_on_path() {
    local said=
    case $1 in
    kubectl) said=$(kubectl version --client 2>/dev/null) || : ;;
    ctr) said=$(ctr --version 2>/dev/null) || : ;;
    containerd-shim-runc-v2) said=$(containerd-shim-runc-v2 -v 2>/dev/null) || : ;;
    *) said=$("$1" --version 2>/dev/null) || : ;;
    esac
    grep -oE '[0-9]+\.[0-9]+\.[0-9]+' <<<"$said" | head -n 1 || :
}

# A program of the same minor version is as good as ours.
is_suitable_on_path() {
    local found want=$2
    command -v "$1" >/dev/null || return 1
    found=$(version_on_path "$1")
    [ "${found%.*}" = "${want%.*}" ]
}

part_is_on_path() {
    local part=$1 program
    shift
    for program; do
        is_suitable_on_path "$program" "$(version_of_part "$part")" || return 1
    done
}

link_from_path() {
    local program
    for program; do
        ln -sfn "$(command -v "$program")" "$BIN/$program"
    done
}

stamp_of_part() {
    {
        cat "$HERE/tools/$1/go.mod" "$HERE/tools/$1/go.sum"
        linker_flags_of_part "$1"
        tags_of_part "$1"
    } | sha256sum | cut -d' ' -f1
}

part_is_built() {
    local part=$1 program
    shift
    [ "$(cat "$BIN/.$part.stamp" 2>/dev/null)" = "$(stamp_of_part "$part")" ] || return 1
    for program; do
        [ -x "$BIN/$program" ] || return 1
    done
}

clock() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }

# Say every few seconds how far a running `go build -v` is: each package it compiles is a line of its log.
watch_build() {
    local pid=$1 part=$2 log=$3 packages=$4 start=$SECONDS beat=0
    while kill -0 "$pid" 2>/dev/null; do
        sleep 1
        beat=$((beat + 1))
        [ $((beat % HEARTBEAT_S)) -eq 0 ] || continue
        say "$part: $(clock $((SECONDS - start))), $(wc -l <"$log") of at most $packages packages, now $(tail -n 1 "$log")"
    done
}

build_part() {
    local part=$1 minutes=$2 log=$BIN/.$1.log start=$SECONDS out packages pid program
    shift 2
    out=$(mktemp -d "$BIN/.$part.XXXXXX")
    local list=()
    for program; do list+=("$(package_of "$program")"); done

    say "$part $(version_of_part "$part"): fetching the modules"
    cd "$HERE/tools/$part"
    export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off
    packages=$(go list -deps -tags "$(tags_of_part "$part")" "${list[@]}" | wc -l)
    say "$part $(version_of_part "$part"): building $# program(s), about $minutes min on two cores when nothing is cached"
    go build -v -trimpath -tags "$(tags_of_part "$part")" -ldflags "$(linker_flags_of_part "$part")" \
        -o "$out/" "${list[@]}" >"$log" 2>&1 &
    pid=$!
    trap 'kill "$pid" 2>/dev/null; rm -rf "$out"; exit 1' INT TERM
    watch_build "$pid" "$part" "$log" "$packages"
    if ! wait "$pid"; then
        tail -n 20 "$log" >&2
        rm -rf "$out"
        die "$part: the build failed; the whole log is $log"
    fi
    trap - INT TERM

    # The folder of etcd's main package gives its program no usable name.
    [ "$part" != etcd ] || mv "$out"/* "$out/etcd"
    # Never write over a program that runs: replace its name.
    for program; do mv -f "$out/$program" "$BIN/$program"; done
    rm -rf "$out"
    stamp_of_part "$part" >"$BIN/.$part.stamp"
    say "$part: done in $(clock $((SECONDS - start)))"
}

provide_part() {
    local part=$1 minutes=$2
    shift 2
    if [ "$REBUILD" = no ] && part_is_built "$part" "$@"; then
        say "$part $(version_of_part "$part"): already in $BIN"
    elif [ "$REBUILD" = no ] && part_is_on_path "$part" "$@"; then
        say "$part: using the $(version_of_part "$part" | cut -d. -f1,2) found on PATH"
        link_from_path "$@"
    else
        need go 'golang-go, or go.dev; 1.26 or newer'
        # shellcheck disable=SC2094 # build_part reads no standard input
        (build_part "$part" "$minutes" "$@")
    fi
}

main() {
    REBUILD=no
    case ${1:-} in
    '') ;;
    --rebuild) REBUILD=yes ;;
    *) die "usage: build.sh [--rebuild]" ;;
    esac
    # What the cache holds must not count as 'found on PATH'.
    PATH=$(sed "s|$BIN:||g; s|:$BIN\$||" <<<"$PATH")
    mkdir -p "$BIN"
    exec 9>"$BIN/.lock"
    flock -n 9 || { say "another build is running; waiting for it" && flock 9; }

    local part programs minutes
    while IFS='|' read -r part programs minutes <&8; do
        [ -n "$part" ] || continue
        # shellcheck disable=SC2086 # the columns are lists of words
        provide_part ${part} ${minutes} ${programs}
    done 8<<<"$PARTS"
    say "Kubernetes $KUBERNETES_VERSION, etcd $ETCD_VERSION and containerd $CONTAINERD_VERSION are in $BIN"
}

main "$@"
