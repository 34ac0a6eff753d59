/* SPDX-License-Identifier: Apache-2.0 */
/* The decisions of decide.h.  Pure. */
#include "handler/decide.h"

#include <string.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/machine.h"

enum {
    SOON_MS = 1000,
    RESEND_MS = 5000,              /* a shutdown request is repeated this often */
    SLOW_START_MS = 5 * 60 * 1000, /* libvirt may show a domain as off before it starts */
    HEALTH_MS = 10 * 1000,         /* a launcher that refuses is looked at this often */
    DEFAULT_GRACE_S = 30,
};

const char *const handler_action_names[] = {
    [HANDLER_NOTHING] = "nothing",   [HANDLER_WAIT] = "wait", [HANDLER_SYNC] = "sync",
    [HANDLER_SHUTDOWN] = "shutdown", [HANDLER_KILL] = "kill", [HANDLER_DELETE] = "delete",
    [HANDLER_CLEANUP] = "cleanup",
};

/* What each state of a domain means: is there a QEMU, and is the machine running for its user? */
static const struct domain_state {
    const char *name;
    bool is_alive;
    bool is_running;
} domain_states[] = {
    { "NoState", false, false }, { "Running", true, true },      { "Blocked", true, true },
    { "Paused", true, true },    { "ShuttingDown", true, true }, { "Shutoff", false, false },
    { "Crashed", false, false }, { "PMSuspended", true, true },  { "Unknown", true, false },
};

static const struct domain_state *state_of(const json_t *domain)
{
    const char *name = jpath_str(domain, "state", "");

    for (size_t i = 0; i < countof(domain_states); i++) {
        if (streq(name, domain_states[i].name))
            return &domain_states[i];
    }
    return NULL;
}

bool domain_is_alive(const json_t *domain)
{
    const struct domain_state *s = domain ? state_of(domain) : NULL;

    /* A word that is not known is not a proof of death. */
    return domain && (!s || s->is_alive);
}

bool vmi_is_on_node(const json_t *vmi, const char *node)
{
    const char *label = meta_label(vmi, "kubevirt.io/nodeName");

    return streq(jpath_str(vmi, "status.nodeName", ""), node) || streq(label, node);
}

int64_t grace_seconds(const json_t *vmi, const json_t *domain)
{
    json_int_t of_domain = jpath_int(domain, "gracePeriod.seconds", DEFAULT_GRACE_S);
    json_int_t s = jpath_int(vmi, "spec.terminationGracePeriodSeconds", of_domain);

    return s < 0 ? DEFAULT_GRACE_S : s;
}

static bool has_acpi(const json_t *vmi)
{
    return jpath_has(vmi, "spec.domain.features.acpi") &&
           jpath_bool(vmi, "spec.domain.features.acpi.enabled", true);
}

/* Destroyed means pulled out: a failure for a guest that could have been asked to stop. */
static const char *phase_of_destroyed(const struct handler_view *v)
{
    if (has_acpi(v->vmi) && grace_seconds(v->vmi, v->domain) != 0)
        return "Failed";
    return "Succeeded";
}

static const char *phase_of_dead(const struct handler_view *v, const char *now)
{
    const char *reason = jpath_str(v->domain, "reason", "");

    if (streq(reason, "Crashed") || streq(reason, "Panicked") || streq(reason, "Failed"))
        return "Failed";
    if (!streq(jpath_str(v->domain, "state", ""), "Shutoff"))
        return now;
    if (streq(reason, "Destroyed"))
        return phase_of_destroyed(v);
    if (streq(reason, "Shutdown") || streq(reason, "Saved") || streq(reason, "FromSnapshot"))
        return "Succeeded";
    return now;
}

static const char *phase_of_domain(const struct handler_view *v, const char *now)
{
    const struct domain_state *s = state_of(v->domain);

    if (!s)
        return now;
    if (!s->is_alive)
        return phase_of_dead(v, now);
    if (streq(jpath_str(v->domain, "state", ""), "Paused") &&
        streq(jpath_str(v->domain, "reason", ""), "PostcopyFailed"))
        return "Failed";
    return s->is_running ? "Running" : now;
}

static const char *compute_phase(const struct handler_view *v, const char *now)
{
    if (phase_is_final(now))
        return now;
    if (v->knowledge == DOMAIN_KNOWN && !domain_is_alive(v->domain)) {
        const char *dead = phase_of_domain(v, now);

        if (phase_is_final(dead))
            return dead; /* what it said last outlives the launcher */
    }
    if (v->launcher == LAUNCHER_GONE || v->launcher == LAUNCHER_UNRESPONSIVE)
        return "Failed";
    if (v->knowledge == DOMAIN_KNOWN)
        return phase_of_domain(v, now);
    return now;
}

/* Is the domain off only because it has not been started yet? */
static bool is_slow_start(const struct handler_view *v, const char *phase)
{
    const char *reason = jpath_str(v->domain, "reason", "");
    const json_t *when =
        jarr_find(jpath_arr(v->vmi, "status.phaseTransitionTimestamps"), "phase", "Scheduled");
    int64_t since = 0;

    if (!streq(phase, "Scheduled") || !streq(jpath_str(v->domain, "state", ""), "Shutoff"))
        return false;
    if (*reason && !streq(reason, "Unknown"))
        return false;
    if (rfc3339_parse(jpath_str(when, "phaseTransitionTimestamp", ""), &since) < 0)
        return true;
    return v->now_ms - since < SLOW_START_MS;
}

/* End a machine that lives: ask while its grace lasts, then pull it out. */
static struct handler_decision end_alive(const struct handler_view *v, const char *phase)
{
    int64_t grace_ms = grace_seconds(v->vmi, v->domain) * 1000;
    int64_t asked_ms = 0;
    const char *asked = jpath_str(v->domain, "gracePeriod.deletionTimestamp", "");

    if (grace_ms == 0)
        return (struct handler_decision){ HANDLER_KILL, phase, RESEND_MS, "no grace period" };
    if (!*asked || rfc3339_parse(asked, &asked_ms) < 0)
        return (struct handler_decision){ HANDLER_SHUTDOWN, phase, SOON_MS, "asked to stop" };

    int64_t left_ms = asked_ms + grace_ms - v->now_ms;
    if (left_ms <= 0)
        return (struct handler_decision){ HANDLER_KILL, phase, RESEND_MS, "grace period is over" };
    return (struct handler_decision){ HANDLER_SHUTDOWN, phase,
                                      left_ms < RESEND_MS ? left_ms + 1 : RESEND_MS,
                                      "still stopping" };
}

/* The VMI is final, deleted or being deleted: the machine has to go. */
static struct handler_decision wind_up(const struct handler_view *v, const char *phase)
{
    if (v->launcher == LAUNCHER_GONE || v->launcher == LAUNCHER_UNRESPONSIVE)
        return (struct handler_decision){ HANDLER_CLEANUP, phase, 0, "launcher is gone" };
    if (v->launcher != LAUNCHER_READY || v->knowledge == DOMAIN_UNKNOWN)
        return (struct handler_decision){ HANDLER_WAIT, phase, SOON_MS,
                                          "launcher is not reachable" };
    if (v->knowledge == DOMAIN_KNOWN && domain_is_alive(v->domain)) {
        if (phase_is_final(phase))
            return (struct handler_decision){ HANDLER_KILL, phase, RESEND_MS, "phase is final" };
        return end_alive(v, phase);
    }
    return (struct handler_decision){ HANDLER_DELETE, phase, RESEND_MS, "domain is dead" };
}

static struct handler_decision keep_up(const struct handler_view *v, const char *now)
{
    bool is_known = v->knowledge == DOMAIN_KNOWN;

    if (v->launcher == LAUNCHER_ABSENT)
        return (struct handler_decision){ HANDLER_WAIT, now, SOON_MS, "launcher is not up yet" };
    if (v->launcher == LAUNCHER_SILENT || v->knowledge == DOMAIN_UNKNOWN)
        return (struct handler_decision){ HANDLER_WAIT, now, SOON_MS, "launcher does not answer" };
    if (is_known && domain_is_alive(v->domain) &&
        jpath_bool(v->domain, "gracePeriod.markedForGracefulShutdown", false))
        return end_alive(v, now);
    if (is_known && is_slow_start(v, now))
        return (struct handler_decision){ HANDLER_SYNC, now, RESEND_MS,
                                          "domain is not started yet" };
    if (is_known && !domain_is_alive(v->domain))
        return (struct handler_decision){ HANDLER_DELETE, now, RESEND_MS, "domain is dead" };
    if (is_known && v->spec_is_synced)
        return (struct handler_decision){ HANDLER_NOTHING, now, 0, "as it should be" };
    return (struct handler_decision){ HANDLER_SYNC, now, is_known ? 0 : HEALTH_MS,
                                      is_known ? "spec may have changed" : "domain to be made" };
}

struct handler_decision handler_decide(const struct handler_view *v)
{
    if (!v->vmi)
        return wind_up(v, NULL);

    const char *now = jpath_str(v->vmi, "status.phase", "");
    bool is_ours = streq(now, "Scheduled") || streq(now, "Running") || phase_is_final(now);
    if (!vmi_is_on_node(v->vmi, v->node) || !is_ours)
        return (struct handler_decision){ HANDLER_NOTHING, now, 0, "not this node's yet" };

    const char *phase = compute_phase(v, now);
    if (streq(phase, "Failed") && v->knowledge == DOMAIN_KNOWN && domain_is_alive(v->domain) &&
        v->launcher == LAUNCHER_READY)
        return (struct handler_decision){ HANDLER_KILL, phase, RESEND_MS, "cannot go on" };
    if (phase_is_final(now) || meta_is_deleting(v->vmi))
        return wind_up(v, phase);
    /* The new phase is written first; the change brings the key back. */
    if (!streq(phase, now))
        return (struct handler_decision){ HANDLER_NOTHING, phase, 0, "phase changes" };
    return keep_up(v, now);
}
