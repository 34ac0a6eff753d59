/* SPDX-License-Identifier: Apache-2.0 */
/* Something on a loop between two socket pairs, whose other ends a test holds. */
#ifndef TEST_UNIT_TWO_ENDS_H
#define TEST_UNIT_TWO_ENDS_H

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "http/stream.h"
#include "test/unit/ws_client.h"

struct ends {
    struct loop *loop;
    struct raw client, server; /* the test's ends; blocking, with 20 s of patience */
    int inner[2];
    struct stream *stream[2];
    void *between; /* what the test puts there */
    atomic_bool is_done;
    atomic_bool is_posted; /* what was posted has run */
};

static unused_ void ends_pair(int type, int *ret_outer, int *ret_inner)
{
    struct timeval patience = { .tv_sec = 20 };
    int pair[2];

    must(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) == 0);
    must(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    must(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
    must(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
    *ret_outer = pair[0];
    *ret_inner = pair[1];
}

static unused_ void ends_done(void *arg)
{
    struct ends *e = arg;

    atomic_store(&e->is_done, true);
}

static unused_ void ends_wait(atomic_bool *flag)
{
    for (int i = 0; i < 3000 && !atomic_load(flag); i++)
        usleep(10 * 1000);
    must(atomic_load(flag));
}

/* Run fn(e) on the loop, and wait for it. */
static unused_ void ends_run(struct ends *e, loop_fn *fn)
{
    atomic_store(&e->is_posted, false);
    loop_post(e->loop, fn, e);
    ends_wait(&e->is_posted);
}

/* `start` makes e->between of the two streams, on the loop, and sets is_posted. */
static unused_ void ends_open(struct ends *e, int server_type, loop_fn *start)
{
    *e = (struct ends){ .loop = loop_new("ends") };
    ends_pair(SOCK_STREAM, &e->client.fd, &e->inner[0]);
    ends_pair(server_type, &e->server.fd, &e->inner[1]);
    loop_start(e->loop);
    ends_run(e, start);
}

static unused_ void ends_close(struct ends *e)
{
    raw_close(&e->client);
    if (e->server.fd >= 0)
        raw_close(&e->server);
    ends_wait(&e->is_done);
    loop_free(e->loop);
}

static unused_ void ends_drop_server(struct ends *e)
{
    raw_close(&e->server);
    e->server.fd = -1;
}

#endif
