// SPDX-License-Identifier: Apache-2.0
/* The launcher put together; see launcher.h. */
#include "launcher/launcher.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "launcher/agent.h"
#include "launcher/api.h"
#include "launcher/beneath.h"
#include "launcher/dhcp_server.h"
#include "launcher/hypervisor.h"
#include "launcher/libvirtd.h"
#include "launcher/machine.h"
#include "launcher/network.h"
#include "launcher/storage.h"

enum {
    REOPEN_MS = 20, /* libvirt's socket is there but does not answer yet; doubles up to */
    REOPEN_MAX_MS = 1000,
    FINAL_WAIT_MS = 15000, /* for virt-handler to fetch the last state */
    ASK_AGAIN_MS = 5000,   /* a guest that boots just then does not hear the first time */
    KILL_AGAIN_MS = 5000,
};

struct launcher {
    struct launcher_settings settings;
    struct storage storage;
    struct loop *loop;
    struct reaper *reaper;
    struct libvirtd *libvirtd;
    struct hypervisor *hypervisor;
    struct machine *machine;
    struct agent *agent;
    struct api *api;
    struct pool *pools[LANE_COUNT];
    atomic_bool is_refresh_queued, is_user_paused;
    pthread_mutex_t
        refresh_lock; /* held over a read from libvirt, so that states are told in order */

    /* The main loop's. */
    struct dhcp_server *dhcp[NETWORK_NICS_MAX];
    size_t dhcp_len;
    struct loop_timer *qemu_timeout, *grace, *ask, *final, *reopen;
    bool is_opening, is_terminating, is_final;
    int reopen_ms;
    enum launcher_exit exit_code;

    pthread_mutex_t grace_lock;
    json_t *grace_value; /* guarded by grace_lock: the Domain's gracePeriod */
};

// clang-format off
struct pool *launcher_pool(struct launcher *l, enum launcher_lane lane) { return l->pools[lane]; }
struct machine *launcher_machine(struct launcher *l) { return l->machine; }
struct hypervisor *launcher_hypervisor(struct launcher *l) { return l->hypervisor; }
struct agent *launcher_agent(struct launcher *l) { return l->agent; }
struct loop *launcher_loop(struct launcher *l) { return l->loop; }
const struct launcher_settings *launcher_settings(const struct launcher *l) { return &l->settings; }
const struct storage *launcher_storage(const struct launcher *l) { return &l->storage; }
enum launcher_exit launcher_exit_code(const struct launcher *l) { return l->exit_code; }
bool launcher_is_user_paused(const struct launcher *l) { return atomic_load(&l->is_user_paused); }
void launcher_set_user_paused(struct launcher *l, bool is_paused) { atomic_store(&l->is_user_paused, is_paused); }
// clang-format on

/* ---- the end ---- */

struct ending {
    struct launcher *launcher;
    enum launcher_exit code;
};

static void end_now(void *arg)
{
    scoped(free) struct ending *ending = arg;
    ending->launcher->exit_code = ending->code;
    loop_stop(ending->launcher->loop);
}

void launcher_end(struct launcher *l, enum launcher_exit code)
{
    struct ending *ending = must_calloc(1, sizeof(*ending));

    ending->launcher = l;
    ending->code = code;
    loop_post(l->loop, end_now, ending);
}

static void on_final_waited(void *arg)
{
    log_info("the last state was not acknowledged in time, ending");
    launcher_end(arg, LAUNCHER_ENDED);
}

/* The guest ended: its last state stays readable for a while. */
static void on_final(void *arg)
{
    struct launcher *l = arg;

    if (l->is_final)
        return;
    l->is_final = true;
    log_info("the guest ended");
    loop_timer_set(l->grace, -1);
    loop_timer_set(l->ask, -1);
    loop_timer_set(l->final, FINAL_WAIT_MS);
}

static void on_qemu_timeout(void *arg)
{
    log_error("nothing was started in time, ending");
    launcher_end(arg, LAUNCHER_FAILED);
}

/* ---- state ---- */

static void on_agent_connected(void *arg)
{
    struct launcher *l = arg;
    agent_set_connected(l->agent, true);
}

static void on_agent_gone(void *arg)
{
    struct launcher *l = arg;
    agent_set_connected(l->agent, false);
}

/* With refresh_lock held. */
static int read_state(struct launcher *l, struct error *e)
{
    struct hypervisor_state s;
    int r = hypervisor_state(l->hypervisor, &s, e);

    if (r < 0)
        return r;
    machine_update(l->machine, must_pack("{s:s,s:s,s:o,s:b}", "state", s.state, "reason", s.reason,
                                         "pid", s.pid > 0 ? json_integer(s.pid) : json_null(),
                                         "agentConnected", s.is_agent_connected));
    loop_post(l->loop, s.is_agent_connected ? on_agent_connected : on_agent_gone, l);
    if (!s.is_active && machine_is_shown(l->machine))
        loop_post(l->loop, on_final, l);
    return 0;
}

int launcher_refresh(struct launcher *l, struct error *e)
{
    atomic_store(&l->is_refresh_queued, false);
    (void)pthread_mutex_lock(&l->refresh_lock);
    int r = read_state(l, e);
    (void)pthread_mutex_unlock(&l->refresh_lock);
    return r;
}

static void refresh_job(void *arg)
{
    struct launcher *l = arg;
    struct error e;

    if (launcher_refresh(l, &e) < 0 && e.code != ERR_NOT_FOUND)
        log_warn("the machine's state is not known now, it is read again at the next event",
                 "error", e.msg);
}

static void queue_refresh(struct launcher *l)
{
    if (atomic_exchange(&l->is_refresh_queued, true))
        return;
    if (!pool_run(l->pools[LANE_QUICK], refresh_job, l))
        atomic_store(&l->is_refresh_queued, false);
}

static void publish(void *arg)
{
    struct launcher *l = arg;

    loop_timer_set(l->qemu_timeout, -1); /* only what was started has changes to tell */
    api_publish(l->api);
}

static void on_machine_change(void *arg)
{
    struct launcher *l = arg;
    loop_post(l->loop, publish, l);
}

/* ---- libvirt comes and goes ---- */

static void on_opened(void *arg)
{
    struct launcher *l = arg;
    struct error e;

    l->is_opening = false;
    l->reopen_ms = REOPEN_MS;
    if (api_announce(l->api, &e) < 0) {
        log_error("the API cannot be announced, ending", "error", e.msg);
        launcher_end(l, LAUNCHER_FAILED);
        return;
    }
    log_info("connected to libvirt", "uri", libvirtd_uri(l->libvirtd));
    queue_refresh(l);
}

static void on_not_opened(void *arg)
{
    struct launcher *l = arg;

    l->is_opening = false;
    loop_timer_set(l->reopen, l->reopen_ms);
    l->reopen_ms = l->reopen_ms * 2 < REOPEN_MAX_MS ? l->reopen_ms * 2 : REOPEN_MAX_MS;
}

static void open_job(void *arg)
{
    struct launcher *l = arg;
    struct error e;

    if (hypervisor_open(l->hypervisor, libvirtd_uri(l->libvirtd), &e) >= 0) {
        loop_post(l->loop, on_opened, l);
        return;
    }
    log_debug("libvirt does not answer yet, trying again", "error", e.msg);
    loop_post(l->loop, on_not_opened, l);
}

static void open_hypervisor(void *arg)
{
    struct launcher *l = arg;

    if (l->is_opening)
        return;
    l->is_opening = true;
    if (!pool_run(l->pools[LANE_QUICK], open_job, l))
        on_not_opened(l);
}

static void on_change(void *arg)
{
    queue_refresh(arg);
}

static void on_agent_event(bool connected, void *arg)
{
    queue_refresh(arg);
}

static void on_lost_here(void *arg)
{
    struct launcher *l = arg;

    log_warn("connection to libvirt lost, connecting again; the guest goes on");
    if (!l->is_opening)
        loop_timer_set(l->reopen, l->reopen_ms);
}

static void on_lost(void *arg)
{
    struct launcher *l = arg;
    loop_post(l->loop, on_lost_here, l);
}

/* ---- grace ---- */

static void tell_grace(struct launcher *l, const char *key, json_t *value, bool only_first)
{
    (void)pthread_mutex_lock(&l->grace_lock);
    if (only_first && json_object_get(l->grace_value, key))
        json_decref(value);
    else
        must_set(l->grace_value, key, value);
    json_t *copy = must_copy(l->grace_value);
    (void)pthread_mutex_unlock(&l->grace_lock);
    machine_update(l->machine, must_pack("{s:o}", "gracePeriod", copy));
}

void launcher_set_grace(struct launcher *l, long long seconds)
{
    tell_grace(l, "seconds", json_integer(seconds), false);
}

void launcher_note_shutdown(struct launcher *l)
{
    char now[RFC3339_MAX];
    tell_grace(l, "deletionTimestamp", json_string(rfc3339(clock_wall_ms(&clock_real), now)), true);
}

static void shutdown_job(void *arg)
{
    struct launcher *l = arg;
    struct answer a = { 0 };
    struct error e;

    if (operation_shutdown(l, NULL, &a, &e) < 0)
        log_warn("the guest was not asked to shut down, it is killed after its grace period",
                 "error", e.msg);
    json_decref(a.json);
}

static void kill_job(void *arg)
{
    struct launcher *l = arg;
    struct answer a = { 0 };
    struct error e;

    if (operation_kill(l, NULL, &a, &e) < 0)
        log_warn("the guest could not be killed, trying again in 5 s", "error", e.msg);
    json_decref(a.json);
}

static void on_ask(void *arg)
{
    struct launcher *l = arg;

    (void)pool_run(l->pools[LANE_QUICK], shutdown_job, l);
    loop_timer_set(l->ask, ASK_AGAIN_MS);
}

static void on_grace_over(void *arg)
{
    struct launcher *l = arg;

    log_info("the grace period is over, killing the guest");
    loop_timer_set(l->ask, -1);
    (void)pool_run(l->pools[LANE_QUICK], kill_job, l);
    loop_timer_set(l->grace, KILL_AGAIN_MS);
}

void launcher_terminate(struct launcher *l)
{
    if (l->is_terminating)
        return;
    l->is_terminating = true;
    log_info("asked to end", "graceSeconds", log_i(l->settings.grace_period_seconds));
    if (!machine_is_shown(l->machine)) {
        launcher_end(l, LAUNCHER_ENDED);
        return;
    }
    if (l->is_final)
        return;
    tell_grace(l, "markedForGracefulShutdown", json_true(), false);
    on_ask(l);
    loop_timer_set(l->grace, l->settings.grace_period_seconds * 1000);
}

/* ---- DHCP, on the loop's thread while a job waits ---- */

struct dhcp_order {
    struct launcher *launcher;
    const struct network *network;
    struct error *e;
    int result;
    bool is_done;
    pthread_mutex_t lock;
    pthread_cond_t done;
};

static int start_dhcp(struct launcher *l, const struct network *n, struct error *e)
{
    int r = 0;

    while (l->dhcp_len > 0)
        dhcp_server_free(l->dhcp[--l->dhcp_len]);
    for (size_t i = 0; i < n->len && r >= 0; i++) {
        if (!n->nics[i].has_lease)
            continue;
        r = dhcp_server_start(&l->dhcp[l->dhcp_len], l->loop, n->nics[i].bridge, &n->nics[i].lease,
                              e);
        l->dhcp_len += r >= 0;
    }
    return r;
}

static void dhcp_here(void *arg)
{
    struct dhcp_order *o = arg;
    int r = start_dhcp(o->launcher, o->network, o->e);

    (void)pthread_mutex_lock(&o->lock);
    o->result = r;
    o->is_done = true;
    (void)pthread_cond_signal(&o->done);
    (void)pthread_mutex_unlock(&o->lock);
}

int launcher_serve_dhcp(struct launcher *l, const struct network *n, struct error *e)
{
    struct dhcp_order o = {
        .launcher = l,
        .network = n,
        .e = e,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .done = PTHREAD_COND_INITIALIZER,
    };

    loop_post(l->loop, dhcp_here, &o);
    (void)pthread_mutex_lock(&o.lock);
    while (!o.is_done)
        (void)pthread_cond_wait(&o.done, &o.lock);
    (void)pthread_mutex_unlock(&o.lock);
    return o.result;
}

/* ---- start and stop ---- */

static int make_directories(const struct launcher *l, struct error *e)
{
    scoped(free) char *mine = must_asprintf(PRIVATE_DIR "/%s", l->settings.uid);
    const char *const dirs[] = { mine, NVRAM_DIR, EMPTY_DISKS_DIR,
                                 l->settings.layout.ephemeral_dir };
    int r = 0;

    for (size_t i = 0; i < countof(dirs) && r >= 0; i++)
        r = make_dirs(dirs[i], e);
    return r;
}

static void make_timers(struct launcher *l)
{
    l->qemu_timeout = loop_timer_new(l->loop, l->settings.qemu_timeout_ms, on_qemu_timeout, l);
    l->grace = loop_timer_new(l->loop, -1, on_grace_over, l);
    l->ask = loop_timer_new(l->loop, -1, on_ask, l);
    l->final = loop_timer_new(l->loop, -1, on_final_waited, l);
    l->reopen = loop_timer_new(l->loop, -1, open_hypervisor, l);
}

int launcher_start(struct launcher **ret, const struct launcher_settings *s, struct loop *loop,
                   struct reaper *reaper, struct error *e)
{
    static const struct hypervisor_events events = { on_change, on_agent_event, on_lost };
    struct launcher *l = must_calloc(1, sizeof(*l));
    scoped(free) char *name = must_asprintf("%s_%s", s->namespace, s->name);
    scoped(free) char *sockets = must_asprintf("%s/sockets", s->layout.share_dir);

    *ret = l;
    l->settings = *s;
    l->loop = loop;
    l->reaper = reaper;
    l->reopen_ms = REOPEN_MS;
    l->storage = (struct storage){ reaper, s->layout, s->has_image_volumes, s->disk_memory_limit };
    must(pthread_mutex_init(&l->refresh_lock, NULL) == 0);
    must(pthread_mutex_init(&l->grace_lock, NULL) == 0);
    l->grace_value =
        must_pack("{s:I,s:b}", "seconds", (json_int_t)30, "markedForGracefulShutdown", 0);
    int r = make_directories(l, e);
    if (r < 0)
        return r;
    l->pools[LANE_JOB] = pool_new("jobs", 1, 16);
    l->pools[LANE_QUICK] = pool_new("quick", 2, 16);
    l->pools[LANE_PROBE] = pool_new("probes", 2, 4); /* liveness and readiness */
    l->machine = machine_new(name, s->uid, on_machine_change, l);
    l->hypervisor = hypervisor_new(name, &events, l);
    l->agent = agent_new(loop, l->hypervisor, l->machine);
    make_timers(l);
    r = libvirtd_start(&l->libvirtd, loop, reaper, open_hypervisor, l, e);
    return r < 0 ? r : api_start(&l->api, l, sockets, e);
}

void launcher_stop(struct launcher *l)
{
    api_free(l->api);
    while (l->dhcp_len > 0)
        dhcp_server_free(l->dhcp[--l->dhcp_len]);
    libvirtd_free(l->libvirtd);
}
