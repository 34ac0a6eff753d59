/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start, stop and restart of a VirtualMachine: which patch they come down to
 * (spec 01, section 6).  Pure; tested as tables.
 */
#ifndef SUBRESOURCES_POWER_H
#define SUBRESOURCES_POWER_H

#include <jansson.h>

#include "base/error.h"

/* What to send to the API server, in this order. */
struct power_plan {
    json_t *vmi_patch;  /* JSON patch of the instance, or NULL */
    json_t *vmi_undo;   /* sent if vm_patch is refused, or NULL */
    json_t *vm_patch;   /* JSON patch of the machine, or NULL: nothing to do */
    const char *vm_sub; /* NULL: the object; "status": its status */
};
void power_plan_done(struct power_plan *p);

/* vmi is NULL when there is none.  -ERR_CONFLICT with the reason, -ERR_BAD_REQUEST for bad options.
 */
int power_start(const json_t *vm, const json_t *vmi, const json_t *options, struct power_plan *ret,
                struct error *e);
int power_stop(const json_t *vm, const json_t *vmi, const json_t *options, struct power_plan *ret,
               struct error *e);
int power_restart(const json_t *vm, const json_t *vmi, const json_t *options,
                  struct power_plan *ret, struct error *e);

/*
 * Effective run strategy of a VirtualMachine: runStrategy, or Always/Halted of
 * `running`.  NULL with *e filled when both are set.
 */
const char *vm_run_strategy(const json_t *vm, struct error *e);

#endif
