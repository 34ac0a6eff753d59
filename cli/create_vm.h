/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create vm: from flags to a VirtualMachine (spec 06, section 3.8).  Pure but for random names
 * where none was given.
 */
#ifndef CLI_CREATE_VM_H
#define CLI_CREATE_VM_H

#include <jansson.h>

#include "base/error.h"
#include "cli/flags.h"

struct buf;

/*
 * `namespace` is NULL unless it was given explicitly; `password` is what the password file holds,
 * or NULL.  *ret is new.  Warnings are appended to `notices`, a line each.
 */
int create_vm(const struct create_vm_flags *f, const char *namespace, const char *password,
              json_t **ret, struct buf *notices, struct error *e);

/* ---- between create_vm.c, create_volumes.c and create_cloudinit.c ---- */

struct vm_draft {
    const struct create_vm_flags *f;
    const char *name;
    const char *password;
    json_t *vm;       /* all below are parts of it, borrowed */
    json_t *pod_spec; /* spec.template.spec */
    json_t *volumes;  /* made when the first is added; NULL before */
    json_t *disks;    /* likewise */
    struct buf *notices;
    const char *cloud_init; /* as the flag says, or as an access credential asks */
    bool has_cloud_init;    /* one of them said it */
    bool manages_ssh;
};

/* Every volume that the flags ask for, in the order of their boot. */
int draft_add_volumes(struct vm_draft *d, struct error *e);
/* Append {"name": name, ...source}; source is stolen.  The name must be new and a DNS label. */
int draft_add_volume(struct vm_draft *d, const char *flag, const char *name, json_t *source,
                     struct error *e);

/* Access credentials, then the cloud-init volume. */
int draft_add_access(struct vm_draft *d, struct error *e);
int draft_add_cloud_init(struct vm_draft *d, struct error *e);

#endif
