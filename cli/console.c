/* SPDX-License-Identifier: Apache-2.0 */
/* console: the terminal, raw, on the serial line (spec 06, section 3.1). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/websocket.h"

enum {
    ESCAPE = 0x1d, /* Ctrl+], and Ctrl+5 on most terminals */
    INPUT_CHUNK = 1024,
    OUTPUT_CHUNK = 16 * 1024,
    RETRY_MS = 1000,
};

const struct option console_flags[] = {
    { "timeout", 0, OPTION_INT, FLAG(timeout_minutes), .dflt = "5", .max = 100000, .arg = "MINUTES",
      .help = "How long to wait for the machine to run." },
    { 0 },
};

static void interrupted(int signal_number)
{
    static const char newline[] = "\n";

    (void)!write(STDOUT_FILENO, newline, 1);
    _exit(0);
}

/* A machine that does not run yet (400) is waited for; anything else is final. */
static int open_console(struct websocket **ret, struct cli *c, const char *name, struct error *e)
{
    scoped(free) char *path = cli_subresource(c, "virtualmachineinstances", name, "console");
    int64_t until = clock_mono_ms(&clock_real) + c->flags.timeout_minutes * 60 * 1000;
    struct sigaction old, wait = { .sa_handler = interrupted };
    int r;

    (void)sigaction(SIGINT, &wait, &old);
    for (;;) {
        r = websocket_open(ret, c, path, e);
        if (r != -ERR_BAD_REQUEST || clock_mono_ms(&clock_real) >= until)
            break;
        (void)poll(NULL, 0, RETRY_MS);
    }
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

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* Until either side ends.  True when the server's side did. */
static bool copy(int remote)
{
    struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                           { .fd = remote, .events = POLLIN } };
    char data[OUTPUT_CHUNK];

    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return false;
        if (p[1].revents) {
            ssize_t n = read(remote, data, sizeof(data));

            if (n <= 0)
                return true;
            if (!write_all(STDOUT_FILENO, data, (size_t)n))
                return false;
        }
        if (p[0].revents) {
            ssize_t n = read(STDIN_FILENO, data, INPUT_CHUNK);

            if (n <= 0 || data[0] == ESCAPE)
                return false;
            if (!write_all(remote, data, (size_t)n))
                return true;
        }
    }
}

static int explain_close(struct websocket *w, const char *name, struct error *e)
{
    char reason[WEBSOCKET_REASON_MAX];
    int code = websocket_close_code(w, reason);

    if (code == 1000 || code == 1005)
        return 0;
    if (code == 1006)
        (void)fprintf(stderr,
                      "\nYou were disconnected from the console. This has one of the following "
                      "reasons:\n - the machine was powered off\n - another user connected to the "
                      "console of the machine\n - the network was interrupted\n");
    return error_set(e, ERR_UNAVAILABLE, "the console of %s was closed (%d)%s%s", name, code,
                     *reason ? ": " : "", reason);
}

int run_console(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];
    struct websocket *w = NULL;
    struct termios saved;

    if (open_console(&w, c, name, e) < 0)
        return error_wrap(e, "Can't access console of %s", name);
    (void)fprintf(stderr,
                  "Successfully connected to %s console. Press Ctrl+] or Ctrl+5 to exit console.\n",
                  name);

    bool is_raw = make_raw(&saved);
    bool is_remote_end = copy(websocket_fd(w));
    if (is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);

    int r = is_remote_end ? explain_close(w, name, e) : 0;
    websocket_free(w);
    return r;
}
