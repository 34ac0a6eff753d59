/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.domain.devices.disks. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(block_size_custom_type, "CustomBlockSize", "Block sizes that the guest is told.",
    INT("discardGranularity", "Bytes that a discard is a multiple of.", INERT, UNSIGNED),
    INT("logical", "Bytes of the smallest write, a power of two from 512.", UNSIGNED),
    INT("physical", "Bytes of a block of the medium, at least the logical size.", UNSIGNED));

TYPE(disk_block_size_type, "BlockSize", "Block sizes that the guest is told; one of the two.",
    OBJECT("custom", block_size_custom_type, "Sizes given here."),
    OBJECT("matchVolume", feature_switch_type, "Sizes of the volume behind the disk.", INERT));

TYPE(cdrom_target_type, "CDRomTarget", "The volume is a CD-ROM.",
    STRING("bus", "Bus of the drive: sata, scsi or usb."),
    BOOL("readonly", "The guest cannot write; yes when absent."),
    STRING("tray", "Whether the tray is open or closed; closed when absent."));

TYPE(disk_target_type, "DiskTarget", "The volume is a disk.",
    STRING("bus", "Bus of the disk: virtio, sata, scsi or usb."),
    STRING("pciAddress", "PCI address in the guest, such as 0000:81:01.10; virtio only."),
    BOOL("readonly", "The guest cannot write."));

TYPE(lun_target_type, "LunTarget", "The volume is a SCSI device that the guest may send any command to.",
    STRING("bus", "Bus of the unit: scsi, virtio or sata."),
    BOOL("readonly", "The guest cannot write."),
    BOOL("reservation", "Let the guest use persistent reservations.", INERT));

TYPE(disk_type, "Disk", "How the guest sees one volume; at most one of disk, cdrom and lun.",
    OBJECT("blockSize", disk_block_size_type, "Block sizes that the guest is told."),
    INT("bootOrder", "Place in the boot order, from 1.", UNSIGNED),
    STRING("cache", "Host cache: none, writethrough or writeback."),
    OBJECT("cdrom", cdrom_target_type, "Show it as a CD-ROM."),
    BOOL("changedBlockTracking", "Keep track of what changes, for incremental backups.", INERT),
    BOOL("dedicatedIOThread", "Give the disk a thread of its own; virtio only."),
    OBJECT("disk", disk_target_type, "Show it as a disk; so when none of the three is given."),
    STRING("errorPolicy", "What an I/O error does to the guest: stop, ignore, report or enospace."),
    STRING("io", "How the host does the I/O: native or threads."),
    OBJECT("lun", lun_target_type, "Show it as a SCSI device."),
    STRING("name", "Name of the volume.", REQUIRED),
    STRING("serial", "Serial number the guest reads."),
    BOOL("shareable", "Several machines may write at once."),
    STRING("tag", "Told to the guest with the device's address, by cloud-init.", INERT));
// clang-format on
