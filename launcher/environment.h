/* SPDX-License-Identifier: Apache-2.0 */
/* What this pod offers to the domain: KVM, CPUs, firmware files.  Asked anew at each start. */
#ifndef LAUNCHER_ENVIRONMENT_H
#define LAUNCHER_ENVIRONMENT_H

#include "launcher/domain.h"

/* Owns its strings.  Zero-initialise. */
struct environment {
    bool is_kvm_usable;
    int cpus[DOMAIN_CPUS_MAX];
    size_t cpus_len;
    char *firmware[4]; /* code, vars, secure code, secure vars */
};

/* `ovmf_path` is looked into first, then the places where distributions put the files. */
void environment_read(struct environment *v, const char *ovmf_path);
void environment_done(struct environment *v);
struct domain_firmware environment_firmware(const struct environment *v);

#endif
