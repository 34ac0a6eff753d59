/* SPDX-License-Identifier: Apache-2.0 */
/* guestosinfo, userlist, fslist: what the guest agent says. */
#include <stdio.h>

#include "base/must.h"
#include "base/scope.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "kube/client.h"

const struct option guest_flags[] = { OUTPUT_FLAG, { 0 } };

static int print_subresource(struct cli *c, const char *name, const char *sub, const char *what,
                             struct error *e)
{
    scoped(free) char *path = cli_subresource(c, "virtualmachineinstances", name, sub);
    json_auto_t *answer = NULL;

    if (cli_get(c, path, &answer, e) < 0)
        return cli_prefix(e, "Error %s of VirtualMachineInstance %s, ", what, name);
    return document_print(answer, c->flags.output, 2, e);
}

int run_guestosinfo(struct cli *c, const struct option_list *args, struct error *e)
{
    return print_subresource(c, args->item[0], "guestosinfo", "getting guestosinfo", e);
}

int run_userlist(struct cli *c, const struct option_list *args, struct error *e)
{
    return print_subresource(c, args->item[0], "userlist", "listing users", e);
}

int run_fslist(struct cli *c, const struct option_list *args, struct error *e)
{
    return print_subresource(c, args->item[0], "filesystemlist", "listing filesystems", e);
}
