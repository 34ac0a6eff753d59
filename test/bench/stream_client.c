/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of the streams part.
 *     stream-client FOLDER api|node PORT pull SECONDS PID      "MiB/s CPU-seconds/GiB cipher", CPU
 * of PID stream-client FOLDER api|node PORT echo TIMES            a line an echo: microseconds
 *     stream-client FOLDER api|node PORT count                 "bytes MB/s", all of them compared
 *     stream-client FOLDER api|node PORT hold STREAMS          "held" once they stand; until
 * standard input ends api: speaks to virt-api as the front proxy; node: to the end itself, or
 * through something that does not look at bytes.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/scope.h"
#include "test/bench/stream_peer.h"

enum { OPENERS = 4, USERS = 16, MACHINES = 16, WARM_ECHOES = 20 };

static const char *folder;
static bool is_api;
static int port;
static credentials mine;

static void die(const char *what, const char *text)
{
    (void)fprintf(stderr, "stream-client: %s: %s\n", what, text);
    exit(1);
}

static void open_stream(struct peer *p, const char *kind, int number)
{
    char head[HEAD_MAX];
    scoped(free) char *path = must_asprintf(
        "%s/v1/namespaces/bench/virtualmachineinstances/%s-%d/console",
        is_api ? "/apis/subresources.kubevirt.io" : "", kind, number / USERS % MACHINES);
    scoped(free) char *user =
        is_api ? must_asprintf("X-Remote-User: user-%d\r\n", number % USERS) : must_strdup("");

    if (!peer_start(p, connect_to(port), GNUTLS_CLIENT, mine, AS_GO))
        die(kind, "no TLS");
    if (!websocket_ask(p, path, user, head))
        die(kind, head);
}

/* Both kinds of time of a process, in seconds. */
static double cpu_s(const char *pid)
{
    scoped(free) char *path = must_asprintf("/proc/%s/stat", pid);
    char text[1024] = "";
    unsigned long user = 0, kernel = 0;
    FILE *f = fopen(path, "re");

    must(f && fread(text, 1, sizeof(text) - 1, f) > 0);
    (void)fclose(f);
    /* The name may have blanks; fields 14 and 15 are 12 and 13 after it. */
    const char *after = strrchr(text, ')');
    must(after && sscanf(after + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user,
                         &kernel) == 2);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double pull_for(struct peer *p, double seconds)
{
    static char record[RECORD_BYTES];
    double until = now_s() + seconds, bytes = 0;

    do {
        ssize_t n = peer_read(p, record, sizeof(record));

        if (n <= 0)
            die("pull", "the stream has ended");
        bytes += (double)n;
    } while (now_s() < until);
    return bytes;
}

static void pull(double seconds, const char *pid)
{
    struct peer p;

    open_stream(&p, "push", 0);
    (void)pull_for(&p, 0.3);
    double began = now_s(), cpu = cpu_s(pid);
    double bytes = pull_for(&p, seconds);
    double took = now_s() - began;
    (void)printf("%.1f %.3f %s\n", bytes / took / (1 << 20), (cpu_s(pid) - cpu) * (1 << 30) / bytes,
                 gnutls_cipher_get_name(gnutls_cipher_get(p.tls)));
    peer_done(&p);
}

static void echo(int times)
{
    /* One byte, masked by zeros. */
    static const unsigned char key[] = { 0x82, 0x81, 0, 0, 0, 0, 'x' };
    unsigned char answer[3];
    struct peer p;

    open_stream(&p, "echo", 0);
    for (int i = 0; i < times + WARM_ECHOES; i++) {
        double began = now_s();

        if (!peer_write(&p, key, sizeof(key)) || !peer_read_all(&p, answer, sizeof(answer)) ||
            answer[2] != 'x')
            die("echo", "no echo");
        if (i >= WARM_ECHOES)
            (void)printf("%.1f\n", (now_s() - began) * 1e6);
    }
    peer_done(&p);
}

/* ---- a console that prints without a pause ---- */

/* The next frame's head: its kind, and how many bytes follow. */
static int read_frame_head(struct peer *p, size_t *ret_len)
{
    unsigned char head[2], more[8] = { 0 };
    size_t size = 0;

    if (!peer_read_all(p, head, sizeof(head)))
        die("count", "cut off");
    *ret_len = head[1] & 0x7f;
    if (*ret_len >= 126)
        size = *ret_len == 126 ? 2 : 8;
    if (size > 0 && !peer_read_all(p, more, size))
        die("count", "cut off");
    for (size_t i = 0; i < size; i++)
        *ret_len = (i == 0 ? 0 : *ret_len << 8) | more[i];
    return head[0] & 0x0f;
}

/* `at` is how many bytes came before. */
static void compare(const char *data, size_t len, size_t at)
{
    static char line[32];
    static size_t line_number = (size_t)-1;

    for (size_t i = 0; i < len; i++, at++) {
        if (at / COUNT_LINE_BYTES != line_number) {
            line_number = at / COUNT_LINE_BYTES;
            count_line(line, line_number);
        }
        if (data[i] != line[at % COUNT_LINE_BYTES]) {
            (void)fprintf(stderr, "stream-client: byte %zu differs\n", at);
            exit(1);
        }
    }
}

static void count(void)
{
    static char data[RECORD_BYTES];
    struct peer p;
    size_t at = 0, len = 0;
    int kind;

    open_stream(&p, "count", 0);
    double began = now_s();
    while ((kind = read_frame_head(&p, &len)) != 8) {
        while (len > 0) {
            size_t n = len < sizeof(data) ? len : sizeof(data);

            if (!peer_read_all(&p, data, n))
                die("count", "cut off");
            if (kind == 2 || kind == 0) {
                compare(data, n, at);
                at += n;
            }
            len -= n;
        }
    }
    if (at != (size_t)COUNT_LINES * COUNT_LINE_BYTES)
        die("count", "bytes are missing at the end");
    (void)printf("%zu %.1f\n", at, (double)at / (now_s() - began) / 1e6);
    peer_done(&p);
}

/* ---- many that say nothing ---- */

static struct peer *held;
static int held_len;
static atomic_int next_one;

static void *open_some(void *arg)
{
    for (int i = next_one++; i < held_len; i = next_one++)
        open_stream(&held[i], "idle", i);
    return NULL;
}

/* Pings are answered; any other end than ours is an error. */
static void answer(struct peer *p)
{
    static const unsigned char pong[] = { 0x8a, 0x80, 0, 0, 0, 0 };
    unsigned char frame[2];
    ssize_t n = gnutls_record_recv(p->tls, frame, sizeof(frame));

    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
        return;
    if (n != 2 || frame[0] != 0x89 || !peer_write(p, pong, sizeof(pong)))
        die("hold", "a stream has ended");
}

static void hold(int streams)
{
    pthread_t thread[OPENERS];

    held_len = streams;
    held = must_calloc((size_t)streams, sizeof(*held));
    for (int i = 0; i < OPENERS; i++)
        must(pthread_create(&thread[i], NULL, open_some, NULL) == 0);
    for (int i = 0; i < OPENERS; i++)
        must(pthread_join(thread[i], NULL) == 0);
    (void)printf("held\n");
    (void)fflush(stdout);

    struct pollfd *ready = must_calloc((size_t)streams + 1, sizeof(*ready));
    for (int i = 0; i < streams; i++)
        ready[i] = (struct pollfd){ .fd = held[i].fd, .events = POLLIN };
    ready[streams] = (struct pollfd){ .fd = 0, .events = POLLIN };
    while (poll(ready, (nfds_t)streams + 1, -1) >= 0 && !ready[streams].revents) {
        for (int i = 0; i < streams; i++) {
            if (ready[i].revents)
                answer(&held[i]);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    open_many_files();
    folder = argv[1];
    is_api = strcmp(argv[2], "api") == 0;
    port = to_int(argv[3]);
    mine = credentials_of(folder, is_api ? "front-proxy" : "to-node");
    if (strcmp(argv[4], "pull") == 0 && argc == 7)
        pull(strtod(argv[5], NULL), argv[6]);
    else if (strcmp(argv[4], "count") == 0)
        count();
    else if (strcmp(argv[4], "echo") == 0 && argc == 6)
        echo(to_int(argv[5]));
    else if (strcmp(argv[4], "hold") == 0 && argc == 6)
        hold(to_int(argv[5]));
    else
        return 2;
    return 0;
}
