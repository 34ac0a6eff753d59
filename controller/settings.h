/* SPDX-License-Identifier: Apache-2.0 */
/* virt-controller's command line: one table gives parsing, --help and the man page. */
#ifndef CONTROLLER_SETTINGS_H
#define CONTROLLER_SETTINGS_H

#include <stdbool.h>

#include "base/options.h"

/* Strings point into argv or the table. */
struct settings {
    const char *listen;
    long long port;
    const char *kubeconfig, *master;
    const char *namespace; /* "": of the service account or the kubeconfig */
    long long verbosity;

    const char *launcher_image;
    const char *image_pull_secret;
    long long launcher_qemu_timeout_s;
    const char *share_dir, *ephemeral_disk_dir, *container_disk_dir, *hotplug_disk_dir;
    long long launcher_gid;

    const char *cert_file, *key_file;
    long long lease_duration_ms, renew_deadline_ms, retry_period_ms;
    long long vm_threads, vmi_threads, rs_threads, node_threads;
    bool is_cert_rotation_off;
};

extern const struct option_program settings_program;

#endif
