// SPDX-License-Identifier: Apache-2.0
/*
 * virt-probe's call; see probe.h.  It runs every few seconds in every pod that
 * is probed, so it links no HTTP library: one request with Connection: close, to
 * a server of the same build.
 */
#include "launcher/probe.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum {
    TIMEOUT_MAX_SECONDS = 3600, /* the API's; kubelet gives up by itself before */
    ANSWER_SLACK_MS = 500,
    ANSWER_MAX = 256 * 1024,
    EXIT_CODE_MAX = 255,
};

// clang-format off
static const struct option options[] = {
    { "socket", 0, OPTION_STRING, OPTION_AT(struct probe, socket), .dflt = "/var/run/kubevirt/sockets/launcher-sock", .arg = "FILE", .help = "the launcher's API" },
    { "domainName", 0, OPTION_STRING, OPTION_AT(struct probe, domain), .arg = "NAMESPACE_NAME", .help = "the machine that is meant" },
    { "timeoutSeconds", 0, OPTION_INT, OPTION_AT(struct probe, timeout_seconds), .dflt = "1", .min = 1, .max = 2147483647, .arg = "N", .help = "for the guest's answer; more than 3600 is 3600" },
    { "guestAgentPing", 0, OPTION_BOOL, OPTION_AT(struct probe, is_ping), .help = "succeed when the guest agent answers" },
    { "command", 0, OPTION_STRING, OPTION_AT(struct probe, command), .arg = "PROGRAM", .help = "run it in the guest with the arguments behind --, end with its exit code" },
    { 0 },
};
// clang-format on

static const struct option_program program = {
    .name = "virt-probe",
    .summary = "probes the guest of this pod through its guest agent",
    .usage = "[flags] [-- ARGUMENT...]",
    .options = options,
};

int probe_parse(struct probe *ret, int argc, char **argv, struct error *e)
{
    *ret = (struct probe){ 0 };
    int r = options_parse(&program, ret, argc, argv, &ret->args, e);
    if (r != OPTIONS_OK)
        return r;
    bool has_command = ret->command && *ret->command;
    if (has_command == ret->is_ping)
        return error_set(e, ERR_BAD_REQUEST, "one of --guestAgentPing and --command is needed");
    if (!ret->domain)
        return error_set(e, ERR_BAD_REQUEST, "--domainName is needed");
    if (ret->timeout_seconds > TIMEOUT_MAX_SECONDS)
        ret->timeout_seconds = TIMEOUT_MAX_SECONDS;
    return OPTIONS_OK;
}

/* ---- the request ---- */

static int make_request(const struct probe *p, struct buf *out, struct error *e)
{
    json_auto_t *body = json_object();
    bool is_text = str_is_utf8(p->domain) && (p->is_ping || str_is_utf8(p->command));

    for (size_t i = 0; i < p->args.len; i++)
        is_text = is_text && str_is_utf8(p->args.item[i]);
    if (!is_text)
        return error_set(e, ERR_BAD_REQUEST, "an argument is not UTF-8");
    must_set(body, "domainName", json_string(p->domain));
    must_set(body, "timeoutSeconds", json_integer(p->timeout_seconds));
    if (!p->is_ping) {
        json_t *args = json_array();
        for (size_t i = 0; i < p->args.len; i++)
            must_append(args, json_string(p->args.item[i]));
        must_set(body, "command", json_string(p->command));
        must_set(body, "args", args);
    }
    scoped(free) char *text = must_dumps(body, JSON_COMPACT);
    buf_addf(out,
             "PUT /v1/%s HTTP/1.1\r\nHost: l\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             p->is_ping ? "guest-ping" : "guest-exec", strlen(text), text);
    return 0;
}

/* ---- the way there and back, until the deadline ---- */

/* The descriptor can be read, or written; -ERR_TIMEOUT. */
static int wait_for(int fd, short events, int64_t deadline_ms, struct error *e)
{
    struct pollfd p = { .fd = fd, .events = events };

    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms(&clock_real);
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n > 0)
            return 0;
        if (n == 0)
            return error_set(e, ERR_TIMEOUT, "virt-launcher gives no answer in time");
        if (errno != EINTR)
            return error_set(e, ERR_INTERNAL, "poll: %s", strerror(errno));
    }
}

static int open_socket(const char *path, struct error *e)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(path);

    if (len >= sizeof(address.sun_path))
        return error_set(e, ERR_BAD_REQUEST, "the socket's path is too long: %s", path);
    memcpy(address.sun_path, path, len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(e, ERR_INTERNAL, "socket: %s", strerror(errno));
    /* A listener whose queue is full answers EAGAIN: it is too busy for a probe. */
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        int r = error_set(e, ERR_UNAVAILABLE, "connect to \"%s\": %s", path, strerror(errno));
        (void)close(fd);
        return r;
    }
    return fd;
}

static int send_all(int fd, const struct buf *b, int64_t deadline_ms, struct error *e)
{
    for (size_t sent = 0; sent < b->len;) {
        ssize_t n = send(fd, b->data + sent, b->len - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (errno != EAGAIN && errno != EINTR)
            return error_set(e, ERR_UNAVAILABLE, "send: %s", strerror(errno));
        else if (wait_for(fd, POLLOUT, deadline_ms, e) < 0)
            return -(int)e->code;
    }
    return 0;
}

static int receive_all(int fd, struct buf *b, int64_t deadline_ms, struct error *e)
{
    for (;;) {
        char piece[4096];
        int r = wait_for(fd, POLLIN, deadline_ms, e);
        if (r < 0)
            return r;
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return error_set(e, ERR_UNAVAILABLE, "receive: %s", strerror(errno));
        if (n > 0 && !buf_add(b, piece, (size_t)n))
            return error_set(e, ERR_TOO_LARGE, "virt-launcher's answer is too long");
    }
}

static int exchange(const struct probe *p, const struct buf *request, struct buf *answer,
                    struct error *e)
{
    int64_t deadline = clock_mono_ms(&clock_real) + p->timeout_seconds * 1000 + ANSWER_SLACK_MS;
    scoped_fd int fd = open_socket(p->socket, e);

    if (fd < 0)
        return fd;
    int r = send_all(fd, request, deadline, e);
    return r < 0 ? r : receive_all(fd, answer, deadline, e);
}

/* ---- the answer ---- */

/* Status line, headers that say nothing we need, an empty line, JSON. */
static int read_answer(const struct buf *b, json_t **ret, struct error *e)
{
    static const char version[] = "HTTP/1.1 ";
    const char *text = b->data ? b->data : "";
    const char *end = strstr(text, "\r\n\r\n");
    char code[4] = "";
    long long status;

    if (str_has_prefix(text, version))
        memcpy(code, text + strlen(version), strnlen(text + strlen(version), 3));
    if (!end || str_to_int(code, 100, 599, &status) < 0)
        return error_set(e, ERR_UNAVAILABLE, "virt-launcher closed without an answer");
    const char *body = end + strlen("\r\n\r\n");
    json_auto_t *v = NULL;
    int r = json_parse(&v, body, b->len - (size_t)(body - text), e);
    if (r < 0)
        return error_wrap(e, "virt-launcher's answer");
    if (status != 200)
        return error_set(e, error_from_http((int)status, jpath_str(v, "reason", "")), "%s",
                         jpath_str(v, "message", "virt-launcher gives no reason"));
    *ret = json_incref(v);
    return 0;
}

/* A process ends with eight bits: what is not 0 must not become it. */
static int exit_code_of(const json_t *answer)
{
    json_int_t code = jpath_int(answer, "exitCode", 0);
    return code == 0 || (code > 0 && code <= EXIT_CODE_MAX) ? (int)code : 1;
}

int probe_run(const struct probe *p, FILE *out, FILE *err, struct error *e)
{
    scoped_buf request = BUF_INIT(0);
    scoped_buf text = BUF_INIT(ANSWER_MAX);
    json_auto_t *answer = NULL;

    int r = make_request(p, &request, e);
    if (r >= 0)
        r = exchange(p, &request, &text, e);
    if (r >= 0)
        r = read_answer(&text, &answer, e);
    if (r < 0)
        return r;
    (void)fputs(jpath_str(answer, "stdout", ""), out);
    (void)fputs(jpath_str(answer, "stderr", ""), err);
    return exit_code_of(answer);
}
