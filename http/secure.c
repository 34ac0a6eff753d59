/* SPDX-License-Identifier: Apache-2.0 */
/* From a connected descriptor to a TLS stream; see secure.h. */
#include "http/secure.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/scope.h"
#include "http/stream_internal.h"

enum { TIMEOUT_MS = 10 * 1000 };

struct secure {
    struct loop *loop;
    struct loop_io *io;
    struct loop_timer *timer;
    struct tls_conn *tls; /* until it is a stream's */
    struct error why;
    secure_done_fn *done;
    void *arg;
};

void secure_cancel(struct secure *s)
{
    if (!s)
        return;
    loop_io_free(s->io);
    loop_timer_free(s->timer);
    tls_conn_free(s->tls);
    free(s);
}

static void finish(struct secure *s, struct stream *made)
{
    s->done(made, &s->why, s->arg);
    secure_cancel(s);
}

static void on_timer(void *arg)
{
    struct secure *s = arg;

    (void)error_set(&s->why, ERR_TIMEOUT, "the TLS handshake takes too long");
    finish(s, NULL);
}

static void on_io(struct loop_io *io, int events, void *arg)
{
    struct secure *s = arg;
    int r = tls_conn_handshake(s->tls, &s->why);

    if (r < 0) {
        finish(s, NULL);
    } else if (r == 0) {
        loop_io_set(s->io, tls_conn_wants(s->tls));
    } else {
        loop_io_free(TAKE(s->io)); /* a descriptor is watched once: from now on by the stream */
        finish(s, stream_from_tls(s->loop, TAKE(s->tls), NULL, 0));
    }
}

struct secure *secure_start(struct loop *l, const struct secure_request *q, secure_done_fn *done,
                            void *arg)
{
    struct secure *s = must_calloc(1, sizeof(*s));

    *s = (struct secure){ .loop = l, .done = done, .arg = arg };
    s->tls = tls_conn_new(q->fd, TLS_CLIENT, q->keys, &q->policy);
    s->timer = loop_timer_new(l, q->timeout_ms > 0 ? q->timeout_ms : TIMEOUT_MS, on_timer, s);
    s->io = loop_io_new(l, q->fd, LOOP_WRITE, on_io, s);
    return s;
}
