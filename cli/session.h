/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What console and vnc have in common: with whom the session is shared (docs/STREAMS.md), what the
 * server says of it, and why it ended, in words.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/cli.h"

struct websocket;

// clang-format off
#define SESSION_FLAGS                                                                       \
    { "shared", 0, OPTION_BOOL, FLAG(session.is_shared), .dflt = "false",                   \
      .help = "Join the sessions there are instead of ending them." },                      \
    { "observe", 0, OPTION_BOOL, FLAG(session.is_observer), .dflt = "false",                \
      .help = "Join and watch only; nothing that is typed is sent to the guest." },         \
    { "take-over", 0, OPTION_BOOL, FLAG(session.takes_over), .dflt = "false",               \
      .help = "Join and type; whoever typed goes on watching." }
// clang-format on

/* The subresource's path with what the flags ask for; NULL with *e filled when they contradict
 * each other.  base_query: of the command's own ("preserveSession=true") or "".  New. */
char *session_path(const struct cli *c, const char *name, const char *sub, const char *base_query,
                   struct error *e);

/* Let the user know of roles as they change, one line each on stderr. */
void session_tell_roles(struct websocket *w);

/*
 * After the server ended the stream: 0 when that was a normal end (said on stderr when it has a
 * reason), else an error in words.  `what` is "the console of vm".
 */
int session_end(const struct websocket *w, const char *what, struct error *e);

/* "the server is going away" and the like for a close code.  Pure. */
const char *session_code_words(int code);
/* The line for a text message of the server ({"role": ..., "sessions": N}); false: none.  Pure. */
bool session_role_words(const char *text, char out[160]);

#endif
