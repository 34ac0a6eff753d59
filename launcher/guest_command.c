// SPDX-License-Identifier: Apache-2.0
/* Pings and commands in the guest; see guest_command.h. */
#include "launcher/guest_command.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum { LOOK_AGAIN_MS = 10, LOOK_AGAIN_MAX_MS = 500, SIGNALLED = 128, ASK_LONGEST_S = 60 };

/* Reasons of the state Paused that end by themselves, or by who paused. */
static const char *const held_reasons[] = { "User",         "Migration", "Save",       "Dump",
                                            "FromSnapshot", "Snapshot",  "StartingUp", "Postcopy" };

bool guest_is_held(const struct hypervisor_state *s)
{
    if (!streq(s->state, "Paused"))
        return false;
    for (size_t i = 0; i < countof(held_reasons); i++)
        if (streq(s->reason, held_reasons[i]))
            return true;
    return false;
}

/* ---- the order ---- */

static int check_args(const json_t *args, size_t bytes, struct error *e)
{
    size_t i;
    json_t *arg;

    if (json_array_size(args) > GUEST_ARGS_MAX)
        return error_set(e, ERR_BAD_REQUEST, "more than %d arguments", GUEST_ARGS_MAX);
    json_array_foreach(args, i, arg) {
        if (!json_is_string(arg))
            return error_set(e, ERR_BAD_REQUEST, "args[%zu] is no string", i);
        bytes += json_string_length(arg);
    }
    if (bytes > GUEST_COMMAND_BYTES_MAX)
        return error_set(e, ERR_BAD_REQUEST, "the command is longer than %d bytes",
                         GUEST_COMMAND_BYTES_MAX);
    return 0;
}

int guest_order_read(struct guest_order *ret, const json_t *body, bool is_command,
                     const char *domain, struct error *e)
{
    json_int_t seconds = jpath_int(body, "timeoutSeconds", 1);
    const char *meant = jpath_str(body, "domainName", domain);

    *ret = (struct guest_order){ 0 };
    if (!streq(meant, domain))
        return error_set(e, ERR_CONFLICT, "this launcher is for domain \"%s\", not \"%.128s\"",
                         domain, meant);
    if (seconds < 1 || seconds > GUEST_TIMEOUT_MAX_SECONDS)
        return error_set(e, ERR_BAD_REQUEST, "timeoutSeconds is not in 1..%d",
                         GUEST_TIMEOUT_MAX_SECONDS);
    ret->timeout_ms = (int)seconds * 1000;
    if (!is_command)
        return 0;
    ret->command = jpath_str(body, "command", "");
    if (!*ret->command)
        return error_set(e, ERR_BAD_REQUEST, "body has no \"command\"");
    if (jpath_has(body, "args") && !jpath_arr(body, "args"))
        return error_set(e, ERR_BAD_REQUEST, "\"args\" is no list");
    ret->args = jpath_arr(body, "args");
    return check_args(ret->args, strlen(ret->command), e);
}

/* ---- the agent ---- */

/* What is left of the order's time, for one question; whole seconds, as libvirt takes them. */
static int seconds_left(int64_t deadline_ms)
{
    int64_t left = (deadline_ms - clock_mono_ms(&clock_real) + 999) / 1000;

    if (left < 1)
        return 1;
    return left < ASK_LONGEST_S ? (int)left : ASK_LONGEST_S;
}

int guest_ping(const struct guest_order *o, guest_ask_fn *ask, void *arg, struct error *e)
{
    json_auto_t *request = must_pack("{s:s}", "execute", "guest-ping");
    json_auto_t *answer = NULL;
    int64_t deadline = clock_mono_ms(&clock_real) + o->timeout_ms;

    return ask(arg, request, seconds_left(deadline), &answer, e);
}

/* The start of what a command wrote, as text. */
static json_t *output_of(const json_t *status, const char *member)
{
    const char *encoded = jpath_str(status, member, "");
    /* Whole groups of four digits, so that the cut leaves something to decode. */
    size_t len = strnlen(encoded, (GUEST_OUTPUT_MAX + 2) / 3 * 4);
    scoped(free) char *start = must_strndup(encoded, len);
    size_t decoded_len = 0;
    scoped(free) char *text = str_unbase64(start, &decoded_len);

    if (!text)
        return json_string("");
    if (decoded_len > GUEST_OUTPUT_MAX)
        text[GUEST_OUTPUT_MAX] = '\0';
    str_make_utf8(text);
    return json_string(text);
}

static json_t *result_of(const json_t *status)
{
    json_int_t code = jpath_int(status, "exitcode", 0);

    if (jpath_has(status, "signal"))
        code = SIGNALLED + jpath_int(status, "signal", 0);
    return must_pack("{s:I,s:o,s:o}", "exitCode", code, "stdout", output_of(status, "out-data"),
                     "stderr", output_of(status, "err-data"));
}

static int begin(const struct guest_order *o, guest_ask_fn *ask, void *arg, int64_t deadline,
                 json_int_t *ret_pid, struct error *e)
{
    json_auto_t *args = o->args ? must_copy(o->args) : json_array();
    json_auto_t *request = must_pack("{s:s,s:{s:s,s:O,s:b}}", "execute", "guest-exec", "arguments",
                                     "path", o->command, "arg", args, "capture-output", 1);
    json_auto_t *answer = NULL;

    int r = ask(arg, request, seconds_left(deadline), &answer, e);
    if (r < 0)
        return r;
    *ret_pid = jpath_int(answer, "pid", 0);
    return *ret_pid > 0 ? 0 : error_set(e, ERR_INTERNAL, "the guest agent named no process");
}

int guest_run(const struct guest_order *o, guest_ask_fn *ask, void *arg, json_t **ret,
              struct error *e)
{
    int64_t deadline = clock_mono_ms(&clock_real) + o->timeout_ms;
    json_int_t pid = 0;
    int r = begin(o, ask, arg, deadline, &pid, e);
    if (r < 0)
        return r;

    json_auto_t *request =
        must_pack("{s:s,s:{s:I}}", "execute", "guest-exec-status", "arguments", "pid", pid);
    for (int wait_ms = LOOK_AGAIN_MS;;) {
        json_auto_t *status = NULL;
        r = ask(arg, request, seconds_left(deadline), &status, e);
        if (r < 0)
            return r;
        if (jpath_bool(status, "exited", false)) {
            *ret = result_of(status);
            return 0;
        }
        int64_t left = deadline - clock_mono_ms(&clock_real);
        if (left <= 0)
            return error_set(e, ERR_TIMEOUT, "the command still runs in the guest after %d ms",
                             o->timeout_ms);
        (void)poll(NULL, 0, left < wait_ms ? (int)left : wait_ms);
        wait_ms = wait_ms * 2 < LOOK_AGAIN_MAX_MS ? wait_ms * 2 : LOOK_AGAIN_MAX_MS;
    }
}
