#!/bin/sh
# Finishes virt-launcher's root file system: $1 is its folder. With 'probe' it is itself, in a mount namespace of its own.
set -eu
root=$1

# libvirt asks QEMU what it can do at its first start, which takes longer than all the rest of the start. Keep the
# answer for software emulation. libvirt compares two change times with its own programs', which unpacking an image
# alters: whoever puts this file into libvirt's cache folder fills them in.
probe() {
    mount -t tmpfs dev "$root/dev"
    for device in null zero random urandom; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=1777 run "$root/run"
    # shellcheck disable=SC2016 # expands inside
    timeout 60 chroot --userspec=107:107 "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/run XDG_RUNTIME_DIR=/run \
        XDG_CONFIG_HOME=/run/config XDG_CACHE_HOME=/run/cache LIBVIRT_AUTOSTART=0 /bin/bash -c '
        libvirtd -f /etc/libvirt/libvirtd.conf >/dev/null 2>&1 &
        until virsh -q -c qemu:///session domcapabilities >/dev/null 2>&1; do sleep 0.2; done
        kill %1
        cat /run/cache/libvirt/qemu/cache/capabilities/*.xml'
}
if [ "${2:-}" = probe ]; then
    probe
    exit
fi

# libvirt probes every emulator that it finds, and the guests' architecture is x86_64.
rm -f "$root"/usr/bin/qemu-system-i386 "$root"/usr/libexec/qemu-system-i386 "$root"/usr/bin/qemu-system-x86_64-microvm

# What the packages bring and no pod runs.
(cd "$root/usr" && rm -rf bin/qemu-storage-daemon bin/qemu-io bin/qemu-nbd bin/openssl bin/tar share/ovmf share/adduser \
    sbin/user* sbin/group* sbin/add* sbin/del* sbin/newusers sbin/vi?? sbin/*passwd sbin/cpp? sbin/*conv \
    sbin/*ck bin/dpkg* sbin/dpkg* lib/dpkg share/dpkg)

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
(cd "$root/usr/share/qemu" &&
    rm -f ./openbios-* ./QEMU,* ./*.dtb ./hppa-* ./opensbi-* ./palcode-* ./s390-* ./npcm7xx* skiboot.lid slof.bin vof.bin \
        trace-events-all)

install -d -o 107 -g 107 "$root/var/log/libvirt" "$root/var/log/swtpm" "$root/var/lib/libvirt" "$root/var/lib/swtpm-localca"

# Only QEMU machines run here; without the other drivers the daemon starts faster and stays smaller.
(cd "$root/usr/lib/x86_64-linux-gnu/libvirt/connection-driver" &&
    rm -f libvirt_driver_interface.so libvirt_driver_network.so libvirt_driver_nodedev.so libvirt_driver_nwfilter.so)

capabilities=$root/usr/share/cvirt/qemu-capabilities.xml
mkdir -p "${capabilities%/*}"
unshare --mount "$0" "$root" probe >"$capabilities"
sed -E -i 's/<(qemuctime|selfctime)>[0-9]+</<\1>0</' "$capabilities"
grep -q '<qemuCaps>' "$capabilities"
