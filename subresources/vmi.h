/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of the VirtualMachineInstance rows. */
#ifndef SUBRESOURCES_VMI_H
#define SUBRESOURCES_VMI_H

#include <jansson.h>

#include "base/error.h"
#include "subresources/routes.h"

/* Check the state, then forward to virt-handler under the subresource's own name. */
subresource_fn vmi_command;

/* The same for a stream. */
subresource_fn vmi_console;
subresource_fn vmi_vnc;

/*
 * May this subresource be used on the instance as it is now?  0, or -code with the
 * reason (spec 01, "Stream validations" and section 6).  `vm` is the machine of the
 * same name or NULL.  Pure.
 */
int vmi_allows(const char *subresource, const json_t *vmi, const json_t *vm, struct error *e);

#endif
