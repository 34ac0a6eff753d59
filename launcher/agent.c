// SPDX-License-Identifier: Apache-2.0
/* Polling the guest agent; see agent.h. */
#include "launcher/agent.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "launcher/guest.h"
#include "launcher/hypervisor.h"
#include "launcher/machine.h"

enum { FIRST_AGAIN_MS = 2000, SECOND = 1000 };

// clang-format off
static const struct question {
    const char *command;
    guest_convert_fn *convert;
    int longest_ms;
    const char *member; /* of the Domain; NULL: only kept */
} questions[AGENT_FACT_COUNT] = {
    [AGENT_INFO]        = { "guest-info",                   guest_agent,       300 * SECOND, "guestAgent" },
    [AGENT_OS]          = { "guest-get-osinfo",             guest_os,          120 * SECOND, "osInfo" },
    [AGENT_HOSTNAME]    = { "guest-get-host-name",          guest_hostname,    120 * SECOND, NULL },
    [AGENT_TIMEZONE]    = { "guest-get-timezone",           guest_timezone,    120 * SECOND, NULL },
    [AGENT_INTERFACES]  = { "guest-network-get-interfaces", guest_interfaces,  120 * SECOND, NULL },
    [AGENT_USERS]       = { "guest-get-users",              guest_users,        10 * SECOND, NULL },
    [AGENT_FILESYSTEMS] = { "guest-get-fsinfo",             guest_filesystems, 300 * SECOND, NULL },
};
// clang-format on

/* One question's timer.  The pool's thread touches nothing here but `agent` and `fact`. */
struct poll {
    struct agent *agent;
    enum agent_fact fact;
    struct loop_timer *timer;
    int interval_ms;
    bool is_asking;
};

struct agent {
    struct loop *loop;
    struct hypervisor *hypervisor;
    struct machine *machine;
    struct pool *pool;
    bool is_connected;
    struct poll polls[AGENT_FACT_COUNT];

    pthread_mutex_t lock;
    json_t *facts[AGENT_FACT_COUNT]; /* guarded by lock; values are never changed */
    json_t *domain_interfaces;       /* guarded by lock */
};

json_t *agent_get(struct agent *a, enum agent_fact fact)
{
    (void)pthread_mutex_lock(&a->lock);
    json_t *v = json_incref(a->facts[fact]);
    (void)pthread_mutex_unlock(&a->lock);
    return v;
}

static void set_fact(struct agent *a, enum agent_fact fact, json_t *value)
{
    (void)pthread_mutex_lock(&a->lock);
    json_t *old = a->facts[fact];
    a->facts[fact] = value;
    (void)pthread_mutex_unlock(&a->lock);
    json_decref(old);
}

static void tell_interfaces(struct agent *a)
{
    (void)pthread_mutex_lock(&a->lock);
    json_auto_t *of_domain = json_incref(a->domain_interfaces);
    json_auto_t *of_agent = json_incref(a->facts[AGENT_INTERFACES]);
    (void)pthread_mutex_unlock(&a->lock);
    machine_update(a->machine,
                   must_pack("{s:o}", "interfaces", guest_merge_interfaces(of_domain, of_agent)));
}

void agent_set_domain_interfaces(struct agent *a, json_t *interfaces)
{
    (void)pthread_mutex_lock(&a->lock);
    json_t *old = a->domain_interfaces;
    a->domain_interfaces = interfaces;
    (void)pthread_mutex_unlock(&a->lock);
    json_decref(old);
    tell_interfaces(a);
}

/* ---- asking ---- */

static void on_answered(void *arg)
{
    struct poll *p = arg;

    p->is_asking = false;
    if (!p->agent->is_connected)
        return;
    loop_timer_set(p->timer, p->interval_ms);
    p->interval_ms *= 2;
    if (p->interval_ms > questions[p->fact].longest_ms)
        p->interval_ms = questions[p->fact].longest_ms;
}

static void ask(void *arg)
{
    struct poll *p = arg;
    struct agent *a = p->agent;
    const struct question *q = &questions[p->fact];
    json_auto_t *answer = NULL;
    struct error e;

    if (hypervisor_agent(a->hypervisor, q->command, &answer, &e) < 0) {
        log_debug("guest agent gave no answer, asking again later", "command", q->command, "error",
                  e.msg);
    } else {
        json_t *value = q->convert(answer);
        if (q->member)
            machine_update(a->machine, must_pack("{s:O}", q->member, value));
        set_fact(a, p->fact, value);
        if (p->fact == AGENT_INTERFACES)
            tell_interfaces(a);
    }
    loop_post(a->loop, on_answered, p);
}

static void on_due(void *arg)
{
    struct poll *p = arg;

    if (p->is_asking)
        return;
    p->is_asking = true;
    if (!pool_run(p->agent->pool, ask, p))
        on_answered(p);
}

void agent_set_connected(struct agent *a, bool is_connected)
{
    if (a->is_connected == is_connected)
        return;
    a->is_connected = is_connected;
    for (size_t i = 0; i < AGENT_FACT_COUNT; i++) {
        a->polls[i].interval_ms = FIRST_AGAIN_MS;
        loop_timer_set(a->polls[i].timer, is_connected ? 0 : -1);
    }
}

struct agent *agent_new(struct loop *l, struct hypervisor *h, struct machine *m)
{
    struct agent *a = must_calloc(1, sizeof(*a));

    a->loop = l;
    a->hypervisor = h;
    a->machine = m;
    a->pool = pool_new("agent", 1, AGENT_FACT_COUNT);
    must(pthread_mutex_init(&a->lock, NULL) == 0);
    for (size_t i = 0; i < AGENT_FACT_COUNT; i++) {
        a->polls[i] = (struct poll){ .agent = a, .fact = (enum agent_fact)i };
        a->polls[i].timer = loop_timer_new(l, -1, on_due, &a->polls[i]);
    }
    return a;
}

void agent_free(struct agent *a)
{
    if (!a)
        return;
    pool_free(a->pool);
    for (size_t i = 0; i < AGENT_FACT_COUNT; i++) {
        loop_timer_free(a->polls[i].timer);
        json_decref(a->facts[i]);
    }
    json_decref(a->domain_interfaces);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}
