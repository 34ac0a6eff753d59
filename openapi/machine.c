/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/machine.h"

#include "base/jpath.h"
#include "base/str.h"

bool phase_is_final(const char *phase)
{
    return streq(phase, PHASE_SUCCEEDED) || streq(phase, PHASE_FAILED);
}

bool phase_is(const json_t *obj, const char *phase)
{
    return obj && streq(jpath_str(obj, "status.phase", ""), phase);
}

bool vmi_is_final(const json_t *vmi)
{
    return phase_is_final(jpath_str(vmi, "status.phase", ""));
}
