/* SPDX-License-Identifier: Apache-2.0 */
/* migrate, migrate-cancel, evacuate-cancel (spec 06, section 3.2). */
#include <stdio.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/machine_kind.h"
#include "cli/wait.h"
#include "kube/client.h"

const struct option migrate_flags[] = {
    { "addedNodeSelector", 0, OPTION_STRINGS, FLAG(added_node_selector), .arg = "KEY=VALUE,...",
      .help = "Only to a node with these labels." },
    DRY_RUN_FLAG,
    WAIT_FLAGS,
    { 0 },
};

int run_migrate(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];
    json_auto_t *selector = NULL;
    struct wait wait = { .kind = WAIT_MIGRATED, .name = name };

    if (document_pairs(&c->flags.added_node_selector, "addedNodeSelector", &selector, e) < 0 ||
        wait_begin(&wait, c, e) < 0)
        return -(int)e->code;

    json_auto_t *body = cli_options(c);
    if (selector)
        must_set(body, "addedNodeSelector", json_incref(selector));
    if (cli_put(c, "virtualmachines", name, "migrate", body, e) < 0)
        return error_wrap(e, "Error migrating VirtualMachine");
    (void)printf("VM %s was scheduled to migrate\n", name);
    return wait_for(&wait, c, e);
}

static bool is_under_way(const json_t *migration)
{
    const char *phase = jpath_str(migration, "status.phase", "");

    return !streq(phase, "Succeeded") && !streq(phase, "Failed");
}

int run_migrate_cancel(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];
    scoped(free) char *escaped = http_escape(name);
    scoped(free) char *query =
        must_asprintf("labelSelector=kubevirt.io%%2Fvmi-name%%3D%%3D%s", escaped);
    json_auto_t *list = NULL;
    json_auto_t *options = cli_options(c);
    const char *migration = NULL;
    size_t i;
    json_t *item;

    if (kube_list(c->kube, &KIND_MIGRATION, c->namespace, query, &list, e) < 0)
        return error_wrap(e, "Error fetching virtual machine instance migration list");
    json_array_foreach(list, i, item)
        if (!migration && is_under_way(item))
            migration = meta_name(item);
    if (!migration)
        return error_set(e, ERR_NOT_FOUND, "Found no migration to cancel for %s", name);
    if (kube_delete(c->kube, &KIND_MIGRATION, c->namespace, migration, options, e) < 0)
        return error_wrap(e, "Error canceling migration %s of a VirtualMachine %s", migration,
                          name);
    (void)printf("VM %s was scheduled to migrate-cancel\n", name);
    return 0;
}

int run_evacuate_cancel(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[1];
    const struct machine_kind *kind = machine_kind(args->item[0]);
    json_auto_t *vmi = NULL;

    if (!kind || kind->kind == &KIND_VMIRS)
        return error_set(e, ERR_BAD_REQUEST, "unsupported resource type \"%s\": use vm or vmi",
                         args->item[0]);
    if (kube_get(c->kube, &KIND_VMI, c->namespace, name, &vmi, e) < 0)
        return error_wrap(e, "Error getting VirtualMachineInstance %s", name);

    const char *node = jpath_str(vmi, "status.nodeName", "");
    if (!*node)
        return error_set(e, ERR_CONFLICT, "VirtualMachineInstance %s is on no node", name);

    json_auto_t *body = cli_options(c);
    must_set(body, "evacuationNodeName", must_pack("s", node));
    if (cli_put(c, kind->kind->plural, name, "evacuate/cancel", body, e) < 0)
        return error_wrap(e, "Error canceling the evacuation of %s %s", kind->label, name);
    (void)printf("%s %s/%s was canceled evacuation\n", kind->label, c->namespace, name);
    return 0;
}
