/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VSOCK streams.  The guest is a thread at the other end of a socket pair, since
 * few kernels have VSOCK's loopback; where one does, it is used too.
 */
#include "handler/vsock.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "http/tls.h"
#include "rows.h"
#include "tls_fixture.h"

enum { PATIENCE_MS = 20 * 1000, SHORT_MS = 300, BULK_BYTES = 2 * 1024 * 1024 };

static struct test_pki pki;

/* ---- what is asked for ---- */

#define ON "'spec':{'domain':{'devices':{'autoattachVSOCK':true}}}"
#define GUEST "{" ON ",'status':{'VSOCKCID':4711}}"

static const struct ask_case {
    const char *name, *vmi, *port, *tls;
    int want; /* 0, or the error's code */
    struct vsock_target target;
} asks[] = {
    { "TLS unless it says otherwise", GUEST, "22", NULL, 0, { 4711, 22, true } },
    { "with TLS", GUEST, "1", "true", 0, { 4711, 1, true } },
    { "without TLS", GUEST, "4294967295", "false", 0, { 4711, UINT32_MAX, false } },
    { "as Go spells it", GUEST, "22", "0", 0, { 4711, 22, false } },
    { "the last address",
      "{" ON ",'status':{'VSOCKCID':4294967294}}",
      "22",
      "f",
      0,
      { UINT32_MAX - 1, 22, false } },
    { "no device", "{'spec':{},'status':{'VSOCKCID':4711}}", "22", NULL, ERR_BAD_REQUEST, { 0 } },
    { "no port", GUEST, NULL, NULL, ERR_BAD_REQUEST, { 0 } },
    { "port 0", GUEST, "0", NULL, ERR_BAD_REQUEST, { 0 } },
    { "port beyond", GUEST, "4294967296", NULL, ERR_BAD_REQUEST, { 0 } },
    { "port below", GUEST, "-1", NULL, ERR_BAD_REQUEST, { 0 } },
    { "port that is none", GUEST, "22 ", NULL, ERR_BAD_REQUEST, { 0 } },
    { "tls that is none", GUEST, "22", "yes", ERR_BAD_REQUEST, { 0 } },
    { "no address yet", "{" ON ",'status':{}}", "22", NULL, ERR_INTERNAL, { 0 } },
    { "the node's own address",
      "{" ON ",'status':{'VSOCKCID':2}}",
      "22",
      NULL,
      ERR_INTERNAL,
      { 0 } },
    { "the address that means any",
      "{" ON ",'status':{'VSOCKCID':4294967295}}",
      "22",
      NULL,
      ERR_INTERNAL,
      { 0 } },
};

static void reads(void **state)
{
    const struct ask_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    struct vsock_target got = { 0 };
    struct error e;

    assert_int_equal(vsock_target_read(&got, vmi, c->port, c->tls, &e), -c->want);
    if (c->want)
        return;
    assert_int_equal(got.cid, c->target.cid);
    assert_int_equal(got.port, c->target.port);
    assert_int_equal(got.wants_tls, c->target.wants_tls);
}

/* ---- a guest ---- */

enum behaviour { ECHO, SILENT, HANGS_UP, SAYS_BYE };

static struct guest {
    enum behaviour behaviour;
    bool has_tls;
    const struct test_cert *ca; /* of which the client must show a certificate */
    int fd;                     /* its end */
    int node_fd;                /* the other */
    pthread_t thread;
    char cn[64];       /* that the client showed */
    atomic_bool ended; /* it has seen the connection's end */
} guest;

static void *serve(void *arg)
{
    struct guest *g = arg;
    struct raw r = { .fd = g->fd };
    char data[16 * 1024];

    bool is_up = !g->has_tls || raw_tls_accept(&r, g->fd, &pki.server, g->ca, g->cn);
    if (is_up && g->behaviour == SAYS_BYE)
        (void)raw_say(&r, "bye");
    while (is_up && g->behaviour == ECHO) {
        ssize_t n = raw_recv(&r, data, sizeof(data));
        if (n <= 0 || !raw_send(&r, data, (size_t)n))
            break;
    }
    atomic_store(&g->ended, true);
    raw_close(&r);
    return NULL;
}

static int connect_test(const struct vsock_target *t, int64_t ms, struct error *e)
{
    return t->cid == 4711 ? TAKE_FD(guest.node_fd)
                          : error_set(e, ERR_UNAVAILABLE, "nobody has this address");
}

static void start_guest(enum behaviour behaviour, bool has_tls, const struct test_cert *ca)
{
    const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    guest = (struct guest){
        .behaviour = behaviour, .has_tls = has_tls, .ca = ca, .fd = pair[1], .node_fd = pair[0]
    };
    if (behaviour != SILENT)
        assert_int_equal(pthread_create(&guest.thread, NULL, serve, &guest), 0);
}

static void end_guest(void)
{
    if (guest.behaviour == SILENT)
        (void)close(guest.fd);
    else
        assert_int_equal(pthread_join(guest.thread, NULL), 0);
    if (guest.node_fd >= 0)
        (void)close(guest.node_fd);
}

/* ---- dialling ---- */

static struct tls_keys *client_keys(const struct test_cert *cert)
{
    struct tls_keys *keys = tls_keys_new();
    struct error e;

    if (cert)
        assert_int_equal(tls_keys_set_pair(keys, cert->cert_pem, cert->key_pem, &e), 0);
    return keys;
}

static const struct vsock_target with_tls = { 4711, 22, true };
static const struct vsock_target without = { 4711, 22, false };

/* A node whose certificate is `cert`, or none. */
static struct vsock *node(const struct test_cert *cert)
{
    struct tls_keys *keys = client_keys(cert);
    struct vsock *v = vsock_new(keys, connect_test);

    tls_keys_unref(keys);
    return v;
}

static int dial(struct vsock *v, const struct vsock_target *t)
{
    struct error e;
    int fd = vsock_dial(v, t, PATIENCE_MS, &e);

    if (fd < 0)
        print_error("%s\n", e.msg);
    assert_true(fd >= 0);
    return fd;
}

static bool is_ready(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    return poll(&p, 1, PATIENCE_MS) == 1;
}

/* Both ways at once, so that neither side's buffers can hold it. */
static void exchange(int fd, size_t bytes)
{
    static char chunk[8192];
    size_t sent = 0, got = 0;

    while (got < bytes) {
        assert_true(is_ready(fd, (short)(sent < bytes ? POLLIN | POLLOUT : POLLIN)));
        for (size_t i = 0; i < sizeof(chunk); i++)
            chunk[i] = (char)((sent + i) % 251);
        size_t left = bytes - sent < sizeof(chunk) ? bytes - sent : sizeof(chunk);
        ssize_t n = left ? send(fd, chunk, left, MSG_NOSIGNAL) : 0;
        sent += n > 0 ? (size_t)n : 0;
        n = recv(fd, chunk, sizeof(chunk), 0);
        assert_int_not_equal(n, 0);
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal((unsigned char)chunk[i], (got + (size_t)i) % 251);
        got += n > 0 ? (size_t)n : 0;
    }
}

static void assert_ended(int fd)
{
    char c;

    assert_true(is_ready(fd, POLLIN));
    assert_int_equal(recv(fd, &c, 1, 0), 0);
}

static void plain_bytes(void **state)
{
    start_guest(ECHO, false, NULL);
    struct vsock *v = node(NULL);
    int fd = dial(v, &without);

    exchange(fd, BULK_BYTES);
    (void)close(fd);
    end_guest();
    vsock_free(v);
}

static void bytes_inside_tls(void **state)
{
    start_guest(ECHO, true, &pki.ca);
    struct vsock *v = node(&pki.client);
    int fd = dial(v, &with_tls);

    exchange(fd, BULK_BYTES);
    (void)close(fd);
    end_guest(); /* it has seen the end */
    assert_string_equal(guest.cn, "the-client");
    vsock_free(v);
}

static void tls_where_the_guest_asks_for_no_certificate(void **state)
{
    start_guest(ECHO, true, NULL);
    struct vsock *v = node(NULL);
    int fd = dial(v, &with_tls);

    exchange(fd, 10);
    (void)close(fd);
    end_guest();
    vsock_free(v);
}

/* With TLS 1.3 the refusal comes after the client's handshake is over: as the stream's end. */
static void a_guest_that_refuses_our_certificate(void **state)
{
    start_guest(ECHO, true, &pki.ca);
    struct vsock *v = node(NULL);
    struct error e = { 0 };
    int fd = vsock_dial(v, &with_tls, PATIENCE_MS, &e);

    if (fd >= 0)
        assert_ended(fd);
    else
        assert_int_equal(e.code, ERR_UNAVAILABLE);
    if (fd >= 0)
        (void)close(fd);
    end_guest();
    vsock_free(v);
}

static void the_guest_ends_it(void **state)
{
    const struct vsock_target *const how[] = { &without, &with_tls };

    for (size_t i = 0; i < countof(how); i++) {
        char text[3];

        start_guest(SAYS_BYE, how[i]->wants_tls, NULL);
        struct vsock *v = node(NULL);
        int fd = dial(v, how[i]);
        assert_true(is_ready(fd, POLLIN));
        assert_int_equal(recv(fd, text, sizeof(text), MSG_WAITALL), 3);
        assert_ended(fd);
        (void)close(fd);
        end_guest();
        vsock_free(v);
    }
}

/* ---- what goes wrong ---- */

static const struct fault_case {
    const char *name;
    enum behaviour behaviour;
    bool guest_has_tls;
    int64_t ms;
    enum error_code want;
    const char *says;
} faults[] = {
    { "a guest that says nothing", SILENT, false, SHORT_MS, ERR_TIMEOUT, "takes too long" },
    { "a guest that hangs up", HANGS_UP, false, PATIENCE_MS, ERR_UNAVAILABLE, "guest's service" },
    { "a service that is not TLS", SAYS_BYE, false, PATIENCE_MS, ERR_UNAVAILABLE,
      "guest's service" },
};

static void fails(void **state)
{
    const struct fault_case *c = *state;
    struct error e = { 0 };

    start_guest(c->behaviour, c->guest_has_tls, NULL);
    struct vsock *v = node(NULL);
    int64_t before = clock_mono_ms(&clock_real);
    assert_int_equal(vsock_dial(v, &with_tls, c->ms, &e), -(int)c->want);
    assert_true(clock_mono_ms(&clock_real) - before < PATIENCE_MS);
    assert_non_null(strstr(e.msg, c->says));
    end_guest();
    vsock_free(v);
}

static void nobody_has_the_address(void **state)
{
    const struct vsock_target t = { 5, 22, true };
    struct vsock *v = node(NULL);
    struct error e;

    assert_int_equal(vsock_dial(v, &t, PATIENCE_MS, &e), -ERR_UNAVAILABLE);
    vsock_free(v);
}

static void its_end_ends_what_is_open(void **state)
{
    start_guest(ECHO, true, NULL);
    struct vsock *v = node(NULL);
    int fd = dial(v, &with_tls);

    exchange(fd, 10);
    vsock_free(v);
    assert_ended(fd);
    end_guest();
    (void)close(fd);
}

/* ---- the kernel's own VSOCK ---- */

static void a_guest_that_is_not_there(void **state)
{
    const struct vsock_target t = { UINT32_MAX - 1, 22, false };
    struct vsock *v = vsock_new(NULL, NULL);
    struct error e = { 0 };

    assert_true(vsock_dial(v, &t, 1000, &e) < 0);
    assert_true(e.code == ERR_UNAVAILABLE || e.code == ERR_TIMEOUT);
    assert_non_null(strstr(e.msg, "port 22"));
    vsock_free(v);
}

static void over_the_loopback(void **state)
{
    struct sockaddr_vm at = { .svm_family = AF_VSOCK,
                              .svm_cid = VMADDR_CID_LOCAL,
                              .svm_port = VMADDR_PORT_ANY };
    socklen_t len = sizeof(at);
    int listening = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listening < 0 || bind(listening, (struct sockaddr *)&at, len) < 0) {
        print_message("this kernel has no vsock_loopback: not tried\n");
        if (listening >= 0)
            (void)close(listening);
        return;
    }
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&at, &len), 0);

    const struct vsock_target t = { VMADDR_CID_LOCAL, at.svm_port, false };
    struct vsock *v = vsock_new(NULL, NULL);
    int fd = dial(v, &t);
    struct raw peer = { .fd = accept(listening, NULL, NULL) };
    char text[3];

    assert_true(raw_say(&peer, "hey"));
    assert_true(is_ready(fd, POLLIN));
    assert_int_equal(recv(fd, text, sizeof(text), 0), 3);
    raw_close(&peer);
    assert_ended(fd);
    (void)close(fd);
    (void)close(listening);
    vsock_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_bytes),
        cmocka_unit_test(bytes_inside_tls),
        cmocka_unit_test(tls_where_the_guest_asks_for_no_certificate),
        cmocka_unit_test(a_guest_that_refuses_our_certificate),
        cmocka_unit_test(the_guest_ends_it),
        cmocka_unit_test(nobody_has_the_address),
        cmocka_unit_test(its_end_ends_what_is_open),
        cmocka_unit_test(a_guest_that_is_not_there),
        cmocka_unit_test(over_the_loopback),
    };

    test_pki_init(&pki);
    int failed = RUN_ROWS("vsock asks", asks, reads);
    failed += cmocka_run_group_tests_name("vsock", tests, NULL, NULL);
    failed += RUN_ROWS("vsock faults", faults, fails);
    test_pki_done(&pki);
    return failed;
}
