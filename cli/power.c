/* SPDX-License-Identifier: Apache-2.0 */
/* start, stop, restart, pause, unpause, soft-reboot, reset (spec 06, section 3.2). */
#include <stdio.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "kube/client.h"

static const char vms[] = "virtualmachines";
static const char vmis[] = "virtualmachineinstances";

#define DRY_RUN_FLAG                                                                      \
    {                                                                                     \
        "dry-run", 0, OPTION_BOOL, FLAG(is_dry_run),                                      \
            .dflt = "false", .help = "Let the server check the request without doing it." \
    }

const struct option pause_flags[] = { DRY_RUN_FLAG, { 0 } };

const struct option start_flags[] = {
    { "paused", 0, OPTION_BOOL, FLAG(is_paused), .dflt = "false",
      .help = "Stop before the first instruction, until the machine is unpaused." },
    DRY_RUN_FLAG,
    { 0 },
};

const struct option stop_flags[] = {
    { "force", 0, OPTION_BOOL, FLAG(is_forced), .dflt = "false",
      .help = "Do not wait for the guest; needs --grace-period." },
    { "grace-period", 0, OPTION_INT, FLAG(grace_period), .dflt = "-1", .min = -1, .max = 1LL << 40,
      .arg = "SECONDS", .help = "Seconds that the guest has to shut down." },
    DRY_RUN_FLAG,
    { 0 },
};

/* The options object, with dryRun where it was asked for (and said on stdout). */
static json_t *options_body(const struct cli *c)
{
    json_t *body = json_object();

    if (c->flags.is_dry_run) {
        (void)puts("Dry Run execution");
        must_set(body, "dryRun", must_pack("[s]", "All"));
    }
    return body;
}

int run_start(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];
    json_auto_t *body = options_body(c);

    must_set(body, "paused", json_boolean(c->flags.is_paused));
    if (cli_put(c, vms, name, "start", body, e) < 0)
        return error_wrap(e, "Error starting VirtualMachine");
    (void)printf("VM %s was scheduled to start\n", name);
    return 0;
}

static int stop_or_restart(struct cli *c, const char *name, const char *sub, const char *grace_key,
                           const char *gerund, struct error *e)
{
    bool has_grace = c->flags.grace_period >= 0;

    if (c->flags.is_forced != has_grace)
        return error_set(e, ERR_BAD_REQUEST,
                         "--force and --grace-period must be given together to %s without waiting",
                         sub);

    json_auto_t *body = options_body(c);
    if (has_grace)
        must_set(body, grace_key, json_integer(c->flags.grace_period));
    if (cli_put(c, vms, name, sub, body, e) < 0)
        return error_wrap(e, "error %s%s VirtualMachine", c->flags.is_forced ? "force " : "",
                          gerund);
    (void)printf("VM %s was scheduled to %s\n", name, sub);
    return 0;
}

int run_stop(struct cli *c, const struct option_list *args, struct error *e)
{
    return stop_or_restart(c, args->item[0], "stop", "gracePeriod", "stopping", e);
}

int run_restart(struct cli *c, const struct option_list *args, struct error *e)
{
    return stop_or_restart(c, args->item[0], "restart", "gracePeriodSeconds", "restarting", e);
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return streq(word, a) || streq(word, b);
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
                            const char *gerund, struct error *e)
{
    const char *type = args->item[0];
    const char *name = args->item[1];
    json_auto_t *vm = NULL;
    int r = 0;

    if (is_one_of(type, "vm", "virtualmachine"))
        r = kube_get(c->kube, &KIND_VM, c->namespace, name, &vm, e);
    else if (!is_one_of(type, "vmi", "virtualmachineinstance"))
        return error_set(e, ERR_BAD_REQUEST, "unknown resource type \"%s\": use vm or vmi", type);
    if (r < 0)
        return error_wrap(e, "Error getting VirtualMachine %s", name);

    json_auto_t *body = options_body(c);
    r = cli_put(c, vmis, name, sub, body, e);
    if (r == -ERR_NOT_FOUND && vm)
        r = explain_missing(vm, name, e);
    if (r < 0)
        return error_wrap(e, "Error %s VirtualMachineInstance %s", gerund, name);
    (void)printf("VMI %s was scheduled to %s\n", name, sub);
    return 0;
}

int run_pause(struct cli *c, const struct option_list *args, struct error *e)
{
    return pause_or_unpause(c, args, "pause", "pausing", e);
}

int run_unpause(struct cli *c, const struct option_list *args, struct error *e)
{
    return pause_or_unpause(c, args, "unpause", "unpausing", e);
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
