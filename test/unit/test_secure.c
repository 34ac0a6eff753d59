/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over a descriptor that somebody else has connected. */
#include "http/secure.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>

#include "rows.h"
#include "tls_fixture.h"

enum { PATIENCE_MS = 20 * 1000, SHORT_MS = 100 };

static struct test_pki pki;

enum peer { SERVES, SILENT, HANGS_UP };

static const struct secure_case {
    const char *name;
    enum peer peer;
    const struct test_cert *ca; /* that the server's certificate is checked against */
    const char *cn;             /* that it must bear, NULL: any */
    int64_t ms;
    enum error_code want; /* ERR_NONE: a stream */
    const char *says;
} cases[] = {
    { "nothing is verified", SERVES, NULL, NULL, PATIENCE_MS, ERR_NONE, NULL },
    { "a server that is known", SERVES, &pki.ca, "the-server", PATIENCE_MS, ERR_NONE, NULL },
    { "a server by another name", SERVES, &pki.ca, "somebody", PATIENCE_MS, ERR_FORBIDDEN,
      "common name" },
    { "a server of another CA", SERVES, &pki.other_ca, NULL, PATIENCE_MS, ERR_FORBIDDEN, "TLS" },
    { "a server that says nothing", SILENT, NULL, NULL, SHORT_MS, ERR_TIMEOUT, "takes too long" },
    { "a server that hangs up", HANGS_UP, NULL, NULL, PATIENCE_MS, ERR_UNAVAILABLE, "TLS" },
};

static void *serve(void *arg)
{
    struct raw r = { 0 };
    const int *fd = arg;

    if (raw_tls_accept(&r, *fd, &pki.server, NULL, NULL))
        (void)raw_say(&r, "hey");
    raw_close(&r);
    return NULL;
}

struct attempt {
    struct loop *loop;
    struct secure_request q;
    struct error why;
    char got[4];
    sem_t is_over;
};

static void on_bytes(struct stream *s, int events, void *arg)
{
    struct attempt *a = arg;

    if (stream_read(s, a->got, 3) == STREAM_AGAIN)
        return;
    stream_close(s);
    (void)sem_post(&a->is_over);
}

static void on_done(struct stream *s, const struct error *why, void *arg)
{
    struct attempt *a = arg;

    if (s) {
        stream_want(s, LOOP_READ, on_bytes, a);
        return;
    }
    a->why = *why;
    (void)sem_post(&a->is_over);
}

static void begin(void *arg)
{
    struct attempt *a = arg;

    (void)secure_start(a->loop, &a->q, on_done, a);
}

static void never(struct stream *s, const struct error *why, void *arg)
{
    fail_msg("called after it was given up");
}

static void begin_and_give_up(void *arg)
{
    struct attempt *a = arg;

    secure_cancel(secure_start(a->loop, &a->q, never, a));
    (void)sem_post(&a->is_over);
}

static void run(struct attempt *a, loop_fn *how)
{
    assert_int_equal(sem_init(&a->is_over, 0, 0), 0);
    a->loop = loop_new("secure");
    loop_start(a->loop);
    loop_post(a->loop, how, a);
    while (sem_wait(&a->is_over) < 0) {
    }
    loop_free(a->loop);
    (void)sem_destroy(&a->is_over);
    tls_keys_unref(a->q.keys);
}

static void make_pair(int pair[2])
{
    const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
}

static void attempts(void **state)
{
    const struct secure_case *c = *state;
    struct attempt a = { .q = { .keys = tls_keys_new(), .timeout_ms = c->ms } };
    pthread_t thread;
    struct error e;
    int pair[2];

    make_pair(pair);
    a.q.fd = pair[0];
    a.q.policy = (struct tls_policy){ .peer = c->ca ? TLS_PEER_REQUIRED : TLS_PEER_ANY,
                                      .has_no_alpn = true,
                                      .cn = { c->cn },
                                      .cn_len = c->cn ? 1 : 0 };
    if (c->ca)
        assert_int_equal(tls_keys_set_ca(a.q.keys, c->ca->cert_pem, &e), 0);
    if (c->peer == SERVES)
        assert_int_equal(pthread_create(&thread, NULL, serve, &pair[1]), 0);
    else if (c->peer == HANGS_UP)
        (void)close(pair[1]);
    run(&a, begin);
    if (c->peer == SERVES)
        assert_int_equal(pthread_join(thread, NULL), 0);
    else if (c->peer == SILENT)
        (void)close(pair[1]);

    assert_int_equal(a.why.code, c->want);
    if (c->want)
        assert_non_null(strstr(a.why.msg, c->says));
    else
        assert_string_equal(a.got, "hey");
}

static void is_given_up(void **state)
{
    struct attempt a = { .q = { .keys = tls_keys_new() } };
    int pair[2];
    char c;

    make_pair(pair);
    a.q.fd = pair[0];
    run(&a, begin_and_give_up);
    assert_true(recv(pair[1], &c, 1, 0) <= 0); /* closed */
    (void)close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_given_up),
    };

    test_pki_init(&pki);
    int failed = cmocka_run_group_tests_name("secure", tests, NULL, NULL);
    failed += RUN_ROWS("secure rows", cases, attempts);
    test_pki_done(&pki);
    return failed;
}
