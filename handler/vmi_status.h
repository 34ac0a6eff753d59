/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status of a VMI as its node sees it (spec 04, 1.3 and 1.6): the domain's
 * state, addresses and guest, written into a copy of the object.  Pure; what
 * the controller wrote into the same lists stays.
 */
#ifndef HANDLER_VMI_STATUS_H
#define HANDLER_VMI_STATUS_H

#include <jansson.h>

struct vmi_report {
    const char *phase;        /* to be; NULL leaves it */
    const json_t *domain;     /* NULL: none known; conditions of a domain then stay as they are */
    const json_t *pod_ips;    /* array of the pod's addresses, or NULL when not known */
    const char *sync_message; /* why the last sync failed; NULL: it did not */
    const char *now;          /* RFC 3339 */
};

/* Bring vmi.status in line with the report.  Idempotent: nothing changes the second time. */
void vmi_status_write(json_t *vmi, const struct vmi_report *r);

/*
 * The JSON patch from before to after, guarded by a test of the resourceVersion
 * of `before`.  NULL when they are equal.  New.
 */
json_t *vmi_status_patch(const json_t *before, const json_t *after);

/* Why the machine cannot be migrated: *ret_message is set; NULL when it can.  Static texts. */
const char *vmi_migration_hindrance(const json_t *vmi, const char **ret_message);

#endif
