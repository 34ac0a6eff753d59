// SPDX-License-Identifier: Apache-2.0
/*
 * virt-probe: its command line, and its calls of the launcher's real API on a socket.  What is
 * behind the API is a guest agent of this file.
 */
#include "launcher/probe.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/pool.h"
#include "base/str.h"
#include "launcher/api.h"
#include "launcher/guest_command.h"
#include "launcher/launcher.h"
#include "launcher/machine.h"
#include "test/unit/rows.h"

enum { SLOW_MS = 1600 };

/* ---- the launcher behind the API ---- */

static struct loop *loop;
static struct pool *pool;
static struct machine *machine;
static char directory[] = "/tmp/test_probe.XXXXXX";
static char socket_path[64];

// clang-format off
struct loop *launcher_loop(struct launcher *l) { return loop; }
struct pool *launcher_pool(struct launcher *l, enum launcher_lane lane) { return pool; }
struct machine *launcher_machine(struct launcher *l) { return machine; }
// clang-format on

/* The guest: "exit N" ends with N, "echo TEXT" writes it, "nap" takes long; others do not exist. */
static int ask(void *arg, const json_t *request, int timeout_seconds, json_t **ret, struct error *e)
{
    static _Thread_local json_int_t code;
    static _Thread_local char *written;
    const char *path = jpath_str(request, "arguments.path", "");

    if (streq(jpath_str(request, "execute", ""), "guest-exec-status")) {
        *ret = must_pack("{s:b,s:I,s:s}", "exited", 1, "exitcode", code, "out-data", written);
        free(written);
        return 0;
    }
    const char *first = jpath_str(request, "arguments.arg[0]", "");
    bool is_exit = streq(path, "exit");
    if (streq(path, "nap"))
        (void)poll(NULL, 0, SLOW_MS);
    else if (!is_exit && !streq(path, "echo"))
        return error_set(e, ERR_INTERNAL, "guest-exec: no program \"%s\"", path);
    code = is_exit ? strtoll(first, NULL, 10) : 0;
    written = str_base64(first, is_exit ? 0 : strlen(first));
    *ret = must_pack("{s:i}", "pid", 7);
    return 0;
}

int operation_guest_ping(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    struct guest_order o;

    a->json = json_object();
    return guest_order_read(&o, body, false, "ns_vm", e);
}

int operation_guest_exec(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    struct guest_order o;
    int r = guest_order_read(&o, body, true, "ns_vm", e);

    return r < 0 ? r : guest_run(&o, ask, NULL, &a->json, e);
}

#define NOT_CALLED(name)                                                                \
    int name(struct launcher *l, const json_t *body, struct answer *a, struct error *e) \
    {                                                                                   \
        return error_set(e, ERR_INTERNAL, "not expected here");                         \
    }
NOT_CALLED(operation_ping)
NOT_CALLED(operation_domain)
NOT_CALLED(operation_sync)
NOT_CALLED(operation_pause)
NOT_CALLED(operation_unpause)
NOT_CALLED(operation_reset)
NOT_CALLED(operation_softreboot)
NOT_CALLED(operation_shutdown)
NOT_CALLED(operation_kill)
NOT_CALLED(operation_delete)
NOT_CALLED(operation_guest_info)
NOT_CALLED(operation_users)
NOT_CALLED(operation_filesystems)
NOT_CALLED(operation_screenshot)

/* ---- the command line ---- */

enum { WORDS_MAX = 80 };

/* Words split at blanks into `text` and argv; the number of them. */
static int split(const char *line, char *text, size_t size, char **argv)
{
    int argc = 0;

    assert_true(strlen(line) < size);
    memcpy(text, line, strlen(line) + 1);
    for (char *at = text; *at && argc < WORDS_MAX;) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    return argc;
}

static const struct line_case {
    const char *name, *line;
    int want; /* 0 or -code */
    const char *command, *last;
    int args, seconds;
} lines[] = {
    { "as virt-controller writes a ping",
      "virt-probe --domainName ns_vm --timeoutSeconds 5 --guestAgentPing", 0, NULL, NULL, 0, 5 },
    { "as virt-controller writes a command",
      "virt-probe --domainName ns_vm --timeoutSeconds 1 --command cat -- /etc/hostname", 0, "cat",
      "/etc/hostname", 1, 1 },
    { "a command without arguments",
      "virt-probe --domainName ns_vm --timeoutSeconds 1 --command true --", 0, "true", NULL, 0, 1 },
    { "arguments that look like flags",
      "virt-probe --domainName ns_vm --command sh -- -c --guestAgentPing", 0, "sh",
      "--guestAgentPing", 2, 1 },
    { "more time than the API gives",
      "virt-probe --domainName ns_vm --timeoutSeconds 99999 --guestAgentPing", 0, NULL, NULL, 0,
      3600 },
    { "nothing asked", "virt-probe --domainName ns_vm", -ERR_BAD_REQUEST, NULL, NULL, 0, 0 },
    { "both asked", "virt-probe --domainName ns_vm --guestAgentPing --command x", -ERR_BAD_REQUEST,
      NULL, NULL, 0, 0 },
    { "no machine", "virt-probe --guestAgentPing", -ERR_BAD_REQUEST, NULL, NULL, 0, 0 },
    { "no time", "virt-probe --domainName ns_vm --guestAgentPing --timeoutSeconds 0",
      -ERR_BAD_REQUEST, NULL, NULL, 0, 0 },
    { "a flag that does not exist", "virt-probe --domainName ns_vm --guestAgentPong",
      -ERR_BAD_REQUEST, NULL, NULL, 0, 0 },
};

static void parses(void **state)
{
    const struct line_case *c = *state;
    char text[256], *argv[WORDS_MAX];
    struct probe p;
    struct error e = { 0 };

    int argc = split(c->line, text, sizeof(text), argv);
    assert_int_equal(probe_parse(&p, argc, argv, &e), c->want);
    if (c->want < 0)
        return;
    assert_true(streq(p.command, c->command));
    assert_int_equal(p.is_ping, c->command == NULL);
    assert_int_equal(p.args.len, c->args);
    if (c->args)
        assert_string_equal(p.args.item[c->args - 1], c->last);
    assert_int_equal(p.timeout_seconds, c->seconds);
    assert_string_equal(p.socket, "/var/run/kubevirt/sockets/launcher-sock");
}

/* ---- calls ---- */

static const struct call_case {
    const char *name, *line;
    int want; /* exit code, or -code */
    const char *out;
} calls[] = {
    { "a ping that is answered", "--domainName ns_vm --guestAgentPing", 0, "" },
    { "a ping of another machine", "--domainName ns_other --guestAgentPing", -ERR_CONFLICT, "" },
    { "a command's output", "--domainName ns_vm --command echo -- hello", 0, "hello" },
    { "a command's exit code", "--domainName ns_vm --command exit -- 3", 3, "" },
    { "what would become 0 in eight bits", "--domainName ns_vm --command exit -- 256", 1, "" },
    { "an exit code below zero", "--domainName ns_vm --command exit -- -1", 1, "" },
    { "no such command", "--domainName ns_vm --command nope --", -ERR_INTERNAL, "" },
    { "a guest that takes longer", "--domainName ns_vm --timeoutSeconds 1 --command nap --",
      -ERR_TIMEOUT, "" },
    { "a guest that takes its time", "--domainName ns_vm --command nap --", 0, "" },
};

static int run(const char *line, const char *path, char **ret_out, struct error *e)
{
    scoped(free) char *whole =
        must_asprintf("virt-probe --socket %s --timeoutSeconds 60 %s", path, line);
    char text[512], *argv[WORDS_MAX];
    size_t len;
    struct probe p;

    FILE *out = open_memstream(ret_out, &len);
    int r = probe_parse(&p, split(whole, text, sizeof(text), argv), argv, e);
    if (r >= 0)
        r = probe_run(&p, out, out, e);
    (void)fclose(out);
    return r;
}

static void calls_the_launcher(void **state)
{
    const struct call_case *c = *state;
    scoped(free) char *out = NULL;
    struct error e = { 0 };

    int r = run(c->line, socket_path, &out, &e);
    if (r != c->want)
        print_error("%s\n", e.msg);
    assert_int_equal(r, c->want);
    assert_string_equal(out, c->out);
}

/* A launcher that takes calls and never answers costs the timeout and no more. */
static void silence_ends_in_time(void **state)
{
    scoped(free) char *path = must_asprintf("%s/silent", directory);
    scoped(free) char *out = NULL;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct error e = { 0 };

    memcpy(address.sun_path, path, strlen(path));
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    int64_t begun = clock_mono_ms(&clock_real);
    assert_int_equal(run("--domainName ns_vm --timeoutSeconds 1 --guestAgentPing", path, &out, &e),
                     -ERR_TIMEOUT);
    assert_in_range(clock_mono_ms(&clock_real) - begun, 1400, 20000);
    (void)unlink(path);
}

static void no_launcher_is_no_answer(void **state)
{
    scoped(free) char *out = NULL;
    struct error e = { 0 };

    assert_int_equal(run("--domainName ns_vm --guestAgentPing", "/nonexistent/sock", &out, &e),
                     -ERR_UNAVAILABLE);
}

/* ---- who may call ---- */

static const struct caller_case {
    const char *name;
    enum api_caller caller;
    bool is_root, is_inside, want;
} callers[] = {
    { "virt-handler changes the machine", CALLER_NODE, true, false, true },
    { "virt-handler runs no commands in the guest", CALLER_PROBE, true, false, false },
    { "the probe does", CALLER_PROBE, false, true, true },
    { "the same user of another container does not", CALLER_PROBE, false, false, false },
};

static void may_call(void **state)
{
    const struct caller_case *c = *state;

    assert_int_equal(api_may_call(c->caller, c->is_root ? 0 : geteuid(), c->is_inside ? 42 : 0),
                     c->want);
    assert_false(api_may_call(c->caller, geteuid() + 1, 42));
}

static void free_api(void *arg)
{
    api_free(arg);
}

static void unwatched(void *arg)
{
}

static int with_api(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_ends_in_time),
        cmocka_unit_test(no_launcher_is_no_answer),
    };
    struct api *api = NULL;
    struct error e;

    must(mkdtemp(directory) != NULL);
    (void)snprintf(socket_path, sizeof(socket_path), "%s/launcher-sock", directory);
    loop = loop_new("test");
    pool = pool_new("probes", 2, 4);
    machine = machine_new("ns_vm", "u", unwatched, NULL);
    must(api_start(&api, NULL, directory, &e) == 0);
    must(api_announce(api, &e) == 0);
    loop_start(loop);
    int bad = RUN_ROWS("virt-probe's calls", calls, calls_the_launcher);
    bad += cmocka_run_group_tests_name("virt-probe and silence", tests, NULL, NULL);
    pool_free(pool);
    loop_post(loop, free_api, api);
    loop_free(loop);
    machine_free(machine);
    (void)rmdir(directory);
    return bad;
}

int main(void)
{
    int bad = RUN_ROWS("virt-probe's command line", lines, parses);
    bad += RUN_ROWS("who may call", callers, may_call);
    return bad + with_api();
}
