/* SPDX-License-Identifier: Apache-2.0 */
/* What the installation's own accounts may change of a running instance (spec 02, section 5). */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules_vmi.h"

void check_own_spec_change(struct review *rv)
{
    static const char sockets[] = "spec.domain.cpu.maxSockets";

    if (jpath_int(rv->object, sockets, 0) != jpath_int(rv->old, sockets, 0))
        findings_add(&rv->findings, CAUSE_NOT_SUPPORTED, sockets, "is fixed while the machine runs");
}
