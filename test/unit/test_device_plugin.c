/* SPDX-License-Identifier: Apache-2.0 */
/* Device plugins against a registration service that plays the kubelet; messages as bytes. */
#include "handler/device_plugin.h"

#include <errno.h>
#include <ftw.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/loop.h"
#include "handler/grpc_client.h"
#include "handler/grpc_conn.h"
#include "handler/grpc_server.h"
#include "test/unit/rows.h"

enum { PATIENCE_S = 5 };

static const struct plugin_device kvm = { "kvm", "/dev/null", "devices.kubevirt.io/kvm", NULL };

/* ---- messages ---- */

static void packs_a_list(void **state)
{
    static const char want[] =
        "\x0a\x0f\x0a\x04kvm0\x12\x07Healthy\x0a\x0f\x0a\x04kvm1\x12\x07Healthy";
    scoped_buf out = BUF_INIT(0);

    plugin_pack_list(&kvm, 2, true, &out);
    assert_int_equal(out.len, sizeof(want) - 1);
    assert_memory_equal(out.data, want, out.len);
}

static void packs_an_allocation_for_each_container(void **state)
{
    /* Two containers, one id each; an unknown field 9 is skipped. */
    static const char request[] = "\x0a\x06\x0a\x04kvm7\x0a\x06\x0a\x04kvm8\x48\x01";
    static const char each[] = "\x0a\x1c\x1a\x1a\x0a\x09/dev/null\x12\x09/dev/null\x1a\x02rw";
    scoped_buf out = BUF_INIT(0);

    assert_true(plugin_pack_allocation(&kvm, request, sizeof(request) - 1, "rw", &out));
    assert_int_equal(out.len, 2 * (sizeof(each) - 1));
    assert_memory_equal(out.data, each, sizeof(each) - 1);
    assert_memory_equal(out.data + sizeof(each) - 1, each, sizeof(each) - 1);
}

static void refuses_a_request_that_is_none(void **state)
{
    scoped_buf out = BUF_INIT(0);
    scoped_buf many = BUF_INIT(0);

    assert_false(plugin_pack_allocation(&kvm, "\x0a\xff", 2, "rw", &out));
    for (int i = 0; i < 100; i++)
        buf_add(&many, "\x0a\x00", 2);
    assert_false(plugin_pack_allocation(&kvm, many.data, many.len, "rw", &out));
    assert_int_equal(out.len, 0);
}

static const struct frame_case {
    const char *name, *bytes;
    size_t len;
    int want;
} frames[] = {
    { "nothing", "", 0, 0 },
    { "half a prefix", "\0\0\0", 3, 0 },
    { "half a message", "\0\0\0\0\3ab", 7, 0 },
    { "whole", "\0\0\0\0\3abc", 8, 1 },
    { "empty message", "\0\0\0\0\0", 5, 1 },
    { "compressed", "\1\0\0\0\3abc", 8, -1 },
    { "too long", "\0\xff\xff\xff\xff", 5, -1 },
};

static void reads_frames(void **state)
{
    const struct frame_case *c = *state;
    scoped_buf in = BUF_INIT(0);
    const void *message = NULL;
    size_t len = 99;

    buf_add(&in, c->bytes, c->len);
    assert_int_equal(grpc_frame_read(&in, &message, &len), c->want);
    if (c->want == 1)
        assert_int_equal(len, c->len - GRPC_PREFIX_LEN);
}

/* ---- registration ---- */

struct kubelet {
    char dir[32];
    char *socket;
    struct loop *loop;
    struct grpc_server *server;
    sem_t registered, ready;
    atomic_int refusals; /* the first n registrations fail */
    atomic_bool is_gate_on;
    sem_t changed;
    enum grpc_status refuses_with;
    bool is_spare; /* the last one came under another name than the usual */
    char resource[64];
};

static enum grpc_status on_register(const void *request, size_t len, struct buf *reply, void *ctx)
{
    struct kubelet *k = ctx;
    const char *at = memmem(request, len, kvm.resource, strlen(kvm.resource));

    if (atomic_load(&k->refusals) > 0) {
        atomic_fetch_sub(&k->refusals, 1);
        return k->refuses_with;
    }
    at = at ? at : "";
    k->is_spare = memmem(request, len, "kubevirt-kvm-", 13) != NULL;
    (void)snprintf(k->resource, sizeof(k->resource), "%.*s", (int)strlen(kvm.resource), at);
    (void)sem_post(&k->registered);
    return GRPC_OK;
}

static const struct grpc_method kubelet_methods[] = {
    { "/v1beta1.Registration/Register", .unary = on_register },
};

static void begin_kubelet(void *arg)
{
    struct kubelet *k = arg;
    struct error e;

    if (grpc_server_start(&k->server, k->loop, k->socket, kubelet_methods, 1, k, &e) < 0)
        print_error("%s\n", e.msg);
    (void)sem_post(&k->ready);
}

static void end_kubelet(void *arg)
{
    struct kubelet *k = arg;

    grpc_server_stop(TAKE(k->server));
    (void)sem_post(&k->ready);
}

static void on_loop(struct kubelet *k, loop_fn *fn)
{
    loop_post(k->loop, fn, k);
    while (sem_wait(&k->ready) < 0) {
    }
}

static int start_kubelet(void **state)
{
    struct kubelet *k = must_calloc(1, sizeof(*k));

    (void)snprintf(k->dir, sizeof(k->dir), "/tmp/plugins.XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    k->socket = must_asprintf("%s/kubelet.sock", k->dir);
    assert_int_equal(sem_init(&k->registered, 0, 0), 0);
    assert_int_equal(sem_init(&k->ready, 0, 0), 0);
    assert_int_equal(sem_init(&k->changed, 0, 0), 0);
    k->loop = loop_new("kubelet");
    loop_start(k->loop);
    on_loop(k, begin_kubelet);
    *state = k;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

static int stop_kubelet(void **state)
{
    struct kubelet *k = *state;

    on_loop(k, end_kubelet);
    loop_free(k->loop);
    (void)nftw(k->dir, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    (void)sem_destroy(&k->registered);
    (void)sem_destroy(&k->ready);
    (void)sem_destroy(&k->changed);
    free(k->socket);
    free(k);
    return 0;
}

static bool wait_for(sem_t *s)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    while (sem_timedwait(s, &until) < 0) {
        if (errno != EINTR)
            return false;
    }
    return true;
}

static bool wait_registered(struct kubelet *k)
{
    return wait_for(&k->registered);
}

static struct device_plugins *start_plugins(struct kubelet *k)
{
    const struct device_plugin_options o = {
        .plugins_dir = k->dir,
        .max_devices = 3,
        .devices = &kvm,
        .count = 1,
    };

    return device_plugins_start(&o);
}

static void registers_with_the_kubelet(void **state)
{
    struct kubelet *k = *state;
    struct device_plugins *ps = start_plugins(k);

    assert_true(wait_registered(k));
    assert_string_equal(k->resource, "devices.kubevirt.io/kvm");
    device_plugins_stop(ps);
    scoped(free) char *path = must_asprintf("%s/kubevirt-kvm.sock", k->dir);
    assert_int_equal(access(path, F_OK), -1);
}

static void registers_again_when_refused(void **state)
{
    struct kubelet *k = *state;

    k->refuses_with = GRPC_UNAVAILABLE;
    atomic_store(&k->refusals, 1);
    struct device_plugins *ps = start_plugins(k);
    assert_true(wait_registered(k));
    assert_false(k->is_spare);
    device_plugins_stop(ps);
}

/* "device plugin already connected" stays true for that name as long as the kubelet lives. */
static void takes_another_name_when_its_own_is_refused(void **state)
{
    struct kubelet *k = *state;

    k->refuses_with = GRPC_UNKNOWN;
    atomic_store(&k->refusals, 1);
    struct device_plugins *ps = start_plugins(k);
    assert_true(wait_registered(k));
    assert_true(k->is_spare);
    on_loop(k, end_kubelet);
    on_loop(k, begin_kubelet);
    assert_true(wait_registered(k));
    assert_false(k->is_spare);
    device_plugins_stop(ps);
}

static void registers_again_with_a_new_kubelet(void **state)
{
    struct kubelet *k = *state;
    struct device_plugins *ps = start_plugins(k);

    assert_true(wait_registered(k));
    on_loop(k, end_kubelet);
    on_loop(k, begin_kubelet);
    assert_true(wait_registered(k));
    device_plugins_stop(ps);
}

static void registers_again_when_its_socket_is_removed(void **state)
{
    struct kubelet *k = *state;
    struct device_plugins *ps = start_plugins(k);
    scoped(free) char *path = must_asprintf("%s/kubevirt-kvm.sock", k->dir);

    assert_true(wait_registered(k));
    assert_int_equal(unlink(path), 0);
    assert_true(wait_registered(k));
    assert_int_equal(access(path, F_OK), 0);
    device_plugins_stop(ps);
}

static bool gate_is_on(const struct plugin_device *d, void *ctx)
{
    struct kubelet *k = ctx;

    return atomic_load(&k->is_gate_on);
}

static void on_changed(void *ctx)
{
    struct kubelet *k = ctx;

    (void)sem_post(&k->changed);
}

static void a_gate_brings_and_takes_a_device(void **state)
{
    struct kubelet *k = *state;
    const struct device_plugin_options o = {
        .plugins_dir = k->dir,
        .max_devices = 3,
        .devices = &kvm,
        .count = 1,
        .is_wanted = gate_is_on,
        .changed = on_changed,
        .ctx = k,
    };
    scoped(free) char *path = must_asprintf("%s/kubevirt-kvm.sock", k->dir);
    struct device_plugins *ps = device_plugins_start(&o);

    assert_true(wait_for(&k->changed)); /* settled: the node need not wait for it */
    assert_true(device_plugins_are_registered(ps));
    assert_int_equal(access(path, F_OK), -1);
    on_loop(k, end_kubelet);
    on_loop(k, begin_kubelet); /* a new kubelet does not bring it */

    atomic_store(&k->is_gate_on, true);
    device_plugins_review(ps);
    assert_true(wait_for(&k->registered));
    assert_true(wait_for(&k->changed)); /* not registered, ... */
    assert_true(wait_for(&k->changed)); /* ... and then it is */
    assert_true(device_plugins_are_registered(ps));

    atomic_store(&k->is_gate_on, false);
    device_plugins_review(ps);
    device_plugins_review(ps);
    for (int i = 0; i < 500 && access(path, F_OK) == 0; i++)
        usleep(10 * 1000);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(device_plugins_are_registered(ps));
    device_plugins_stop(ps);
}

/* ---- calls ---- */

struct outcome {
    sem_t done;
    enum grpc_status status;
    struct loop *loop;
    const char *socket, *method;
    const void *request;
    size_t len;
};

static void on_done(enum grpc_status status, const char *message, void *arg)
{
    struct outcome *o = arg;

    o->status = status;
    (void)sem_post(&o->done);
}

static void begin_call(void *arg)
{
    struct outcome *o = arg;

    (void)grpc_call_start(o->loop, o->socket, o->method, o->request, o->len, 5000, on_done, o);
}

static const struct call_case {
    const char *name, *method, *request;
    size_t len;
    enum grpc_status want;
} calls[] = {
    { "allocate", "/v1beta1.DevicePlugin/Allocate", "\x0a\x06\x0a\x04kvm7", 8, GRPC_OK },
    { "allocate nonsense", "/v1beta1.DevicePlugin/Allocate", "\x0a\xff", 2, GRPC_INVALID_ARGUMENT },
    { "options", "/v1beta1.DevicePlugin/GetDevicePluginOptions", "", 0, GRPC_OK },
    { "unknown method", "/v1beta1.DevicePlugin/Explode", "", 0, GRPC_UNIMPLEMENTED },
};

static void answers_calls(void **state)
{
    const struct call_case *c = *state;
    struct kubelet *k = NULL;
    struct outcome o = { .method = c->method, .request = c->request, .len = c->len };

    assert_int_equal(start_kubelet((void **)&k), 0);
    struct device_plugins *ps = start_plugins(k);
    scoped(free) char *path = must_asprintf("%s/kubevirt-kvm.sock", k->dir);
    assert_true(wait_registered(k));
    o.socket = path;
    o.loop = k->loop;
    assert_int_equal(sem_init(&o.done, 0, 0), 0);
    loop_post(k->loop, begin_call, &o);
    while (sem_wait(&o.done) < 0) {
    }
    assert_int_equal(o.status, c->want);
    (void)sem_destroy(&o.done);
    device_plugins_stop(ps);
    (void)stop_kubelet((void **)&k);
}

int main(void)
{
    const struct CMUnitTest messages[] = {
        cmocka_unit_test(packs_a_list),
        cmocka_unit_test(packs_an_allocation_for_each_container),
        cmocka_unit_test(refuses_a_request_that_is_none),
    };
    const struct CMUnitTest registrations[] = {
        cmocka_unit_test_setup_teardown(registers_with_the_kubelet, start_kubelet, stop_kubelet),
        cmocka_unit_test_setup_teardown(registers_again_when_refused, start_kubelet, stop_kubelet),
        cmocka_unit_test_setup_teardown(takes_another_name_when_its_own_is_refused, start_kubelet,
                                        stop_kubelet),
        cmocka_unit_test_setup_teardown(registers_again_with_a_new_kubelet, start_kubelet,
                                        stop_kubelet),
        cmocka_unit_test_setup_teardown(registers_again_when_its_socket_is_removed, start_kubelet,
                                        stop_kubelet),
        cmocka_unit_test_setup_teardown(a_gate_brings_and_takes_a_device, start_kubelet,
                                        stop_kubelet),
    };
    int failed = cmocka_run_group_tests_name("messages", messages, NULL, NULL);

    failed += RUN_ROWS("frames", frames, reads_frames);
    failed += RUN_ROWS("calls", calls, answers_calls);
    return failed + cmocka_run_group_tests_name("registration", registrations, NULL, NULL);
}
