#!/bin/bash
# Builds cvirt's container images as archives in the cache.
#   build.sh [--import] [--refresh] [IMAGE...]      images: pause virt-launcher cvirt (all without a name)
#   --import   load them into the local node
#   --refresh  take the newest Debian packages, although the cached ones are of this month
# The programs come from build/ (or $CVIRT_BUILD); CVIRT_STRIP=no keeps their symbols.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # settings.sh prints it
PROGRAM=images
# shellcheck source=deploy/local/settings.sh
. "$HERE/../local/settings.sh"
# shellcheck source=deploy/images/oci.sh
. "$HERE/oci.sh"

BUILD=${CVIRT_BUILD:-$REPOSITORY/build}
SUITE=bookworm
BASES=$CACHE/bases
REFRESH=no

packages_of() { sed 's/#.*//' "$HERE/$1/packages" | xargs | tr ' ' ,; }

# A base is made again when anything that it is made of changes, and every month for Debian's updates.
key_of_base() {
    {
        date +%Y-%m
        echo "$SUITE"
        cat "$HERE/build.sh" "$HERE/finish-root.sh"
        find "$HERE/$1" -type f | sort | xargs cat
    } | sha256sum | cut -c1-16
}

# build_base IMAGE USER...: the layer of Debian packages; sets BASE_LAYER.
build_base() {
    local image=$1 log=$BASES/$1.log start=$SECONDS root
    shift
    BASE_LAYER=$BASES/$image-$(key_of_base "$image").tar
    [ "$REFRESH" = no ] && [ -e "$BASE_LAYER.sha256" ] && return 0
    need mmdebstrap mmdebstrap
    [ "$(id -u)" -eq 0 ] || die "the base of $image is made by root (owners of its files)"

    say "$image: unpacking Debian packages, about half a minute"
    rm -rf "$BASES/$image"-*
    root=$BASES/$image-root
    # Unpacking without maintainer scripts is several times faster, and leaves out what only they need.
    if ! mmdebstrap --mode=root --variant=extract --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --aptopt='APT::Install-Recommends "false"' --include="$(packages_of "$image")" \
        "$SUITE" "$root" ${CVIRT_DEBIAN_MIRROR:+"$CVIRT_DEBIAN_MIRROR"} >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "$image: the Debian packages cannot be unpacked; the whole log is $log"
    fi
    "$HERE/finish-root.sh" "$root" "$@"
    [ ! -d "$HERE/$image/root" ] || cp -r "$HERE/$image/root/." "$root"
    [ ! -e "$HERE/$image/finish.sh" ] || "$HERE/$image/finish.sh" "$root" ||
        die "$image: its root file system cannot be finished; it is left in $root"
    tar --create --file "$BASE_LAYER" --sort=name --numeric-owner -C "$root" .
    rm -rf "$root"
    sha256sum <"$BASE_LAYER" | cut -d' ' -f1 >"$BASE_LAYER.sha256"
    say "$image: $(du -h "$BASE_LAYER" | cut -f1) of packages in $((SECONDS - start)) s"
}

# install_programs TREE NAME...: from the build folder to the tree's /usr/bin.
install_programs() {
    local tree=$1 name strip=(-s)
    shift
    [ "${CVIRT_STRIP:-yes}" = yes ] || strip=()
    mkdir -p "$tree/usr/bin"
    for name; do
        [ -x "$BUILD/$name" ] || die "$BUILD/$name does not exist: run make first"
        # strip refuses scripts, which stand in for programs in tests
        install -m 0755 "${strip[@]}" "$BUILD/$name" "$tree/usr/bin/$name" 2>/dev/null ||
            install -m 0755 "$BUILD/$name" "$tree/usr/bin/$name"
    done
}

new_tree() {
    TREE=$(mktemp -d "$CACHE/tree.XXXXXX")
    chmod 0755 "$TREE"
}

# Say which libraries of a program the image lacks, before a pod does.
check_libraries() {
    local image=$1 name missing members
    shift
    members=$(tar -tf "$BASE_LAYER" | sed 's|.*/||' | sort -u)
    for name; do
        missing=$(objdump -p "$BUILD/$name" 2>/dev/null | awk '$1 == "NEEDED" { print $2 }' |
            grep -vxFf <(echo "$members") || :)
        [ -z "$missing" ] || die "$name needs $(xargs <<<"$missing"), which no package of $image/packages has"
    done
}

finish_image() { # name config start
    local name=$1 config=$2 start=$3
    layer_from_tree "$TREE" "$TREE.tar"
    oci_archive "$IMAGES/$name.tar" "localhost/cvirt/$name:devel" "$config" ${BASE_LAYER:+"$BASE_LAYER"} "$TREE.tar"
    rm -rf "$TREE" "$TREE.tar"
    built "$name" $((SECONDS - start))
}

build_pause() {
    local start=$SECONDS BASE_LAYER=
    need gcc gcc
    new_tree
    gcc -Os -static -s -o "$TREE/pause" "$HERE/pause/pause.c"
    finish_image pause '{"User": "65534:65534", "Entrypoint": ["/pause"]}' "$start"
}

build_virt_launcher() {
    local start=$SECONDS BASE_LAYER
    build_base virt-launcher qemu:107:107 libvirt-qemu:64055:107 kvm:108:108
    check_libraries virt-launcher virt-launcher virt-probe
    new_tree
    install_programs "$TREE" virt-launcher virt-probe
    # The pod's command, as KubeVirt names it.
    ln -s virt-launcher "$TREE/usr/bin/virt-launcher-monitor"
    finish_image virt-launcher '{"User": "107:107", "Env": ["PATH=/usr/sbin:/usr/bin",
        "LIBVIRT_AUTOSTART=0"], "Entrypoint": ["/usr/bin/virt-launcher"]}' "$start"
}

build_cvirt() {
    local start=$SECONDS BASE_LAYER
    build_base cvirt cvirt:1001:1001
    check_libraries cvirt virt-api virt-controller virt-handler kubectl-virt
    new_tree
    install_programs "$TREE" virt-api virt-controller virt-handler kubectl-virt
    finish_image cvirt '{"User": "1001:1001", "Env": ["PATH=/usr/sbin:/usr/bin"]}' "$start"
}

main() {
    local import=no image images=()
    for image; do
        case $image in
        --import) import=yes ;;
        --refresh) REFRESH=yes ;;
        pause | virt-launcher | cvirt) images+=("$image") ;;
        *) die "usage: build.sh [--import] [--refresh] [pause|virt-launcher|cvirt]..." ;;
        esac
    done
    [ ${#images[@]} -gt 0 ] || images=(pause virt-launcher cvirt)
    need jq jq
    mkdir -p "$IMAGES" "$BASES"
    for image in "${images[@]}"; do "build_${image//-/_}"; done
    [ "$import" = no ] || import_images "${images[@]}"
}

main "$@"
