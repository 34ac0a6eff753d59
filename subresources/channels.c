/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/channels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/must.h"
#include "base/scope.h"
#include "http/connect.h"
#include "http/mux.h"
#include "subresources/limits.h"

/* One connection, from the client's wish to its end. */
struct leg {
    struct leg *next, *prev;
    struct channels *all;
    struct mux_channel *channel;
    struct connecting *connecting; /* until it stands or is refused */
    struct limits_share share;
};

struct channels {
    struct loop *loop;
    struct limits *limits;
    char *user, *vmi_uid, *address;
    int port;
    bool is_udp;
    struct mux *mux; /* NULL once it has ended */
    struct leg *legs;
};

static void leg_free(struct leg *g)
{
    if (g->prev)
        g->prev->next = g->next;
    else
        g->all->legs = g->next;
    if (g->next)
        g->next->prev = g->prev;
    connect_cancel(g->connecting);
    limits_give_back(&g->share);
    free(g);
}

static void leg_refuse(struct leg *g, const struct error *why)
{
    mux_refuse(g->channel, why->msg);
    leg_free(g);
}

static void on_connected(struct stream *s, const struct error *why, void *arg)
{
    struct leg *g = arg;
    struct error e;

    g->connecting = NULL;
    if (s) {
        stream_tune(s);
        mux_accept(g->channel, s, g->all->is_udp);
        return;
    }
    error_set(&e, ERR_INTERNAL, "dialing VM: %s: port %d of %s", why->msg, g->all->port,
              g->all->address);
    leg_refuse(g, &e);
}

static void on_open(struct mux_channel *channel, void *arg)
{
    struct channels *c = arg;
    struct leg *g = must_calloc(1, sizeof(*g));
    struct error e;

    g->all = c;
    g->channel = channel;
    g->next = c->legs;
    if (g->next)
        g->next->prev = g;
    c->legs = g;
    mux_channel_set_user(channel, g);
    if (limits_take(c->limits, c->user, c->vmi_uid, &g->share, &e) < 0) {
        leg_refuse(g, &e);
        return;
    }
    const struct connect_to to = { .host = c->address, .port = c->port, .is_udp = c->is_udp };
    g->connecting = connect_start(c->loop, &to, on_connected, g);
}

static void on_closed(struct mux_channel *channel, const char *why, void *arg)
{
    leg_free(mux_channel_user(channel));
}

static void on_ended(struct mux *m, const char *why, void *arg)
{
    struct channels *c = arg;

    c->mux = NULL;
    mux_free(m);
}

int channels_start(struct channels **ret, struct stream **ret_carrier, struct loop *l,
                   const struct channels_options *o, struct error *e)
{
    static const struct mux_handlers handlers = { .open = on_open,
                                                  .closed = on_closed,
                                                  .ended = on_ended };
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(e, ERR_INTERNAL, "a pair of sockets: %s", strerror(errno));

    struct channels *c = must_calloc(1, sizeof(*c));
    *c = (struct channels){ .loop = l,
                            .limits = o->limits,
                            .user = must_strdup(o->user),
                            .vmi_uid = must_strdup(o->vmi_uid),
                            .address = must_strdup(o->address),
                            .port = o->port,
                            .is_udp = o->is_udp };
    c->mux = mux_start(stream_from_fd(l, pair[1]), &handlers, c);
    *ret_carrier = stream_from_fd(l, pair[0]);
    *ret = c;
    return 0;
}

void channels_free(struct channels *c)
{
    if (!c)
        return;
    mux_free(c->mux);
    while (c->legs)
        leg_free(c->legs);
    free(c->user);
    free(c->vmi_uid);
    free(c->address);
    free(c);
}
