/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things lie inside the launcher's pod (spec 05, sections 3.1 and 3.4; docs/LAUNCHER-API.md).
 * The four directories that have a flag are in struct layout; the rest is fixed by
 * the mounts that virt-controller gives the pod.
 */
#ifndef LAUNCHER_LAYOUT_H
#define LAUNCHER_LAYOUT_H

#define PRIVATE_DIR "/var/run/kubevirt-private"
#define LIBVIRT_RUN_DIR "/var/run/libvirt"
#define IMAGE_VOLUME_DIR "/var/run/kubevirt-image-volume"
#define KERNEL_BOOT_DIR "/var/run/kubevirt-kernel-boot"
#define VMI_DISKS_DIR PRIVATE_DIR "/vmi-disks"
#define SECRET_DIR PRIVATE_DIR "/secret"
#define EMPTY_DISKS_DIR LIBVIRT_RUN_DIR "/empty-disks"
#define NETWORK_FILE PRIVATE_DIR "/network.json"
#define NVRAM_DIR PRIVATE_DIR "/libvirt/qemu/nvram"

struct layout {
    const char *share_dir;          /* /var/run/kubevirt */
    const char *ephemeral_dir;      /* /var/run/kubevirt-ephemeral-disks */
    const char *container_disk_dir; /* /var/run/kubevirt/container-disks */
    const char *hotplug_dir;        /* /var/run/kubevirt/hotplug-disks */
};

#define LAYOUT_DEFAULT                                             \
    ((struct layout){                                              \
        .share_dir = "/var/run/kubevirt",                          \
        .ephemeral_dir = "/var/run/kubevirt-ephemeral-disks",      \
        .container_disk_dir = "/var/run/kubevirt/container-disks", \
        .hotplug_dir = "/var/run/kubevirt/hotplug-disks",          \
    })

#endif
