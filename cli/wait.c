/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wait.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/progress.h"
#include "kube/client.h"

enum { LOOK_MS = 500, EXIT_INTERRUPTED = 130 };

static const char *const wanted[] = {
    [WAIT_RUNNING] = "running", [WAIT_STOPPED] = "stopped",   [WAIT_RESTARTED] = "restarted",
    [WAIT_PAUSED] = "paused",   [WAIT_UNPAUSED] = "unpaused", [WAIT_MIGRATED] = "migrated",
};

/* 0 also when there is none: *ret is NULL then. */
static int look(struct cli *c, const struct kube_kind *kind, const char *name, json_t **ret,
                struct error *e)
{
    int r = kube_get(c->kube, kind, c->namespace, name, ret, e);

    return r == -ERR_NOT_FOUND ? 0 : r;
}

int wait_begin(struct wait *w, struct cli *c, struct error *e)
{
    json_auto_t *vmi = NULL;

    w->before[0] = '\0';
    if (!c->flags.wait.is_wanted || c->flags.is_dry_run)
        return 0;
    if (look(c, &KIND_VMI, w->name, &vmi, e) < 0)
        return error_wrap(e, "Error getting VirtualMachineInstance %s", w->name);
    (void)snprintf(w->before, sizeof(w->before), "%s",
                   w->kind == WAIT_MIGRATED
                       ? jpath_str(vmi, "status.migrationState.migrationUid", "")
                       : meta_uid(vmi));
    return 0;
}

static enum wait_state decide_migrated(const struct wait *w, const json_t *vmi,
                                       const char **ret_text)
{
    const json_t *m = jpath_obj(vmi, "status.migrationState");

    if (!m || streq(jpath_str(m, "migrationUid", ""), w->before)) {
        *ret_text = "Pending";
        return WAIT_GOES_ON;
    }
    *ret_text = "Migrating";
    if (jpath_bool(m, "failed", false)) {
        *ret_text = jpath_str(m, "failureReason", "the migration failed");
        return WAIT_FAILED;
    }
    return jpath_bool(m, "completed", false) ? WAIT_REACHED : WAIT_GOES_ON;
}

static enum wait_state decide_running(const struct wait *w, const json_t *vmi, const char *phase)
{
    if (w->kind == WAIT_RESTARTED && streq(meta_uid(vmi), w->before))
        return WAIT_GOES_ON;
    if (streq(phase, "Failed"))
        return WAIT_FAILED;
    return streq(phase, "Running") ? WAIT_REACHED : WAIT_GOES_ON;
}

enum wait_state wait_decide(const struct wait *w, const json_t *vm, const json_t *vmi,
                            const char **ret_text)
{
    const char *phase = jpath_str(vmi, "status.phase", "");
    const bool is_paused = condition_is_true(vmi, "Paused");

    *ret_text = jpath_str(vm, "status.printableStatus", *phase ? phase : "Stopped");
    switch (w->kind) {
    case WAIT_STOPPED:
        return !vmi || streq(phase, "Succeeded") || streq(phase, "Failed") ? WAIT_REACHED
                                                                           : WAIT_GOES_ON;
    case WAIT_RUNNING:
    case WAIT_RESTARTED:
        return vmi ? decide_running(w, vmi, phase) : WAIT_GOES_ON;
    case WAIT_PAUSED:
        return is_paused ? WAIT_REACHED : WAIT_GOES_ON;
    case WAIT_UNPAUSED:
        return vmi && !is_paused ? WAIT_REACHED : WAIT_GOES_ON;
    case WAIT_MIGRATED:
        return decide_migrated(w, vmi, ret_text);
    }
    return WAIT_FAILED;
}

static void interrupted(int signal_number)
{
    static const char newline[] = "\n";

    (void)!write(STDERR_FILENO, newline, 1);
    _exit(EXIT_INTERRUPTED);
}

static int look_and_decide(const struct wait *w, struct cli *c, enum wait_state *ret_state,
                           char text[64], struct error *e)
{
    json_auto_t *vm = NULL;
    json_auto_t *vmi = NULL;
    const char *word = "";

    if (look(c, &KIND_VM, w->name, &vm, e) < 0 || look(c, &KIND_VMI, w->name, &vmi, e) < 0)
        return -(int)e->code;
    *ret_state = wait_decide(w, vm, vmi, &word);
    (void)snprintf(text, 64, "%s", word);
    return 0;
}

int wait_for(const struct wait *w, struct cli *c, struct error *e)
{
    const int64_t began_ms = clock_mono_ms(&clock_real);
    const long long limit_ms = c->flags.wait.timeout_ms;
    enum wait_state state = WAIT_GOES_ON;
    struct progress progress = { 0 };
    char text[64] = "";
    int r = 0;

    if (!c->flags.wait.is_wanted || c->flags.is_dry_run)
        return 0;
    (void)fflush(stdout);
    (void)signal(SIGINT, interrupted);
    for (;;) {
        /* A server that is away for a moment is asked again. */
        r = look_and_decide(w, c, &state, text, e);
        if (r < 0 && !error_is_unanswered(r))
            break;
        progress_show(&progress, "%s: %s", w->name, r < 0 ? "no answer from the server" : text);
        if (r == 0 && state != WAIT_GOES_ON)
            break;
        if (limit_ms > 0 && clock_mono_ms(&clock_real) - began_ms >= limit_ms) {
            r = error_set(e, ERR_TIMEOUT, "%s is not %s after %lld s: %s", w->name, wanted[w->kind],
                          limit_ms / 1000, *text ? text : e->msg);
            break;
        }
        (void)poll(NULL, 0, LOOK_MS);
    }
    (void)signal(SIGINT, SIG_DFL);
    progress_end(&progress);
    if (r < 0)
        return r;
    if (state == WAIT_FAILED)
        return error_set(e, ERR_CONFLICT, "%s was not %s: %s", w->name, wanted[w->kind], text);
    (void)printf("%s is %s\n", w->name, wanted[w->kind]);
    return 0;
}
