/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mux's carrier is one end of a socket pair on a loop; a thread copies between the other end
 * and the websocket.  Both are made anew when they have ended and a connection needs them.
 */
#include "cli/muxed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/thread.h"
#include "cli/session.h"
#include "cli/spare.h"
#include "cli/websocket.h"
#include "http/mux.h"

struct muxed {
    struct cli *cli;
    struct spare *spare;
    char *path, *what;
    struct loop *loop;
    struct mux *mux; /* the loop's */

    pthread_mutex_t lock; /* also held while a carrier is opened: one is enough */
    bool is_plain;        /* the server does not know channels */
    bool is_live;         /* a carrier was started and has not ended */
};

/* A carrier on its way to the loop, then to its thread. */
struct carrier {
    struct muxed *muxed;
    struct websocket *websocket;
    int near, far; /* the thread's end, the loop's end */
};

/* A local connection, from its thread to the loop and back. */
struct channel {
    struct muxed *muxed;
    int fd;
    bool is_late; /* the carrier had ended: fd was not taken */
    char why[MUX_REASON_MAX + 1];
    sem_t done;
};

/* ---- the websocket's thread ---- */

static void *carry_websocket(void *arg)
{
    struct carrier *c = arg;
    const struct websocket_local local = { .in = c->near, .out = c->near };
    struct error e;

    if (websocket_copy(c->websocket, &local) == WEBSOCKET_REMOTE_END &&
        session_end(c->websocket, c->muxed->what, &e) < 0)
        (void)fprintf(stderr, "%s\n", e.msg);
    (void)close(c->near); /* so that the channels end too */
    websocket_free(c->websocket);
    free(c);
    return NULL;
}

/* ---- on the loop ---- */

static void channel_closed(struct mux_channel *c, const char *why, void *arg)
{
    struct channel *ch = mux_channel_user(c);

    (void)snprintf(ch->why, sizeof(ch->why), "%s", why);
    must(sem_post(&ch->done) == 0);
}

static void carrier_ended(struct mux *mux, const char *why, void *arg)
{
    struct muxed *m = arg;

    m->mux = NULL;
    mux_free(mux);
    pthread_mutex_lock(&m->lock);
    m->is_live = false;
    pthread_mutex_unlock(&m->lock);
}

static void start_mux(void *arg)
{
    static const struct mux_handlers handlers = { .closed = channel_closed,
                                                  .ended = carrier_ended };
    struct carrier *c = arg;
    struct muxed *m = c->muxed;
    pthread_t thread;

    m->mux = mux_start(stream_from_fd(m->loop, c->far), &handlers, m);
    thread_start(&thread, "carrier", carry_websocket, c);
    (void)pthread_detach(thread);
}

static void open_channel(void *arg)
{
    struct channel *ch = arg;
    struct muxed *m = ch->muxed;

    if (!m->mux) {
        ch->is_late = true;
        must(sem_post(&ch->done) == 0);
        return;
    }
    must(fcntl(ch->fd, F_SETFL, O_NONBLOCK) == 0);
    if (mux_open(m->mux, stream_from_fd(m->loop, ch->fd), false, ch))
        return;
    (void)snprintf(ch->why, sizeof(ch->why), "there are %d connections already", MUX_CHANNELS_MAX);
    must(sem_post(&ch->done) == 0);
}

/* ---- a connection's thread ---- */

static void start_carrier(struct muxed *m, struct websocket *taken)
{
    struct carrier *c = must_calloc(1, sizeof(*c));
    int pair[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    must(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
    *c = (struct carrier){ .muxed = m, .websocket = taken, .near = pair[0], .far = pair[1] };
    m->is_live = true;
    loop_post(m->loop, start_mux, c);
}

/* With the lock held.  0: there is a carrier; 1: the server has none. */
static int ensure_carrier(struct muxed *m, struct websocket **ret_plain, struct error *e)
{
    struct websocket *w = NULL;

    if (m->is_plain)
        return 1;
    if (m->is_live)
        return 0;
    int r = websocket_open_mux(&w, m->cli, spare_take(m->spare), m->path, e);
    if (r < 0)
        return r;
    if (!websocket_is_mux(w)) {
        m->is_plain = true;
        *ret_plain = w;
        return 1;
    }
    start_carrier(m, w);
    return 0;
}

struct muxed *muxed_new(struct cli *c, struct spare *spare, const char *path, const char *what)
{
    struct muxed *m = must_calloc(1, sizeof(*m));

    m->cli = c;
    m->spare = spare;
    m->path = must_strdup(path);
    m->what = must_strdup(what);
    must(pthread_mutex_init(&m->lock, NULL) == 0);
    m->loop = loop_new("channels");
    loop_start(m->loop);
    return m;
}

static void run_channel(struct muxed *m, struct channel *ch, int fd)
{
    *ch = (struct channel){ .muxed = m, .fd = fd };
    must(sem_init(&ch->done, 0, 0) == 0);
    loop_post(m->loop, open_channel, ch);
    while (sem_wait(&ch->done) < 0)
        must(errno == EINTR);
    must(sem_destroy(&ch->done) == 0);
}

int muxed_carry(struct muxed *m, int fd, struct websocket **ret_plain, struct error *e)
{
    struct channel ch;

    *ret_plain = NULL;
    do {
        pthread_mutex_lock(&m->lock);
        int r = ensure_carrier(m, ret_plain, e);
        pthread_mutex_unlock(&m->lock);
        if (r == 1)
            return 1;
        if (r < 0) {
            (void)close(fd);
            return r;
        }
        run_channel(m, &ch, fd);
    } while (ch.is_late);
    return ch.why[0] ? error_set(e, ERR_UNAVAILABLE, "%s", ch.why) : 0;
}
