/* SPDX-License-Identifier: Apache-2.0 */
/* console: the terminal, raw, on the serial line (spec 06, section 3.1). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/page.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/websocket.h"

enum {
    ESCAPE = 0x1d, /* Ctrl+], and Ctrl+5 on most terminals */
    INPUT_CHUNK = 1024,
    RETRY_MS = 1000,
};

const struct option console_flags[] = {
    { "timeout", 0, OPTION_INT, FLAG(timeout_minutes), .dflt = "5", .max = 100000, .arg = "MINUTES",
      .help = "How long to wait for the machine to run." },
    SESSION_FLAGS,
    PAGE_FLAGS,
    { 0 },
};

static void interrupted(int signal_number)
{
    static const char newline[] = "\n";

    (void)!write(STDOUT_FILENO, newline, 1);
    _exit(0);
}

/* A machine that does not run yet (400) is waited for; anything else is final. */
static int open_console(struct websocket **ret, struct cli *c, const char *path, struct error *e)
{
    int64_t until = clock_mono_ms(&clock_real) + c->flags.timeout_minutes * 60 * 1000;
    struct sigaction old, wait = { .sa_handler = interrupted };
    struct progress progress = { 0 };
    int r;

    (void)sigaction(SIGINT, &wait, &old);
    for (;;) {
        r = websocket_open(ret, c, NULL, path, e);
        if (r != -ERR_BAD_REQUEST || c->flags.timeout_minutes == 0)
            break;
        if (clock_mono_ms(&clock_real) >= until) {
            error_wrap(e, "timeout trying to connect");
            break;
        }
        progress_show(&progress, "Waiting: %s", e->msg);
        (void)poll(NULL, 0, RETRY_MS);
    }
    progress_end(&progress);
    (void)sigaction(SIGINT, &old, NULL);
    return r;
}

/* Make a terminal raw; true when it was one and must be put back. */
static bool make_raw(struct termios *saved)
{
    struct termios raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, saved) < 0)
        return false;
    raw = *saved;
    cfmakeraw(&raw);
    return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* Only at the beginning of what was read at once, as upstream: pasted text may hold it. */
static bool is_escape(const char *data, size_t len)
{
    return data[0] == ESCAPE;
}

static int explain_close(struct websocket *w, const char *name, struct error *e)
{
    scoped(free) char *what = must_asprintf("the console of %s", name);
    char reason[WEBSOCKET_REASON_MAX];

    if (websocket_close_code(w, reason) == 1006)
        (void)fprintf(stderr,
                      "\nYou were disconnected from the console. This has one of the following "
                      "reasons:\n - the machine was powered off\n - another user connected to the "
                      "console of the machine\n - the network was interrupted\n");
    return session_end(w, what, e);
}

int run_console(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct websocket_local terminal = {
        .in = STDIN_FILENO, .out = STDOUT_FILENO, .chunk = INPUT_CHUNK, .is_end = is_escape
    };
    const char *name = args->item[0];
    scoped(websocket_free) struct websocket *w = NULL;
    struct termios saved;

    if (page_is_wanted(c))
        return page_run(c, name, "console", e);
    scoped(free) char *path = session_path(c, name, "console", "", e);
    if (!path)
        return -(int)e->code;
    if (open_console(&w, c, path, e) < 0)
        return error_wrap(e, "Can't access console of %s", name);
    (void)fprintf(stderr,
                  "Successfully connected to %s console. Press Ctrl+] or Ctrl+5 to exit console.\n",
                  name);

    session_tell_roles(w);
    bool is_raw = make_raw(&saved);
    enum websocket_end end = websocket_copy(w, &terminal);
    if (is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    return end == WEBSOCKET_REMOTE_END ? explain_close(w, name, e) : 0;
}
