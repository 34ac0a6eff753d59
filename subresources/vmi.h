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
subresource_fn vmi_usbredir;
subresource_fn vmi_vsock;

/*
 * What virt-handler is asked for: `subresource` with the parameters that it knows, written anew
 * ("vnc?preserveSession=false&shared=true"; docs/STREAMS.md).  Values are those of the query, NULL
 * when absent; what is not true in Go's eyes is false.  New string.
 */
struct session_wish {
    const char *preserve_session, *shared, *observe, *take_over;
};
char *vmi_session_path(const char *subresource, const struct session_wish *w);

/*
 * "vsock?port=1&tls=true" of the query's two values, either may be NULL (spec 01, 3.2).  New
 * string, or NULL with *e filled: -ERR_BAD_REQUEST.
 */
char *vmi_vsock_path(const char *port, const char *tls, struct error *e);

/*
 * May this subresource be used on the instance as it is now?  0, or -code with the
 * reason (spec 01, "Stream validations" and section 6).  `vm` is the machine of the
 * same name or NULL.  Pure.
 */
int vmi_allows(const char *subresource, const json_t *vmi, const json_t *vm, struct error *e);

#endif
