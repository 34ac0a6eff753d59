/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd without threads and listeners of its own: run on the loop's
 * thread whenever something was done that it may go on with.
 *
 * It keeps one pool of memory for each connection and wipes all of it after
 * each request.  A pool for the longest head would cost a tenth of the server's
 * time and 96 KiB an idle connection, so there are two sizes; see front.c.
 */
#include "base/must.h"
#include "http/server_internal.h"

enum { RUNS_AT_ONCE = 8 };

static const size_t pool_bytes[ENGINE_SIZES] = {
    [ENGINE_SMALL] = 20 * 1024,
    [ENGINE_LARGE] =
        HTTP_HEAD_BYTES_MAX + 32 * 1024, /* the rest for header entries and the answer's head */
};

void engine_run(struct engine *e)
{
    unsigned long long left_ms;

    if (!e->mhd)
        return;
    if (e->is_held) {
        e->is_wanted = true;
        return;
    }
    e->is_held = true;
    for (int i = 0; i < RUNS_AT_ONCE; i++) {
        e->is_wanted = false;
        (void)MHD_run(e->mhd);
        if (MHD_get_timeout(e->mhd, &left_ms) == MHD_YES && left_ms == 0)
            e->is_wanted = true;
        if (!e->is_wanted)
            break;
    }
    e->is_held = false;
    if (e->is_wanted)
        loop_timer_set(e->thread->tick, 0);
}

static void on_event(struct loop_io *io, int events, void *arg)
{
    struct engine *e = arg;

    engine_run(e);
    thread_do_it_now(e->thread);
}

struct engine *engine_of(struct server_thread *t, enum engine_size size)
{
    struct engine *e = &t->engine[size];

    if (e->mhd)
        return e;
    e->thread = t;
    e->mhd = call_start_daemon(t, pool_bytes[size]);
    must(e->mhd);
    if (t->server->options.keys)
        return e;
    /* Plain connections are the engine's own.  With TLS, all that it waits for comes through
     * front.c, which runs it then: its descriptor would only wake the loop a second time. */
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(e->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    must(info);
    e->io = loop_io_new(t->loop, info->epoll_fd, LOOP_READ, on_event, e);
    return e;
}

void engine_stop(struct engine *e)
{
    if (!e->mhd)
        return;
    loop_io_free(e->io);
    e->is_held = true; /* from here on nobody runs it */
    MHD_stop_daemon(e->mhd);
    e->mhd = NULL;
}
