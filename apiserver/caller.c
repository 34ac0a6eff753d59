/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/caller.h"

#include "base/jpath.h"
#include "base/str.h"
#include "subresources/ticket.h"

void caller_done(struct caller *c)
{
    json_decref(c->info);
    *c = (struct caller){ 0 };
}

bool caller_in_group(const struct caller *c, const char *group)
{
    size_t i;
    json_t *item;

    json_array_foreach(jpath_arr(c->info, "groups"), i, item)
        if (streq(json_string_value(item), group))
            return true;
    return false;
}

bool caller_has_link(const struct caller *c)
{
    return *c->only.namespace != '\0';
}

int caller_check_machine(const struct caller *c, const char *namespace, const char *name,
                         struct error *e)
{
    if (!caller_has_link(c) || (streq(c->only.namespace, namespace) && streq(c->only.name, name)))
        return 0;
    return error_set(e, ERR_FORBIDDEN, "this link is for the machine \"%s/%s\" only",
                     c->only.namespace, c->only.name);
}

int caller_check_object(const struct caller *c, const json_t *obj, struct error *e)
{
    if (!caller_has_link(c) || streq(c->only.machine_uid, machine_uid(obj)))
        return 0;
    return error_set(e, ERR_FORBIDDEN,
                     "this link was given for an earlier machine of the name \"%s\": ask for a new "
                     "one",
                     c->only.name);
}
