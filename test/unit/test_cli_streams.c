/* SPDX-License-Identifier: Apache-2.0 */
/* kubectl-virt's streams as they are run, against an API server whose guests echo.  Skipped where
 * the program has not been built beside the tests. */
#include <arpa/inet.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "test/unit/child.h"
#include "test/unit/rows.h"
#include "test/unit/stream_api.h"

static struct stream_api api;
static char program[PATH_MAX + 32];
static char folder[] = "/tmp/cli-streams-XXXXXX";
static char path_variable[PATH_MAX];

static int setup(void **state)
{
    char self[PATH_MAX] = "";

    must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    (void)snprintf(program, sizeof(program), "%s/../kubectl-virt", dirname(self));
    must(mkdtemp(folder));
    (void)snprintf(path_variable, sizeof(path_variable), "PATH=%s:/usr/bin:/bin", folder);
    stream_api_start(&api);
    return 0;
}

static int teardown(void **state)
{
    stream_api_stop(&api);
    (void)rmdir(folder);
    return 0;
}

enum { WORDS = 12 };

/* Run with "-s URL" and these words. */
static void start_with(struct child *c, const char *const words[], char *extra)
{
    char *argv[WORDS + 4] = { program, (char *)"-s", api.url };
    char *env[] = { (char *)"HOME=/nonexistent", (char *)"USER=cloud", path_variable, extra, NULL };

    if (access(program, X_OK) < 0) {
        print_message("%s has not been built\n", program);
        skip();
    }
    for (size_t i = 0; words[i]; i++)
        argv[3 + i] = (char *)words[i];
    child_spawn(c, argv, env);
}

#define START(c, ...) start_with(c, (const char *const[]){ __VA_ARGS__, NULL }, NULL)

/* The local port of a "Forwarding from" line. */
static int forwarded_port(struct child *c)
{
    char line[256];
    int port = 0;

    (void)child_read(c->out, line, sizeof(line), '\n');
    if (sscanf(line, "Forwarding from 127.0.0.1:%d -> ", &port) != 1) {
        char err[512];

        (void)child_read(c->err, err, sizeof(err), '\n');
        fail_msg("\"%s\" \"%s\"", line, err);
    }
    return port;
}

static int connect_to(int port, int type)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 60 };
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    must(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    return fd;
}

static size_t receive(int fd, char *out, size_t len)
{
    size_t n = 0;

    while (n < len) {
        ssize_t r = recv(fd, out + n, len - n, 0);

        if (r <= 0)
            break;
        n += (size_t)r;
    }
    return n;
}

static void assert_echo(int fd, const char *text)
{
    char got[256] = "";

    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    assert_int_equal(receive(fd, got, strlen(text)), strlen(text));
    assert_string_equal(got, text);
}

/* ---- port-forward ---- */

static void many_connections_at_once(void **state)
{
    struct child c;
    int fds[20];

    START(&c, "port-forward", "vmi/vm/ns", "0:7");
    int port = forwarded_port(&c);
    for (size_t i = 0; i < countof(fds); i++)
        fds[i] = connect_to(port, SOCK_STREAM);
    for (size_t i = countof(fds); i-- > 0;)
        assert_echo(fds[i], "hello");
    for (size_t i = 0; i < countof(fds); i++)
        (void)close(fds[i]);
    assert_int_equal(child_end(&c, SIGINT), 0);

    char last[1024];
    stream_api_last(&api, last);
    assert_non_null(strstr(last, "/apis/subresources.kubevirt.io/v1/namespaces/ns/"
                                 "virtualmachineinstances/vm/portforward/7/tcp"));
}

static void a_failed_dial_ends_alone(void **state)
{
    struct child c;
    char text[512];

    START(&c, "port-forward", "vm/vm", "0:9", "0:7");
    int refused = forwarded_port(&c);
    int good = forwarded_port(&c);
    for (int i = 0; i < 2; i++) {
        int fd = connect_to(refused, SOCK_STREAM);
        assert_int_equal(receive(fd, text, 1), 0);
        (void)close(fd);
        (void)child_read(c.err, text, sizeof(text), '\n');
        assert_string_equal(text, "can't access vm/vm port 9: nothing listens there\n");
    }
    int fd = connect_to(good, SOCK_STREAM);
    assert_echo(fd, "still here");
    (void)close(fd);
    assert_int_equal(child_end(&c, SIGINT), 0);
}

/* The server refuses each third channel. */
static void connections_share_a_websocket(void **state)
{
    size_t before = api.guests_len;
    struct child c;
    char text[512];
    int fds[20];

    START(&c, "port-forward", "vmi/vm", "0:6");
    int port = forwarded_port(&c);
    for (size_t i = 0; i < countof(fds); i++)
        fds[i] = connect_to(port, SOCK_STREAM);
    size_t served = 0;
    for (size_t i = countof(fds); i-- > 0;) {
        if (send(fds[i], "hello", 5, MSG_NOSIGNAL) == 5 && receive(fds[i], text, 5) == 5)
            served++;
        (void)close(fds[i]);
    }
    assert_int_equal(served, countof(fds) - countof(fds) / 3);
    assert_int_equal(api.guests_len, before + 1);
    (void)child_read(c.err, text, sizeof(text), '\n');
    assert_string_equal(text, "can't access vmi/vm port 6: nothing listens there\n");
    assert_int_equal(child_end(&c, SIGINT), 0);
}

static void an_answer_after_the_local_end_arrives(void **state)
{
    struct child c;
    char got[64] = "";

    START(&c, "port-forward", "vmi/vm", "0:8");
    int fd = connect_to(forwarded_port(&c), SOCK_STREAM);
    must(send(fd, "x", 1, 0) == 1 && shutdown(fd, SHUT_WR) == 0);
    assert_int_equal(receive(fd, got, sizeof(got)), strlen("late x"));
    assert_string_equal(got, "late x");
    (void)close(fd);
    assert_int_equal(child_end(&c, SIGINT), 0);
}

static void datagrams_keep_their_boundaries(void **state)
{
    struct child c;
    char got[4096];

    START(&c, "port-forward", "vmi/vm", "udp/0:7");
    int port = forwarded_port(&c);
    int a = connect_to(port, SOCK_DGRAM);
    int b = connect_to(port, SOCK_DGRAM);
    static const char *const sent[] = { "one", "three", "" };
    must(send(b, "other", 5, 0) == 5);
    for (size_t i = 0; i < 2; i++)
        must(send(a, sent[i], strlen(sent[i]), 0) >= 0);
    for (size_t i = 0; i < 2; i++) {
        ssize_t n = recv(a, got, sizeof(got), 0);
        assert_int_equal(n, strlen(sent[i]));
        assert_memory_equal(got, sent[i], (size_t)n);
    }
    assert_int_equal(recv(b, got, sizeof(got), 0), 5);
    (void)close(a);
    (void)close(b);
    assert_int_equal(child_end(&c, SIGINT), 0);
}

static void stdio_is_carried(void **state)
{
    struct child c;
    char got[64];

    START(&c, "port-forward", "--stdio", "vmi/vm", "7");
    must(write(c.in, "over stdio\n", 11) == 11);
    (void)child_read(c.out, got, sizeof(got), '\n');
    assert_string_equal(got, "over stdio\n");
    assert_int_equal(child_end(&c, 0), 0);
}

/* ---- ssh: a program of that name does what OpenSSH does with ProxyCommand ---- */

static void ssh_acts_with_the_same_identity(void **state)
{
    static const char script[] = "#!/bin/sh\n"
                                 "echo \"$@\" >&2\n"
                                 "echo through ssh | sh -c \"exec ${2#ProxyCommand=}\"\nexit 3\n";
    scoped(free) char *file = must_asprintf("%s/ssh", folder);
    struct child c;
    char got[256], err[2048], last[1024];
    FILE *f = fopen(file, "we");

    must(f && fputs(script, f) >= 0 && fclose(f) == 0 && chmod(file, 0755) == 0);
    START(&c, "ssh", "--token=secret", "--as", "it's $me", "-p", "7", "vmi/vm/ns");
    (void)child_read(c.out, got, sizeof(got), '\n');
    (void)child_read(c.err, err, sizeof(err), '\0');
    int status = child_end(&c, 0);
    (void)unlink(file);

    assert_string_equal(got, "through ssh\n");
    assert_null(strstr(err, "secret"));
    assert_non_null(strstr(err, "cloud@vmi.vm.ns"));
    assert_non_null(strstr(err, "exit status 3\n"));
    assert_int_equal(status, 1);
    stream_api_last(&api, last);
    assert_non_null(strstr(last, "/portforward/7/tcp"));
    assert_non_null(strstr(last, "authorization=Bearer secret as=it's $me"));
}

/* ---- console ---- */

static void a_flood_arrives_whole(void **state)
{
    static unsigned char data[1 << 20];
    struct child c;
    size_t at = 0;
    ssize_t n;

    START(&c, "console", "flood");
    (void)usleep(300 * 1000); /* the server has more than anybody may keep */
    while ((n = read(c.out, data, sizeof(data))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (data[i] != flood_byte(at + (size_t)i))
                fail_msg("byte %zu differs", at + (size_t)i);
        at += (size_t)n;
    }
    assert_int_equal(at, FLOOD_BYTES);
    assert_int_equal(child_end(&c, 0), 0);
}

static void an_end_by_the_server_is_told(void **state)
{
    struct child c;
    char err[1024];

    START(&c, "console", "leaving");
    (void)child_read(c.err, err, sizeof(err), '\0');
    assert_int_equal(child_end(&c, 0), 1);
    assert_non_null(strstr(err,
                           "the console of leaving was closed (1001): the server is going away "
                           "(the node is going away)\n"));
}

static void a_session_taken_over_is_told(void **state)
{
    struct child c;
    char err[1024];

    START(&c, "console", "taken");
    (void)child_read(c.err, err, sizeof(err), '\0');
    assert_int_equal(child_end(&c, 0), 0);
    assert_non_null(strstr(err, "the console of taken ended: taken over by a new session\n"));
}

static void a_refusal_is_in_the_servers_words(void **state)
{
    struct child c;
    char err[1024];

    START(&c, "console", "nosuch");
    (void)child_read(c.err, err, sizeof(err), '\0');
    assert_int_equal(child_end(&c, 0), 1);
    assert_non_null(strstr(err, "Can't access console of nosuch: nothing listens there"));
}

static void escape_ends_it(void **state)
{
    struct child c;
    char got[16];

    START(&c, "console", "--take-over", "echo");
    must(write(c.in, "a\035b\n", 4) == 4); /* not at the beginning: it is typed */
    (void)child_read(c.out, got, sizeof(got), '\n');
    assert_string_equal(got, "a\035b\n");
    must(write(c.in, "\035", 1) == 1);
    int in = c.in;
    c.in = -1;
    assert_int_equal(child_end(&c, 0), 0);
    (void)close(in);

    char last[1024];
    stream_api_last(&api, last);
    assert_non_null(strstr(last, "/echo/console?takeOver=true "));
}

static void sharing_is_asked_for_in_one_way(void **state)
{
    struct child c;
    char err[1024];

    START(&c, "vnc", "--shared", "--observe", "echo");
    (void)child_read(c.err, err, sizeof(err), '\0');
    assert_int_equal(child_end(&c, 0), 1);
    assert_non_null(strstr(err, "only one of --shared, --observe"));
}

/* ---- vnc ---- */

static void the_screen_is_proxied_once(void **state)
{
    struct child c;
    char line[64];
    int port = 0;

    START(&c, "vnc", "--proxy-only", "echo");
    (void)child_read(c.out, line, sizeof(line), '\n');
    must(sscanf(line, "{\"port\":%d}\n", &port) == 1);
    int fd = connect_to(port, SOCK_STREAM);
    assert_echo(fd, "RFB 003.008\n");
    (void)close(fd);
    assert_int_equal(child_end(&c, 0), 0);

    char last[1024];
    stream_api_last(&api, last);
    assert_non_null(strstr(last, "/echo/vnc?preserveSession=false "));
}

/* ---- kubeconfig ---- */

/* A plugin whose first token is refused: it is asked again. */
static void a_refused_token_is_asked_for_again(void **state)
{
    scoped(free) char *config = must_asprintf("%s/config", folder);
    scoped(free) char *plugin = must_asprintf("%s/plugin", folder);
    scoped(free) char *mark = must_asprintf("%s/mark", folder);
    scoped(free) char *variable = must_asprintf("KUBECONFIG=%s", config);
    struct child c;
    char got[64];
    FILE *f = fopen(plugin, "we");

    must(f);
    must(fprintf(f,
                 "#!/bin/sh\nt=bad; [ -e %s ] && t=good; : > %s\n"
                 "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
                 "\"ExecCredential\",\"status\":{\"token\":\"'$t'\"}}'\n",
                 mark, mark) > 0);
    must(fclose(f) == 0 && chmod(plugin, 0755) == 0);
    f = fopen(config, "we");
    must(f);
    must(fprintf(f,
                 "{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}],\n"
                 " clusters: [{name: k, cluster: {server: \"%s\"}}],\n"
                 " users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1,"
                 " command: %s, interactiveMode: Never}}}]}\n",
                 api.url, plugin) > 0);
    must(fclose(f) == 0);

    api.wants_token = true;
    start_with(&c, (const char *const[]){ "port-forward", "--stdio", "vmi/vm", "7", NULL },
               variable);
    must(write(c.in, "x\n", 2) == 2);
    (void)child_read(c.out, got, sizeof(got), '\n');
    int status = child_end(&c, 0);
    api.wants_token = false;
    (void)unlink(config);
    (void)unlink(plugin);
    (void)unlink(mark);
    assert_string_equal(got, "x\n");
    assert_int_equal(status, 0);
}

/* A proxy that takes one CONNECT and carries bytes. */
struct proxy {
    int listener, port;
    char head[2048];
    pthread_t thread;
};

static void *proxy_run(void *arg)
{
    struct proxy *p = arg;
    char data[4096];
    size_t n = 0;
    int fd = accept(p->listener, NULL, NULL);

    must(fd >= 0);
    while (!strstr(p->head, "\r\n\r\n") && recv(fd, p->head + n, 1, 0) == 1)
        n++;
    int to = connect_to(http_server_port(api.server), SOCK_STREAM);
    must(dprintf(fd, "HTTP/1.1 200 Connection established\r\n\r\n") > 0);
    for (bool is_over = false; !is_over;) {
        struct pollfd both[] = { { .fd = fd, .events = POLLIN }, { .fd = to, .events = POLLIN } };

        must(poll(both, 2, -1) > 0);
        for (int i = 0; i < 2; i++) {
            ssize_t got = both[i].revents ? recv(both[i].fd, data, sizeof(data), 0) : -1;

            if (both[i].revents && (got <= 0 || send(both[1 - i].fd, data, (size_t)got, 0) != got))
                is_over = true;
        }
    }
    (void)close(fd);
    (void)close(to);
    return NULL;
}

static void streams_pass_a_proxy(void **state)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    static struct proxy p;
    struct child c;
    char got[64];

    p.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(p.listener, (struct sockaddr *)&at, len) == 0 && listen(p.listener, 1) == 0);
    must(getsockname(p.listener, (struct sockaddr *)&at, &len) == 0);
    must(pthread_create(&p.thread, NULL, proxy_run, &p) == 0);
    scoped(free) char *url =
        must_asprintf("--proxy-url=http://me:word@127.0.0.1:%d", ntohs(at.sin_port));
    START(&c, url, "port-forward", "--stdio", "vmi/vm", "7");
    must(write(c.in, "y\n", 2) == 2);
    (void)child_read(c.out, got, sizeof(got), '\n');
    assert_int_equal(child_end(&c, 0), 0);
    must(pthread_join(p.thread, NULL) == 0);
    (void)close(p.listener);
    assert_string_equal(got, "y\n");
    assert_non_null(strstr(p.head, "CONNECT 127.0.0.1:"));
    assert_non_null(strstr(p.head, "Proxy-Authorization: Basic bWU6d29yZA=="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_connections_at_once),
        cmocka_unit_test(a_failed_dial_ends_alone),
        cmocka_unit_test(connections_share_a_websocket),
        cmocka_unit_test(an_answer_after_the_local_end_arrives),
        cmocka_unit_test(datagrams_keep_their_boundaries),
        cmocka_unit_test(stdio_is_carried),
        cmocka_unit_test(ssh_acts_with_the_same_identity),
        cmocka_unit_test(a_flood_arrives_whole),
        cmocka_unit_test(an_end_by_the_server_is_told),
        cmocka_unit_test(a_session_taken_over_is_told),
        cmocka_unit_test(a_refusal_is_in_the_servers_words),
        cmocka_unit_test(escape_ends_it),
        cmocka_unit_test(sharing_is_asked_for_in_one_way),
        cmocka_unit_test(the_screen_is_proxied_once),
        cmocka_unit_test(a_refused_token_is_asked_for_again),
        cmocka_unit_test(streams_pass_a_proxy),
    };

    return cmocka_run_group_tests_name("kubectl-virt's streams", tests, setup, teardown);
}
