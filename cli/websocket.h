/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end of a stream subresource (spec 06, section 2): what is written leaves as binary
 * messages, what arrives in them is bytes.  No thread of its own: it lives while its owner copies
 * or waits here, which answers pings, sends them after 15 s of silence, and gives a server up that
 * is silent for 45 s.  One thread at a time; different websockets on different threads.
 */
#ifndef CLI_WEBSOCKET_H
#define CLI_WEBSOCKET_H

#include "base/scope.h"
#include "cli/cli.h"

struct http_tunnel;
struct websocket;

enum {
    WEBSOCKET_CHUNK = 32 * 1024,    /* one message at most, to the server */
    WEBSOCKET_PENDING = 256 * 1024, /* received and not yet taken by the local side */
    WEBSOCKET_TEXT_MAX = 4 * 1024,  /* longer text messages are skipped */
    WEBSOCKET_REASON_MAX = 126,
};

/*
 * Connect, and wait for the handshake.  A 401 is asked once more with credentials that were read
 * anew.  On refusal *e holds the code and message of the server's Status.  `ready` is a connection
 * made before (taken), or NULL.
 */
int websocket_open(struct websocket **ret, struct cli *c, struct http_tunnel *ready,
                   const char *path, struct error *e);
/* The same, offering many connections in one (http/mux.h) besides; was that taken? */
int websocket_open_mux(struct websocket **ret, struct cli *c, struct http_tunnel *ready,
                       const char *path, struct error *e);
bool websocket_is_mux(const struct websocket *w);
void websocket_free(struct websocket *w);
DEFINE_SCOPE(struct websocket, websocket_free)

/* What the server says of the session, in text messages: a NUL-terminated string. */
typedef void websocket_text_fn(const char *text, void *arg);
void websocket_on_text(struct websocket *w, websocket_text_fn *fn, void *arg);

struct websocket_local {
    int in, out;       /* descriptors, may be one */
    size_t chunk;      /* bytes that are read at once; 0 is WEBSOCKET_CHUNK */
    bool is_datagrams; /* a message is a datagram, both ways */
    bool is_half_open; /* after the end of `in` go on until the server has nothing for 2 s */
    int64_t idle_ms;   /* > 0: end when nothing came from either side for so long */
    bool (*is_end)(const char *data, size_t len); /* this input ends the session; may be NULL */
};

enum websocket_end { WEBSOCKET_LOCAL_END, WEBSOCKET_REMOTE_END };

/*
 * Copy both ways until one side ends; what was received before is delivered.  A local side that
 * does not read holds the server back.
 */
enum websocket_end websocket_copy(struct websocket *w, const struct websocket_local *l);

/*
 * Wait for one of up to WEBSOCKET_WAIT_MAX descriptors to be readable (negative ones never are):
 * 1 + its index; 0 when none was within timeout_ms (-1: no limit); -1 when the server closed.
 */
enum { WEBSOCKET_WAIT_MAX = 2 };
int websocket_wait(struct websocket *w, const int fds[], size_t n, int64_t timeout_ms);

/* The server's close code (1005 none said, 1006 no close frame) and reason. */
int websocket_close_code(const struct websocket *w, char reason[WEBSOCKET_REASON_MAX]);

#endif
