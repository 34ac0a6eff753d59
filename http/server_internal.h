/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the server among themselves.  Inside http/ only.
 *
 *   server.c  listening, threads, limits in time, drain
 *   engine.c  libmicrohttpd on the loop
 *   front.c   a connection: TLS on one side, a socketpair to libmicrohttpd on the other
 *   call.c    libmicrohttpd's callbacks: a request becomes a struct http_call
 *   reply.c   answers, kept calls, pieces, upgrades
 *
 * Everything of a thread is touched on its loop only, except where said.
 */
#ifndef HTTP_SERVER_INTERNAL_H
#define HTTP_SERVER_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/loop.h"
#include "http/server.h"
#include "http/tls_conn.h"

enum { SCRATCH_BYTES = 16 * 1024 };

/*
 * The way back to a loop from other threads.  It outlives the server, so that a
 * kept call can be answered into the void after http_server_free.
 */
struct gate {
    atomic_int refs;
    pthread_mutex_t lock;
    /* guarded by lock */
    bool is_closed;
    struct loop *loop;
};
struct gate *gate_ref(struct gate *g);
void gate_unref(struct gate *g);
/* Post unless closed; false: nobody will run it. */
bool gate_post(struct gate *g, loop_fn *fn, void *arg);

enum engine_size { ENGINE_SMALL, ENGINE_LARGE, ENGINE_SIZES };

/* One libmicrohttpd daemon. */
struct engine {
    struct server_thread *thread;
    struct MHD_Daemon *mhd; /* NULL until it is first needed */
    struct loop_io *io;     /* its epoll descriptor; plain listeners only */
    bool is_held;           /* running, or must not run now */
    bool is_wanted;         /* again, after that */
};

/* fn(arg), once the turn's answers are on their way. */
struct later {
    loop_fn *fn;
    void *arg;
};

struct server_thread {
    struct http_server *server;
    struct loop *loop;
    struct gate *gate;
    struct engine engine[ENGINE_SIZES];
    struct loop_timer *tick;
    struct conn *conns;
    struct conn *adding; /* being given to the engine at this moment */
    atomic_size_t load;  /* connections here; read by the accepting thread */
    bool is_stopping;
    struct later *later; /* what clients need not wait for */
    size_t later_len, later_cap;
    char scratch[SCRATCH_BYTES];
};

struct http_server {
    struct http_server_options options; /* with defaults filled in; strings are copies */
    char *name;
    char *unix_path;
    ino_t unix_inode;
    int listen_fd;
    int port;
    struct loop_io *listen_io;
    struct loop_timer *listen_again; /* after descriptors ran out */
    struct server_thread *thread;
    size_t thread_len;
    atomic_size_t connections;
    atomic_bool is_retiring;

    atomic_size_t calls;
    pthread_mutex_t lock; /* only for waiting until there are none */
    pthread_cond_t idle;
};

enum conn_state {
    CONN_PLAIN,     /* libmicrohttpd has the descriptor */
    CONN_HANDSHAKE, /* TLS, no engine yet */
    CONN_OPEN,
    CONN_LINGERING, /* said goodbye; reading until the client does */
    CONN_DONE,      /* closed; waits for the engine to forget it */
};

struct conn {
    struct conn *next, *prev;
    struct server_thread *thread;
    enum conn_state state;
    int fd; /* CONN_PLAIN: the engine's */
    pid_t pid;
    uid_t uid;

    /* TLS */
    struct tls_conn *tls;
    struct loop_io *io;
    int io_events;
    int pair; /* our end */
    struct loop_io *pair_io;
    int pair_events;
    char *in; /* decrypted, not yet taken by the engine */
    size_t in_len;
    size_t in_off;
    bool client_ended;

    struct engine *engine;       /* the one it joined */
    struct MHD_Connection *link; /* what the engine calls it; NULL before and after */
    size_t given_bytes;          /* to the engine, since the request began */
    bool is_aligned;             /* the engine holds no bytes of a next request */
    struct http_call *call;      /* being read or answered */

    int64_t request_since_ms; /* first byte of a request that is not whole; 0 without */
    int64_t moved_ms;         /* last progress */

    /* An upgrade: where the connection goes once its 101 has been sent. */
    bool is_upgraded;
    http_taken_fn *taken;
    void *taken_arg;
    struct buf early;
};

/* ---- server.c ---- */
int64_t server_now_ms(void);
void server_call_begins(struct http_server *s);
void server_call_ends(struct http_server *s);
void thread_do_later(struct server_thread *t, loop_fn *fn, void *arg);
/* At the end of whatever may have answered a call. */
void thread_do_it_now(struct server_thread *t);

/* ---- engine.c ---- */
struct engine *engine_of(struct server_thread *t, enum engine_size size);
void engine_run(struct engine *e);
void engine_stop(struct engine *e);

/* ---- front.c ---- */
void conn_arrive(struct server_thread *t, int fd); /* takes fd */
void conn_check_time(struct conn *c);
/* The engine wrote something for this connection: send it on. */
void conn_pump_out(struct conn *c);
/* Close as soon as nothing is in hand. */
void conn_drain(struct conn *c);
void conn_abort(struct conn *c);
/* The engine forgot the connection. */
void conn_engine_closed(struct conn *c);
/* Where a plain connection's descriptor goes after its upgrade. */
void conn_upgraded_plain(struct conn *c, int fd);

/* ---- call.c ---- */
struct MHD_Daemon *call_start_daemon(struct server_thread *t, size_t pool_bytes);

enum call_state {
    CALL_READING,
    CALL_HANDLING, /* inside the handler */
    CALL_KEPT,
    CALL_ANSWERED, /* response is set and may be queued */
    CALL_QUEUED,
};

struct pieces; /* of a response that is written bit by bit */

struct http_call {
    atomic_int refs; /* the engine's; one for a kept call until its reply; one for pieces until
                        their end */
    struct gate *gate;
    struct conn *conn;           /* loop's thread; NULL once the connection is gone */
    struct MHD_Connection *link; /* loop's thread; likewise */
    enum call_state state;       /* loop's thread */
    bool has_begun;              /* loop's thread: its head is here */
    bool is_suspended;           /* loop's thread */
    bool is_dropped;             /* loop's thread: the server stops */
    bool is_kept;
    atomic_bool is_gone;
    int plain_fd; /* to look for a hang-up; -1 with TLS */

    enum http_method method;
    char *target; /* path, NUL, query string */
    const char *query_string;
    struct http_headers headers; /* libmicrohttpd's strings, or copies when has_copies */
    bool has_copies;
    struct http_headers query; /* decoded on demand */
    bool is_query_parsed;
    struct buf body;
    bool is_too_large;
    size_t head_bytes;
    size_t seen_bytes; /* of the body */
    struct tls_identity peer;
    pid_t pid;
    uid_t uid;

    struct http_headers extra; /* for the response */
    int status;
    struct MHD_Response *response;
    struct pieces *pieces;
    http_taken_fn *taken; /* of an upgrade that has not happened yet */
    void *taken_arg;
};

void call_unref(struct http_call *c);
/* Give the answer to the engine. */
enum MHD_Result call_queue(struct http_call *c);
/* Let a suspended call go on. */
void call_wake(struct http_call *c);

/* ---- reply.c ---- */
/* The connection ended before or after the answer. */
void call_connection_over(struct http_call *c);
void pieces_free(struct pieces *p);

#endif
