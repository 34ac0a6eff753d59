/* SPDX-License-Identifier: Apache-2.0 */
/* VSOCK connections; those with TLS are relayed between the session and a socket pair. */
#include "handler/vsock.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/secure.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/tls.h"

/* Below are the hypervisor, this machine and the host; the last number means any. */
enum { CID_FIRST = VMADDR_CID_HOST + 1 };
static const json_int_t cid_last = VMADDR_CID_ANY - 1L;

/* ---- what is asked for ---- */

/* As Go's strconv.ParseBool reads them: upstream's clients may send any. */
static const struct {
    const char *text;
    bool value;
} spellings[] = {
    { "true", true },   { "false", false }, { "True", true }, { "False", false }, { "TRUE", true },
    { "FALSE", false }, { "t", true },      { "f", false },   { "T", true },      { "F", false },
    { "1", true },      { "0", false },     { "", true },
};

static int read_tls(const char *text, bool *ret, struct error *e)
{
    for (size_t i = 0; i < countof(spellings); i++) {
        if (!streq(text ? text : "", spellings[i].text))
            continue;
        *ret = spellings[i].value;
        return 0;
    }
    return error_set(e, ERR_BAD_REQUEST, "tls must be true or false, not \"%.20s\"", text);
}

int vsock_target_read(struct vsock_target *ret, const json_t *vmi, const char *port,
                      const char *tls, struct error *e)
{
    long long number;

    if (!jpath_bool(vmi, "spec.domain.devices.autoattachVSOCK", false))
        return error_set(e, ERR_BAD_REQUEST, "VSOCK is not attached");
    if (!port || str_to_int(port, 1, UINT32_MAX, &number) < 0)
        return error_set(e, ERR_BAD_REQUEST, "port must be a number from 1 to 4294967295");
    int r = read_tls(tls, &ret->wants_tls, e);
    if (r < 0)
        return r;

    json_int_t cid = jpath_int(vmi, "status.VSOCKCID", 0);
    if (cid < CID_FIRST || cid > cid_last)
        return error_set(e, ERR_INTERNAL, "the machine has no VSOCK address (status.VSOCKCID)");
    ret->cid = (uint32_t)cid;
    ret->port = (uint32_t)number;
    return 0;
}

/* ---- connecting ---- */

static int refused(const struct vsock_target *t, int err, struct error *e)
{
    static const struct {
        int err;
        enum error_code code;
        const char *why;
    } known[] = {
        { ECONNRESET, ERR_UNAVAILABLE, "nothing in the guest listens there" },
        { ECONNREFUSED, ERR_UNAVAILABLE, "nothing in the guest listens there" },
        { ENODEV, ERR_UNAVAILABLE, "this node has no VSOCK (module vhost_vsock)" },
        { EAFNOSUPPORT, ERR_UNAVAILABLE, "this node has no VSOCK (module vsock)" },
        { ETIMEDOUT, ERR_TIMEOUT, "the guest does not answer" },
    };

    for (size_t i = 0; i < countof(known); i++) {
        if (known[i].err == err)
            return error_set(e, known[i].code, "port %u: %s", t->port, known[i].why);
    }
    return error_set(e, ERR_UNAVAILABLE, "port %u: %s", t->port, strerror(err));
}

/* errno of a connection that was begun, once it is decided. */
static int wait_connected(int fd, int64_t ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int64_t until = clock_mono_ms(&clock_real) + ms;
    int problem = 0;
    socklen_t len = sizeof(problem);

    for (;;) {
        int64_t left = until - clock_mono_ms(&clock_real);
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n == 0)
            return ETIMEDOUT;
        if (n > 0)
            break;
        if (errno != EINTR)
            return errno;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &len) < 0 ? errno : problem;
}

static int connect_guest(const struct vsock_target *t, int64_t ms, struct error *e)
{
    const struct sockaddr_vm at = {
        .svm_family = AF_VSOCK,
        .svm_cid = t->cid,
        .svm_port = t->port,
    };
    scoped_fd int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return refused(t, errno, e);
    int err = connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
    if (err == EINPROGRESS)
        err = wait_connected(fd, ms);
    return err ? refused(t, err, e) : TAKE_FD(fd);
}

/* ---- TLS ---- */

struct vsock {
    struct tls_keys *keys;
    vsock_connect_fn *connect;
    struct loop *loop;
    struct link *links; /* the loop's */
};

/* One stream inside TLS: the session here, a socket pair to who asked for it. */
struct link {
    struct vsock *vsock;
    struct relay *relay;
    struct link *next, **place;
};

/* What a dialling thread waits for; on its stack. */
struct shake {
    struct vsock *vsock;
    int64_t ms;
    int guest_fd;
    int fd; /* of the answer, or -1 */
    struct error why;
    sem_t is_over;
};

static void on_link_over(void *arg)
{
    struct link *link = arg;

    *link->place = link->next;
    if (link->next)
        link->next->place = link->place;
    free(link);
}

/* The pair's other end, whose bytes go through the session. */
static int start_link(struct vsock *v, struct stream *guest, struct error *e)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        stream_close(guest);
        return error_set(e, ERR_INTERNAL, "socket pair: %s", strerror(errno));
    }
    struct link *link = must_calloc(1, sizeof(*link));

    *link = (struct link){ .vsock = v, .next = v->links, .place = &v->links };
    if (v->links)
        v->links->place = &link->next;
    v->links = link;
    link->relay = relay_start(guest, stream_from_fd(v->loop, pair[0]), on_link_over, link);
    return pair[1];
}

static void on_shaken(struct stream *guest, const struct error *why, void *arg)
{
    struct shake *shake = arg;

    if (guest)
        shake->fd = start_link(shake->vsock, guest, &shake->why);
    else
        shake->why = *why;
    must(sem_post(&shake->is_over) == 0);
}

static void shake_hands(void *arg)
{
    struct shake *shake = arg;
    const struct secure_request q = {
        .fd = shake->guest_fd,
        .keys = shake->vsock->keys,
        .policy = { .peer = TLS_PEER_ANY, .has_no_alpn = true },
        .timeout_ms = shake->ms,
    };

    (void)secure_start(shake->vsock->loop, &q, on_shaken, shake);
}

static int dial_secure(struct vsock *v, int guest_fd, int64_t ms, struct error *e)
{
    struct shake shake = { .vsock = v, .ms = ms > 0 ? ms : 1, .guest_fd = guest_fd, .fd = -1 };

    must(sem_init(&shake.is_over, 0, 0) == 0);
    loop_post(v->loop, shake_hands, &shake);
    while (sem_wait(&shake.is_over) < 0) {
    }
    (void)sem_destroy(&shake.is_over);
    if (shake.fd >= 0)
        return shake.fd;
    *e = shake.why;
    if (e->code != ERR_TIMEOUT)
        e->code = ERR_UNAVAILABLE; /* a refused certificate is not the caller's lack of a right */
    return error_wrap(e, "the guest's service");
}

int vsock_dial(struct vsock *v, const struct vsock_target *t, int64_t ms, struct error *e)
{
    int64_t until = clock_mono_ms(&clock_real) + ms;
    int fd = v->connect(t, ms, e);

    if (fd < 0 || !t->wants_tls)
        return fd;
    return dial_secure(v, fd, until - clock_mono_ms(&clock_real), e);
}

int dial_vsock(const struct dial *d, struct error *e)
{
    struct vsock_target t;
    int r = vsock_target_read(&t, d->vmi, http_call_query(d->call, "port"),
                              http_call_query(d->call, "tls"), e);

    return r < 0 ? r : vsock_dial(d->vsock, &t, DIAL_MS, e);
}

/* ---- life ---- */

struct vsock *vsock_new(struct tls_keys *keys, vsock_connect_fn *connect)
{
    struct vsock *v = must_calloc(1, sizeof(*v));

    v->keys = keys ? tls_keys_ref(keys) : tls_keys_new();
    v->connect = connect ? connect : connect_guest;
    v->loop = loop_new("vsock");
    loop_start(v->loop);
    return v;
}

static void end_links(void *arg)
{
    struct vsock *v = arg;

    while (v->links)
        relay_stop(v->links->relay);
}

void vsock_free(struct vsock *v)
{
    if (!v)
        return;
    loop_post(v->loop, end_links, v);
    loop_free(v->loop);
    tls_keys_unref(v->keys);
    free(v);
}
