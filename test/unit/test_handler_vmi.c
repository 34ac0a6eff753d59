/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's controller between an API server and a launcher that both play their
 * parts: what is sent to the launcher and what is written into the VMI, also when one of the two is
 * away.
 */
#include "handler/vmi.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/str.h"
#include "handler/launcher.h"
#include "http/server.h"
#include "kube/cluster_config.h"
#include "kube/event.h"
#include "kube/informer.h"
#include "test/fake/kube.h"
#include "test/unit/rows.h"

#define UID "11111111-2222-3333-4444-555555555555"
#define POD "66666666-7777-8888-9999-000000000000"
#define SOCKETS POD "/volumes/kubernetes.io~empty-dir/sockets"

enum { PATIENCE_MS = FAKE_PATIENCE_MS, WATCHDOG_MS = 300 };

/* ---- the launcher's part ---- */

struct fake_launcher {
    struct http_server *server;
    pthread_mutex_t lock;
    json_t *domain;           /* guarded by lock; NULL: none was defined */
    struct http_call *events; /* guarded by lock; the open stream */
    atomic_int syncs, shutdowns, kills, deletes;
};

static void tell(struct fake_launcher *l)
{
    scoped(free) char *text = l->domain ? must_dumps(l->domain, 0) : must_strdup("");
    scoped(free) char *line = must_asprintf("%s\n", text);

    if (l->events)
        (void)http_stream_write(l->events, line, strlen(line));
}

static void set_domain(struct fake_launcher *l, const char *state, const char *reason)
{
    pthread_mutex_lock(&l->lock);
    json_int_t revision = jpath_int(l->domain, "revision", 0);
    json_decref(l->domain);
    l->domain = must_pack("{s:s, s:s, s:s, s:i}", "uid", UID, "state", state, "reason", reason,
                          "revision", (int)revision + 1);
    tell(l);
    pthread_mutex_unlock(&l->lock);
}

static void on_call(struct http_call *c, void *ctx)
{
    struct fake_launcher *l = ctx;
    const char *path = http_call_path(c);
    struct error e;

    if (streq(path, "/v1/events")) {
        http_stream_begin(c, 200, "application/x-ndjson");
        pthread_mutex_lock(&l->lock);
        if (l->events)
            http_stream_end(l->events);
        l->events = c;
        tell(l);
        pthread_mutex_unlock(&l->lock);
        return;
    }
    if (streq(path, "/v1/sync")) {
        atomic_fetch_add(&l->syncs, 1);
        set_domain(l, "Running", "Unknown");
    }
    atomic_fetch_add(&l->shutdowns, streq(path, "/v1/shutdown"));
    atomic_fetch_add(&l->kills, streq(path, "/v1/kill"));
    atomic_fetch_add(&l->deletes, streq(path, "/v1/delete"));
    pthread_mutex_lock(&l->lock);
    if (l->domain) {
        http_reply_json(c, 200, l->domain);
    } else {
        error_set(&e, ERR_NOT_FOUND, "no domain");
        http_reply_error(c, &e, NULL);
    }
    pthread_mutex_unlock(&l->lock);
}

/* As the real one: listen under another name, then rename. */
static void launcher_up(struct fake_launcher *l)
{
    const struct http_server_options o = {
        .name = "launcher", .unix_path = SOCKETS "/launcher-init-sock", .handler = on_call, .ctx = l
    };
    struct error e;

    assert_int_equal(http_server_start(&l->server, &o, &e), 0);
    assert_int_equal(rename(SOCKETS "/launcher-init-sock", SOCKETS "/launcher-sock"), 0);
}

static void launcher_down(struct fake_launcher *l)
{
    pthread_mutex_lock(&l->lock);
    if (l->events)
        http_stream_end(l->events);
    l->events = NULL;
    pthread_mutex_unlock(&l->lock);
    if (l->server)
        http_server_free(l->server);
    l->server = NULL;
}

/* ---- the stage ---- */

struct stage {
    char dir[32];
    struct fake_kube *kube;
    struct fake_launcher launcher;
    struct http_watcher *watcher;
    struct event_recorder *events;
    struct cluster_config_store *config;
    struct vmi_controller *controller;
};

static void start_controller(struct stage *s)
{
    const struct vmi_options o = {
        .node = "n1",
        .pods_dir = ".",
        .records_dir = "records",
        .watchdog_ms = WATCHDOG_MS,
        .workers = 2,
        .clock = &clock_real,
        .kube = fake_kube_client(s->kube),
        .watcher = s->watcher = http_watcher_new("watch"),
        .events = s->events,
        .config = s->config,
    };

    s->controller = vmi_controller_new(&o);
    struct informer *const list[] = { vmi_controller_informer(s->controller) };
    assert_true(informers_wait(list, 1, PATIENCE_MS));
    vmi_controller_start(s->controller);
}

static void stop_controller(struct stage *s)
{
    vmi_controller_stop(s->controller);
    http_watcher_free(s->watcher);
    vmi_controller_free(s->controller);
}

static int set_stage(void **state)
{
    static const char *const dirs[] = { POD, POD "/volumes", POD "/volumes/kubernetes.io~empty-dir",
                                        SOCKETS, POD "/volumes/kubernetes.io~empty-dir/private" };
    struct stage *s = must_calloc(1, sizeof(*s));

    log_init("test", 0);
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/node.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    assert_int_equal(chdir(s->dir), 0);
    for (size_t i = 0; i < countof(dirs); i++)
        assert_int_equal(mkdir(dirs[i], 0700), 0);
    assert_int_equal(pthread_mutex_init(&s->launcher.lock, NULL), 0);
    s->kube = fake_kube_start();
    s->events = event_recorder_start(fake_kube_client(s->kube), "virt-handler", "n1");
    s->config = cluster_config_store_new();
    start_controller(s);
    *state = s;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

static int strike_stage(void **state)
{
    struct stage *s = *state;

    stop_controller(s);
    launcher_down(&s->launcher);
    event_recorder_stop(s->events);
    cluster_config_store_free(s->config);
    fake_kube_free(s->kube);
    json_decref(s->launcher.domain);
    pthread_mutex_destroy(&s->launcher.lock);
    assert_int_equal(chdir("/"), 0);
    (void)nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(s);
    return 0;
}

static json_t *vmi_object(const char *phase)
{
    json_t *vmi = json_q("{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance',"
                         "'metadata':{'name':'vm','namespace':'ns','uid':'" UID "',"
                         "'labels':{'kubevirt.io/nodeName':'n1'}},"
                         "'spec':{'terminationGracePeriodSeconds':30,'domain':{'devices':{}}},"
                         "'status':{'nodeName':'n1','activePods':{'" POD "':'n1'}}}");

    jpath_set_str(vmi, "status.phase", phase);
    return vmi;
}

static void put_vmi(struct stage *s, const char *phase)
{
    (void)fake_kube_put(s->kube, &KIND_VMI, vmi_object(phase));
}

struct expected {
    struct stage *s;
    const char *phase;
    atomic_int *count;
    int at_least;
    const char *event;
};

static bool has_phase(void *ctx)
{
    const struct expected *x = ctx;
    json_auto_t *vmi = fake_kube_get(x->s->kube, &KIND_VMI, "ns", "vm");

    return streq(jpath_str(vmi, "status.phase", ""), x->phase);
}

static bool was_called(void *ctx)
{
    const struct expected *x = ctx;

    return atomic_load(x->count) >= x->at_least;
}

static bool was_told(void *ctx)
{
    const struct expected *x = ctx;
    json_auto_t *events = fake_kube_list(x->s->kube, &KIND_EVENT);
    size_t i;
    json_t *event;

    json_array_foreach(events, i, event) {
        if (streq(jpath_str(event, "reason", ""), x->event))
            return true;
    }
    return false;
}

static void expect_phase(struct stage *s, const char *phase)
{
    assert_true(fake_wait(has_phase, &(struct expected){ .s = s, .phase = phase }, PATIENCE_MS));
}

static void expect_calls(struct stage *s, atomic_int *count, int at_least)
{
    assert_true(fake_wait(was_called, &(struct expected){ .count = count, .at_least = at_least },
                          PATIENCE_MS));
}

static void expect_event(struct stage *s, const char *reason)
{
    assert_true(fake_wait(was_told, &(struct expected){ .s = s, .event = reason }, PATIENCE_MS));
}

static void run_machine(struct stage *s)
{
    put_vmi(s, "Scheduled");
    launcher_up(&s->launcher);
    expect_phase(s, "Running");
}

/* ---- what happens ---- */

static void a_scheduled_machine_is_started(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    assert_int_equal(atomic_load(&s->launcher.syncs), 1);
    expect_event(s, "Created");
    expect_event(s, "Started");
    assert_int_equal(access(POD "/volumes/kubernetes.io~empty-dir/private/network.json", F_OK), 0);
    assert_int_equal(access("records/" UID, F_OK), 0);
}

static void a_guest_that_ends_succeeds_and_is_undefined(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    set_domain(&s->launcher, "Shutoff", "Shutdown");
    expect_phase(s, "Succeeded");
    expect_calls(s, &s->launcher.deletes, 1);
    expect_event(s, "Stopped");
}

static void deletion_asks_the_guest_before_it_undefines(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    json_t *vmi = fake_kube_get(s->kube, &KIND_VMI, "ns", "vm");
    json_t *mine = must_copy(vmi);
    json_decref(vmi);
    jpath_set_str(mine, "metadata.deletionTimestamp", "2026-01-01T00:00:00Z");
    (void)fake_kube_put(s->kube, &KIND_VMI, mine);
    expect_calls(s, &s->launcher.shutdowns, 1);
    assert_int_equal(atomic_load(&s->launcher.deletes), 0);
    set_domain(&s->launcher, "Shutoff", "Shutdown");
    expect_calls(s, &s->launcher.deletes, 1);
    expect_event(s, "ShuttingDown");
    assert_int_equal(atomic_load(&s->launcher.kills), 0);
}

static void a_missing_object_winds_its_machine_up(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    fake_kube_remove(s->kube, &KIND_VMI, "ns", "vm");
    expect_calls(s, &s->launcher.shutdowns, 1);
}

static void an_api_server_that_is_away_ends_nothing(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    fake_kube_down(s->kube);
    set_domain(&s->launcher, "Paused", "User");
    (void)usleep(300 * 1000);
    fake_kube_up(s->kube);
    set_domain(&s->launcher, "Running", "Unpaused");
    set_domain(&s->launcher, "Shutoff", "Shutdown");
    expect_phase(s, "Succeeded");
    assert_int_equal(atomic_load(&s->launcher.shutdowns), 0);
    assert_int_equal(atomic_load(&s->launcher.kills), 0);
}

static void a_launcher_that_nobody_hears_of_fails(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    launcher_down(&s->launcher);
    expect_phase(s, "Failed");
}

static void a_launcher_that_comes_back_in_time_does_not(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    /* Its stream breaks, the socket stays: that is all a restart of a proxy or a hiccup is. */
    pthread_mutex_lock(&s->launcher.lock);
    http_stream_end(s->launcher.events);
    s->launcher.events = NULL;
    pthread_mutex_unlock(&s->launcher.lock);
    (void)usleep(2 * WATCHDOG_MS * 1000);
    set_domain(&s->launcher, "Shutoff", "Shutdown");
    expect_phase(s, "Succeeded");
}

static void a_restart_forgets_nothing(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    stop_controller(s);
    fake_kube_remove(s->kube, &KIND_VMI, "ns", "vm");
    start_controller(s);
    expect_calls(s, &s->launcher.shutdowns, 1);
    assert_int_equal(atomic_load(&s->launcher.syncs), 1);
}

static void a_machine_that_cannot_run_here_fails(void **state)
{
    struct stage *s = *state;
    json_t *vmi = vmi_object("Scheduled");

    jpath_set(vmi, "spec.domain.devices.interfaces", json_q("[{'name':'a','bridge':{}}]"));
    jpath_set(vmi, "spec.networks", json_q("[{'name':'a','pod':{}}]"));
    (void)fake_kube_put(s->kube, &KIND_VMI, vmi);
    launcher_up(&s->launcher);
    expect_phase(s, "Failed");
    expect_event(s, "SyncFailed");
    assert_int_equal(atomic_load(&s->launcher.syncs), 0);
}

static void an_idle_machine_is_not_written(void **state)
{
    struct stage *s = *state;

    run_machine(s);
    size_t before = fake_kube_asked(s->kube, "PATCH /apis/kubevirt.io");
    (void)usleep(1500 * 1000);
    assert_int_equal(fake_kube_asked(s->kube, "PATCH /apis/kubevirt.io"), before);
    assert_true(before <= 2);
}

#define ON_STAGE(fn) cmocka_unit_test_setup_teardown(fn, set_stage, strike_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_scheduled_machine_is_started),
        ON_STAGE(a_guest_that_ends_succeeds_and_is_undefined),
        ON_STAGE(deletion_asks_the_guest_before_it_undefines),
        ON_STAGE(a_missing_object_winds_its_machine_up),
        ON_STAGE(an_api_server_that_is_away_ends_nothing),
        ON_STAGE(a_launcher_that_nobody_hears_of_fails),
        ON_STAGE(a_launcher_that_comes_back_in_time_does_not),
        ON_STAGE(a_restart_forgets_nothing),
        ON_STAGE(a_machine_that_cannot_run_here_fails),
        ON_STAGE(an_idle_machine_is_not_written),
    };

    return cmocka_run_group_tests_name("handler vmi", tests, NULL, NULL);
}
