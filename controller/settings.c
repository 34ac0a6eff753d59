/* SPDX-License-Identifier: Apache-2.0 */
/* virt-controller's options; names and defaults are upstream's. */
#include "controller/settings.h"

#define AT(member) OPTION_AT(struct settings, member)
#define THREADS(name_, member_, dflt_, help_)                                               \
    {                                                                                       \
        .name = name_, .type = OPTION_INT, AT(member_), .dflt = dflt_, .min = 1, .max = 64, \
        .arg = "N", .help = help_                                                           \
    }
#define NO_EFFECT(name_)                                                  \
    {                                                                     \
        .name = name_, .type = OPTION_IGNORED, .arg = "VALUE", .help = "" \
    }

// clang-format off
static const struct option options[] = {
    { .name = "listen", .type = OPTION_STRING, AT(listen), .dflt = "0.0.0.0", .arg = "ADDR",
      .help = "address of the HTTPS listener (metrics, health, leader)" },
    { .name = "port", .type = OPTION_INT, AT(port), .dflt = "8182", .min = 0, .max = 65535,
      .arg = "N", .help = "its port; 0 picks a free one" },
    { .name = "kubeconfig", .type = OPTION_STRING, AT(kubeconfig), .dflt = "", .arg = "FILE",
      .help = "reach the API server as this file says, instead of as the pod's service account" },
    { .name = "master", .type = OPTION_STRING, AT(master), .dflt = "", .arg = "URL",
      .help = "address of the API server, instead of the kubeconfig's" },
    { .name = "namespace", .type = OPTION_STRING, AT(namespace), .dflt = "", .arg = "NAME",
      .help = "namespace of the installation, instead of the service account's or kubeconfig's" },
    { .name = "v", .letter = 'v', .type = OPTION_INT, AT(verbosity), .dflt = "2", .min = 0,
      .max = 9, .arg = "N", .help = "verbosity: 0 warnings, 2 what happens, 4 everything" },

    { .name = "launcher-image", .type = OPTION_STRING, AT(launcher_image),
      .dflt = "virt-launcher", .arg = "IMAGE", .help = "image of the pods that run machines" },
    { .name = "image-pull-secret", .type = OPTION_STRING, AT(image_pull_secret), .dflt = "",
      .arg = "NAME", .help = "pull secret that these pods name for it" },
    { .name = "launcher-qemu-timeout", .type = OPTION_INT, AT(launcher_qemu_timeout_s),
      .dflt = "240", .min = 1, .max = 86400, .arg = "SECONDS",
      .help = "how long a launcher waits for QEMU to start; up to 119 s are added at random" },
    { .name = "kubevirt-share-dir", .type = OPTION_STRING, AT(share_dir),
      .dflt = "/var/run/kubevirt", .arg = "DIR", .help = "folder shared by handler and launcher" },
    { .name = "ephemeral-disk-dir", .type = OPTION_STRING, AT(ephemeral_disk_dir),
      .dflt = "/var/run/kubevirt-ephemeral-disks", .arg = "DIR",
      .help = "folder of disks that live as long as their pod" },
    { .name = "container-disk-dir", .type = OPTION_STRING, AT(container_disk_dir),
      .dflt = "/var/run/kubevirt/container-disks", .arg = "DIR",
      .help = "folder of container disks" },
    { .name = "hotplug-disk-dir", .type = OPTION_STRING, AT(hotplug_disk_dir),
      .dflt = "/var/run/kubevirt/hotplug-disks", .arg = "DIR",
      .help = "folder of volumes that come while a machine runs" },
    { .name = "launcher-subgid", .type = OPTION_INT, AT(launcher_gid), .dflt = "107", .min = 1,
      .max = 65535, .arg = "GID", .help = "fsGroup of the launcher's pod" },

    { .name = "prom-cert-file", .type = OPTION_STRING, AT(cert_file),
      .dflt = "/etc/virt-controller/certificates/tls.crt", .arg = "FILE",
      .help = "served certificate; followed as it changes" },
    { .name = "prom-key-file", .type = OPTION_STRING, AT(key_file),
      .dflt = "/etc/virt-controller/certificates/tls.key", .arg = "FILE", .help = "its key" },
    { .name = "no-certificate-rotation", .type = OPTION_BOOL, AT(is_cert_rotation_off),
      .dflt = "false", .help = "leave the installation's certificates to somebody else" },

    { .name = "leader-elect-lease-duration", .type = OPTION_DURATION, AT(lease_duration_ms),
      .dflt = "15s", .arg = "TIME", .help = "how long a silent leader is waited for" },
    { .name = "leader-elect-renew-deadline", .type = OPTION_DURATION, AT(renew_deadline_ms),
      .dflt = "10s", .arg = "TIME", .help = "how long the leader tries to renew before it ends" },
    { .name = "leader-elect-retry-period", .type = OPTION_DURATION, AT(retry_period_ms),
      .dflt = "2s", .arg = "TIME", .help = "time between two tries" },

    THREADS("vm-controller-threads", vm_threads, "3", "workers for virtual machines"),
    THREADS("vmi-controller-threads", vmi_threads, "10", "workers for instances"),
    THREADS("rs-controller-threads", rs_threads, "3", "workers for replica sets"),
    THREADS("node-controller-threads", node_threads, "3", "workers for nodes"),

    NO_EFFECT("exporter-image"),
    NO_EFFECT("leader-elect-resource-lock"),
    NO_EFFECT("node-topology-update-period"),
    NO_EFFECT("snapshot-controller-resync-period"),
    NO_EFFECT("additional-launcher-annotations-sync"),
    NO_EFFECT("additional-launcher-labels-sync"),
    NO_EFFECT("pool-controller-threads"),
    NO_EFFECT("migration-controller-threads"),
    NO_EFFECT("evacuation-controller-threads"),
    NO_EFFECT("disruption-budget-controller-threads"),
    NO_EFFECT("snapshot-controller-threads"),
    NO_EFFECT("restore-controller-threads"),
    NO_EFFECT("export-controller-threads"),
    NO_EFFECT("clone-controller-threads"),
    NO_EFFECT("backup-controller-threads"),
    { 0 },
};
// clang-format on

const struct option_program settings_program = {
    .name = "virt-controller",
    .summary = "Turns VirtualMachines into instances, instances into pods, and keeps their status.",
    .options = options,
};
