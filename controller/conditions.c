/* SPDX-License-Identifier: Apache-2.0 */
/* See conditions.h. */
#include "controller/conditions.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static const char *const fields[] = { "type",    "status",        "reason",
                                      "message", "lastProbeTime", "lastTransitionTime" };

void condition_copy(json_t *obj, const json_t *condition)
{
    json_t *copy = json_object();
    for (size_t i = 0; i < countof(fields); i++) {
        json_t *v = json_object_get(condition, fields[i]);
        if (v && !json_is_null(v))
            must_set(copy, fields[i], must_copy(v));
    }

    json_t *list = jpath_make_arr(obj, "status.conditions");
    const char *type = jpath_str(copy, "type", "");
    size_t i;
    json_t *mine;
    json_array_foreach(list, i, mine) {
        if (streq(jpath_str(mine, "type", ""), type)) {
            must(json_array_set_new(list, i, copy) == 0);
            return;
        }
    }
    must_append(list, copy);
}
