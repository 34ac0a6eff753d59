/* SPDX-License-Identifier: Apache-2.0 */
/* start, stop, restart, pause, unpause, soft-reboot, reset (spec 06, section 3.2). */
#include <stdio.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/machine_kind.h"
#include "cli/wait.h"
#include "kube/client.h"

static const char vms[] = "virtualmachines";
static const char vmis[] = "virtualmachineinstances";

const struct option dry_run_flags[] = { DRY_RUN_FLAG, { 0 } };

const struct option pause_flags[] = { DRY_RUN_FLAG, WAIT_FLAGS, { 0 } };

const struct option start_flags[] = {
    { "paused", 0, OPTION_BOOL, FLAG(is_paused), .dflt = "false",
      .help = "Stop before the first instruction, until the machine is unpaused." },
    DRY_RUN_FLAG,
    WAIT_FLAGS,
    { 0 },
};

const struct option stop_flags[] = {
    { "force", 0, OPTION_BOOL, FLAG(is_forced), .dflt = "false",
      .help = "Do not wait for the guest; needs --grace-period." },
    { "grace-period", 0, OPTION_INT, FLAG(grace_period), .dflt = "-1", .min = -1, .max = 1LL << 40,
      .arg = "SECONDS", .help = "Seconds that the guest has to shut down." },
    DRY_RUN_FLAG,
    WAIT_FLAGS,
    { 0 },
};

int run_start(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];
    struct wait wait = { .kind = c->flags.is_paused ? WAIT_PAUSED : WAIT_RUNNING, .name = name };

    if (wait_begin(&wait, c, e) < 0)
        return -(int)e->code;

    json_auto_t *body = cli_options(c);
    must_set(body, "paused", json_boolean(c->flags.is_paused));
    if (cli_put(c, vms, name, "start", body, e) < 0)
        return cli_prefix(e, "Error starting VirtualMachine ");
    (void)printf("VM %s was scheduled to start\n", name);
    return wait_for(&wait, c, e);
}

struct stopping {
    const char *sub, *grace_key;
    const char *failure; /* before the server's words */
    enum wait_kind wait;
};

static int stop_or_restart(struct cli *c, const char *name, const struct stopping *s,
                           struct error *e)
{
    bool has_grace = c->flags.grace_period >= 0;
    struct wait wait = { .kind = s->wait, .name = name };

    if (c->flags.is_forced != has_grace)
        return error_set(e, ERR_BAD_REQUEST,
                         "--force and --grace-period must be given together to %s without waiting",
                         s->sub);
    if (wait_begin(&wait, c, e) < 0)
        return -(int)e->code;

    json_auto_t *body = cli_options(c);
    if (has_grace)
        must_set(body, s->grace_key, json_integer(c->flags.grace_period));
    if (cli_put(c, vms, name, s->sub, body, e) < 0)
        return cli_prefix(e, "error %s%s", c->flags.is_forced ? "force " : "", s->failure);
    (void)printf("VM %s was scheduled to %s\n", name, s->sub);
    return wait_for(&wait, c, e);
}

int run_stop(struct cli *c, const struct option_list *args, struct error *e)
{
    static const struct stopping stop = { "stop", "gracePeriod", "stopping VirtualMachine ",
                                          WAIT_STOPPED };

    return stop_or_restart(c, args->item[0], &stop, e);
}

int run_restart(struct cli *c, const struct option_list *args, struct error *e)
{
    static const struct stopping restart = { "restart", "gracePeriodSeconds",
                                             "restarting VirtualMachine: ", WAIT_RESTARTED };

    return stop_or_restart(c, args->item[0], &restart, e);
}

/* Why the instance of a VM is not there, in words that help. */
static int explain_missing(const json_t *vm, const char *name, struct error *e)
{
    const char *strategy = jpath_str(vm, "spec.runStrategy",
                                     jpath_bool(vm, "spec.running", false) ? "Always" : "Halted");

    if (streq(strategy, "Halted"))
        return error_set(e, ERR_NOT_FOUND, "VirtualMachine %s is not set to run", name);
    return error_set(e, ERR_NOT_FOUND, "the VirtualMachineInstance of %s was not found", name);
}

static int pause_or_unpause(struct cli *c, const struct option_list *args, const char *sub,
                            const char *gerund, enum wait_kind wait_kind, struct error *e)
{
    const struct machine_kind *kind = machine_kind(args->item[0]);
    const char *name = args->item[1];
    struct wait wait = { .kind = wait_kind, .name = name };
    json_auto_t *vm = NULL;

    if (!kind || kind->kind == &KIND_VMIRS)
        return error_set(e, ERR_BAD_REQUEST, "unknown resource type \"%s\": use vm or vmi",
                         args->item[0]);
    if (kind->kind == &KIND_VM && kube_get(c->kube, &KIND_VM, c->namespace, name, &vm, e) < 0)
        return error_wrap(e, "Error getting VirtualMachine %s", name);
    if (wait_begin(&wait, c, e) < 0)
        return -(int)e->code;

    json_auto_t *body = cli_options(c);
    int r = cli_put(c, vmis, name, sub, body, e);
    if (r == -ERR_NOT_FOUND && vm)
        r = explain_missing(vm, name, e);
    if (r < 0)
        return error_wrap(e, "Error %s VirtualMachineInstance %s", gerund, name);
    (void)printf("VMI %s was scheduled to %s\n", name, sub);
    return wait_for(&wait, c, e);
}

int run_pause(struct cli *c, const struct option_list *args, struct error *e)
{
    return pause_or_unpause(c, args, "pause", "pausing", WAIT_PAUSED, e);
}

int run_unpause(struct cli *c, const struct option_list *args, struct error *e)
{
    return pause_or_unpause(c, args, "unpause", "unpausing", WAIT_UNPAUSED, e);
}

int run_soft_reboot(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];

    if (cli_put(c, vmis, name, "softreboot", NULL, e) < 0)
        return error_wrap(e, "Error soft rebooting VirtualMachineInstance %s", name);
    (void)printf("VMI %s was scheduled to soft-reboot\n", name);
    return 0;
}

int run_reset(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];

    if (cli_put(c, vmis, name, "reset", NULL, e) < 0)
        return error_wrap(e, "Error reseting VirtualMachineInstance %s", name);
    (void)printf("VMI %s was scheduled to reset\n", name);
    return 0;
}
