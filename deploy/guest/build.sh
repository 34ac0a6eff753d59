#!/bin/bash
# Builds a tiny Linux that tests boot as a guest, in two images: a disk and a kernel with its initial RAM disk.
#   build.sh [--import] [--refresh]
#   --import   load the images into the local node
#   --refresh  take the newest Debian packages, although the cached ones are of this month
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # settings.sh prints it
PROGRAM=guest
# shellcheck source=deploy/local/settings.sh
. "$HERE/../local/settings.sh"
# shellcheck source=deploy/images/oci.sh
. "$HERE/../images/oci.sh"

SUITE=bookworm
GUEST=$CACHE/guest
PASSWORD=cvirt
KERNEL_ARGUMENTS="console=tty0 console=ttyS0 quiet"
QEMU_USER=107

SECTOR=512
BOOT_START_MIB=1
BOOT_MIB=30
DATA_MIB=16

words_of() { sed 's/#.*//' "$1" | xargs; }

key_of_packages() { { date +%Y-%m && echo "$SUITE" && cat "$HERE/packages"; } | sha256sum | cut -c1-16; }

unpack_packages() {
    PACKAGES=$GUEST/packages-$(key_of_packages)
    [ "$REFRESH" = no ] && [ -e "$PACKAGES/.done" ] && return 0
    need mmdebstrap mmdebstrap
    say "unpacking Debian's kernel, busybox, SSH server and guest agent, about half a minute"
    rm -rf "$GUEST"/packages-*
    if ! mmdebstrap --mode=root --variant=extract --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --aptopt='APT::Install-Recommends "false"' --include="$(words_of "$HERE/packages" | tr ' ' ,)" \
        "$SUITE" "$PACKAGES" ${CVIRT_DEBIAN_MIRROR:+"$CVIRT_DEBIAN_MIRROR"} >"$GUEST/packages.log" 2>&1; then
        tail -n 20 "$GUEST/packages.log" >&2
        die "the Debian packages cannot be unpacked; the whole log is $GUEST/packages.log"
    fi
    touch "$PACKAGES/.done"
}

# The libraries of one of the packages' programs, as paths below the packages' folder.
libraries_of() {
    chroot "$PACKAGES" /lib64/ld-linux-x86-64.so.2 --list "$1" | grep -oE '/[^ ]+\.so[^ ]*' | sort -u
}

# add_program TREE SOURCE TARGET: a program of the packages, with its libraries.
add_program() {
    local library
    install -D -m 0755 "$PACKAGES$2" "$1$3"
    for library in $(libraries_of "$2"); do install -D -m 0755 "$PACKAGES/$library" "$1/$library"; done
}

add_modules() {
    local tree=$1 release=$2 module file
    depmod -b "$PACKAGES" "$release"
    for module in $(words_of "$HERE/modules"); do
        modprobe -d "$PACKAGES" -S "$release" --show-depends "$module"
    done | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r file; do
        file=${file#"$PACKAGES"}
        install -D -m 0644 "$PACKAGES/$file" "$tree/$file"
    done
    cp "$PACKAGES/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$tree/lib/modules/$release/"
    depmod -b "$tree" "$release"
    rm -f "$tree/lib/modules/$release"/*.bin "$tree/lib/modules/$release"/modules.{symbols,devname,softdep,order,builtin.modinfo}
    # The group that every start loads.
    awk '/^$/ { list = "" } !/^#/ { list = list $0 "\n" } END { printf "%s", list }' "$HERE/modules" >"$tree/etc/modules"
}

add_users() {
    local tree=$1 hash
    hash=$(openssl passwd -6 -salt cvirtguest "$PASSWORD")
    echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
    echo 'root:x:0:' >"$tree/etc/group"
    (umask 077 && echo "root:$hash:19000:0:99999:7:::" >"$tree/etc/shadow")
}

build_initrd() {
    local release=$1 tree
    tree=$(mktemp -d "$CACHE/tree.XXXXXX")
    chmod 0755 "$tree"
    mkdir -p "$tree"/{bin,data,dev,proc,sys,run,tmp,root,etc,usr,var/log,lib/modules/"$release",lib64}
    ln -s bin "$tree/sbin" && ln -s ../bin "$tree/usr/bin" && ln -s ../bin "$tree/usr/sbin" && ln -s ../run "$tree/var/run"

    install -m 0755 "$PACKAGES/bin/busybox" "$tree/bin/busybox"
    local applet
    for applet in $("$tree/bin/busybox" --list | grep -vx busybox); do ln -s busybox "$tree/bin/$applet"; done
    add_program "$tree" /usr/sbin/qemu-ga /bin/qemu-ga
    add_program "$tree" /usr/sbin/dropbear /bin/dropbear
    add_program "$tree" /usr/lib/openssh/sftp-server /usr/lib/sftp-server
    mkdir -p "$tree/etc/dropbear"

    # sbin is a link here and a folder there
    cp -r --remove-destination "$HERE/root/sbin/." "$tree/bin/"
    cp -r "$HERE/root/etc" "$HERE/root/usr" "$tree/"
    chmod 0755 "$tree"/bin/{cloud-init,network,hotplug,guest-agent,shutdown,chpasswd} "$tree"/etc/rc "$tree"/etc/rc.stop \
        "$tree"/etc/acpi/PWRF/* "$tree"/usr/share/udhcpc/script
    ln -s bin/init "$tree/init"
    echo cvirt-guest >"$tree/etc/hostname"
    printf 'cvirt guest, kernel \\r on \\l\n\n' >"$tree/etc/issue"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$tree/etc/hosts"
    printf 'ID=cvirt-guest\nNAME="cvirt guest"\nPRETTY_NAME="cvirt guest"\nVERSION="1"\nVERSION_ID="1"\n' >"$tree/etc/os-release"
    ln -s /bin/sh "$tree/bin/bash"
    add_users "$tree"
    add_modules "$tree" "$release"

    (cd "$tree" && find . -mindepth 1 -printf '%P\0' | sort -z |
        cpio --null --create --format=newc --owner=0:0 --quiet --reproducible) | zstd -q -19 -T0 >"$GUEST/initrd"
    rm -rf "$tree"
}

# A disk for BIOS and UEFI machines: a FAT partition with a boot loader for each, kernel and initial
# RAM disk; an ext4 one for data.
build_disk() {
    local raw=$GUEST/guest.raw boot="$GUEST/guest.raw@@${BOOT_START_MIB}M" data_start=$((BOOT_START_MIB + BOOT_MIB))
    rm -f "$raw"
    truncate -s $((data_start + DATA_MIB + 1))M "$raw"
    sfdisk --quiet "$raw" <<EOF
label: dos
label-id: 0xc0117e57
start=${BOOT_START_MIB}MiB, size=${BOOT_MIB}MiB, type=e, bootable
start=${data_start}MiB, size=${DATA_MIB}MiB, type=83
EOF
    dd if=/usr/lib/syslinux/mbr/mbr.bin of="$raw" conv=notrunc bs=440 count=1 status=none

    mformat -i "$boot" -v CVIRT -N c0117e57 -T $((BOOT_MIB * 1024 * 1024 / SECTOR)) -h 64 -s 32 -H $((BOOT_START_MIB * 1024 * 1024 / SECTOR)) ::
    printf 'DEFAULT guest\nPROMPT 0\nTIMEOUT 0\nLABEL guest\n  KERNEL /vmlinuz\n  INITRD /initrd\n  APPEND %s\n' \
        "$KERNEL_ARGUMENTS" >"$GUEST/syslinux.cfg"
    mcopy -i "$boot" "$GUEST/syslinux.cfg" "$GUEST/vmlinuz" "$GUEST/initrd" ::
    # Debian's signed chain, from the first loader to the kernel, as secure boot asks for.
    printf 'linux /vmlinuz %s\ninitrd /initrd\nboot\n' "$KERNEL_ARGUMENTS" >"$GUEST/grub.cfg"
    mmd -i "$boot" ::/EFI ::/EFI/BOOT ::/EFI/debian
    mcopy -i "$boot" "$PACKAGES/usr/lib/shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
    mcopy -i "$boot" "$PACKAGES/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" ::/EFI/BOOT/grubx64.efi
    mcopy -i "$boot" "$GUEST/grub.cfg" ::/EFI/debian
    syslinux --install --offset $((BOOT_START_MIB * 1024 * 1024)) "$raw"

    rm -f "$GUEST/data.ext4"
    mke2fs -qF -t ext4 -L data -m 0 -O ^has_journal "$GUEST/data.ext4" ${DATA_MIB}M >/dev/null 2>&1
    dd if="$GUEST/data.ext4" of="$raw" bs=1M seek=$data_start conv=notrunc,sparse status=none
    qemu-img convert -f raw -O qcow2 "$raw" "$GUEST/guest.img"
    rm -f "$raw" "$GUEST/data.ext4" "$GUEST"/{syslinux,grub}.cfg
}

# image NAME FOLDER FILE...: an image that only carries files.
build_image() {
    local name=$1 folder=$2 tree start=$SECONDS
    shift 2
    tree=$(mktemp -d "$CACHE/tree.XXXXXX")
    install -d -m 0755 "$tree" "$tree/$folder"
    install -m 0440 "$@" "$tree/$folder/"
    layer_from_tree "$tree" "$tree.tar" $QEMU_USER $QEMU_USER
    oci_archive "$IMAGES/$name.tar" "localhost/cvirt/$name:devel" '{}' "$tree.tar"
    rm -rf "$tree" "$tree.tar"
    built "$name" $((SECONDS - start))
}

main() {
    local import=no argument release
    REFRESH=no
    for argument; do
        case $argument in
        --import) import=yes ;;
        --refresh) REFRESH=yes ;;
        *) die "usage: build.sh [--import] [--refresh]" ;;
        esac
    done
    need jq jq
    need cpio cpio
    need zstd zstd
    need depmod kmod
    need openssl openssl
    need mcopy mtools
    need syslinux syslinux
    need sfdisk fdisk
    need qemu-img qemu-utils
    [ -e /usr/lib/syslinux/mbr/mbr.bin ] || die "syslinux' boot sector is missing (Debian: syslinux-common)"
    [ "$(id -u)" -eq 0 ] || die "the guest is made by root (owners of its files)"
    mkdir -p "$GUEST" "$IMAGES"

    unpack_packages
    release=$(ls "$PACKAGES/lib/modules")
    install -m 0644 "$PACKAGES/boot/vmlinuz-$release" "$GUEST/vmlinuz"
    say "initial RAM disk for Linux $release"
    build_initrd "$release"
    say "disk"
    build_disk
    build_image guest-disk disk "$GUEST/guest.img"
    build_image guest-kernel boot "$GUEST/vmlinuz" "$GUEST/initrd"
    [ "$import" = no ] || import_images guest-disk guest-kernel
}

main "$@"
