#!/bin/sh
# Finishes virt-launcher's root file system: $1 is its folder.
set -eu
root=$1

# libvirt probes every emulator that it finds, and the guests' architecture is x86_64.
rm -f "$root"/usr/bin/qemu-system-i386 "$root"/usr/bin/qemu-system-x86_64-microvm

# KubeVirt's names of the firmware; Debian builds each in several sizes, of which libvirt needs the 4 MiB ones.
mkdir -p "$root/usr/share/edk2/ovmf"
rm -f "$root"/usr/share/OVMF/OVMF_CODE.fd "$root"/usr/share/OVMF/OVMF_CODE.ms.fd \
    "$root"/usr/share/OVMF/OVMF_CODE.secboot.fd "$root"/usr/share/OVMF/OVMF_VARS.fd \
    "$root"/usr/share/OVMF/OVMF_VARS.ms.fd "$root"/usr/share/OVMF/*snakeoil*
ln -sf ../../OVMF/OVMF_CODE_4M.fd "$root/usr/share/edk2/ovmf/OVMF_CODE.fd"
ln -sf ../../OVMF/OVMF_VARS_4M.fd "$root/usr/share/edk2/ovmf/OVMF_VARS.fd"
ln -sf ../../OVMF/OVMF_CODE_4M.secboot.fd "$root/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd"
ln -sf ../../OVMF/OVMF_VARS_4M.ms.fd "$root/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"

ln -sf xorrisofs "$root/usr/bin/genisoimage"

# Files of emulators for other machines.
(cd "$root/usr/share/qemu" && rm -f ./openbios-* ./QEMU,* ./*.dtb ./hppa-* ./opensbi-* ./palcode-* ./s390-* ./npcm7xx* skiboot.lid slof.bin \
    vof.bin trace-events-all)

install -d -o 107 -g 107 "$root/var/log/libvirt" "$root/var/log/swtpm" "$root/var/lib/libvirt" "$root/var/lib/swtpm-localca"
