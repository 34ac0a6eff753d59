/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of a machine: where virt-api dials, what it refuses, and bytes both ways. */
#include "subresources/portforward.h"

#include "virt_api_fixture.h"

#include <poll.h>
#include <pthread.h>

#include "ws_client.h"

#define V1 "/apis/subresources.kubevirt.io/v1/namespaces/ns/"
#define VMI V1 "virtualmachineinstances/"
#define VM V1 "virtualmachines/"

enum { BINARY = 0x82, TEXT = 0x81, CLOSE = 0x88, PING = 0x89, BULK = 3 * 1024 * 1024 };

/* ---- the guest: what listens on the pod's address ---- */

/* One connection each: what it does hangs on the first byte. */
static void serve_guest(int fd)
{
    static _Thread_local char chunk[60000];
    ssize_t n = recv(fd, chunk, 1, MSG_PEEK);

    if (n == 1 && chunk[0] == 'B') { /* says goodbye, then goes */
        (void)send(fd, "goodbye", 7, MSG_NOSIGNAL);
        (void)recv(fd, chunk, 1, 0);
    } else if (n == 1 && chunk[0] == 'R') { /* is killed */
        const struct linger hard = { .l_onoff = 1 };
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    } else if (n == 1 && chunk[0] == 'C') { /* counts what arrives up to the end, then tells */
        size_t sum = 0;
        while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
            sum += (size_t)n;
        (void)dprintf(fd, "%zu", sum);
    } else {
        while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
            for (ssize_t done = 0, k; done < n; done += k)
                if ((k = send(fd, chunk + done, (size_t)(n - done), MSG_NOSIGNAL)) <= 0)
                    break;
    }
    (void)close(fd);
}

struct guest {
    pthread_t tcp_thread, udp_thread;
    int tcp, udp, port;
    atomic_int seen; /* connections */
};

static void *run_tcp(void *arg)
{
    struct guest *g = arg;
    int fd;

    while ((fd = accept4(g->tcp, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        atomic_fetch_add(&g->seen, 1);
        serve_guest(fd);
    }
    return NULL;
}

static void *run_udp(void *arg)
{
    struct guest *g = arg;
    static _Thread_local char datagram[66000];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t n;

    while ((n = recvfrom(g->udp, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &len)) >=
               0 &&
           !(n == 4 && memcmp(datagram, "stop", 4) == 0))
        (void)sendto(g->udp, datagram, (size_t)n, 0, (struct sockaddr *)&from, len);
    return NULL;
}

static void guest_start(struct guest *g, const char *address)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);

    must(inet_pton(AF_INET, address, &a.sin_addr) == 1);
    g->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(bind(g->tcp, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(g->tcp, 16) == 0);
    must(getsockname(g->tcp, (struct sockaddr *)&a, &len) == 0);
    must(bind(g->udp, (struct sockaddr *)&a, sizeof(a)) == 0);
    g->port = ntohs(a.sin_port);
    must(pthread_create(&g->tcp_thread, NULL, run_tcp, g) == 0);
    must(pthread_create(&g->udp_thread, NULL, run_udp, g) == 0);
}

static void guest_stop(struct guest *g)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    must(getsockname(g->udp, (struct sockaddr *)&a, &len) == 0);
    (void)sendto(fd, "stop", 4, 0, (struct sockaddr *)&a, len);
    (void)close(fd);
    (void)shutdown(g->tcp, SHUT_RDWR);
    must(pthread_join(g->tcp_thread, NULL) == 0);
    must(pthread_join(g->udp_thread, NULL) == 0);
    (void)close(g->tcp);
    (void)close(g->udp);
}

/* ---- the cluster ---- */

static struct api_pki pki;
static struct api *api;
static struct guest guest;  /* on the pod's address */
static struct guest victim; /* what a guest claims to be */

static void put(const struct kube_kind *kind, const char *text)
{
    (void)fake_kube_put(api->kube, kind, json_q(text));
}

#define POD(name, uid, more, status)                                                  \
    "{'metadata':{'namespace':'ns','name':'" name "','uid':'" name                    \
    "','labels':{'kubevirt.io/created-by':'" uid "'}},'spec':{'nodeName':'good'" more \
    "},'status':{'phase':'Running','hostIP':'127.0.0.1'," status "}}"
#define INSTANCE(name, status)                                                                \
    "{'metadata':{'namespace':'ns','name':'" name "','uid':'uid-" name "','ownerReferences':" \
    "[{'kind':'VirtualMachine','uid':'vm-" name "'}]},'spec':{},'status':{'phase':'Running'," \
    "'nodeName':'good'," status "}}"
#define MACHINE(name, uid, status)                                                                 \
    "{'metadata':{'namespace':'ns','name':'" name "','uid':'" uid "'},'spec':{},'status':{" status \
    "}}"
#define CLAIMS "'interfaces':[{'ipAddress':'127.0.0.66'}]"

static int setup(void **state)
{
    api_pki_init(&pki);
    api = api_start(&pki);
    guest_start(&guest, "127.0.0.8");
    guest_start(&victim, "127.0.0.66");
    put(&KIND_VMI, INSTANCE("box", CLAIMS));
    put(&KIND_VMI, INSTANCE("paused", CLAIMS ",'conditions':[{'type':'Paused','status':'False'}]"));
    put(&KIND_VMI, INSTANCE("bare", "'x':1"));
    put(&KIND_VMI, INSTANCE("hosted", CLAIMS));
    put(&KIND_VMI, INSTANCE("podless", CLAIMS));
    put(&KIND_VMI, INSTANCE("another", CLAIMS));
    put(&KIND_POD, POD("pod-box", "uid-box", "", "'podIP':'127.0.0.8'"));
    put(&KIND_POD, POD("pod-hosted", "uid-hosted", "", "'podIP':'127.0.0.1'"));
    put(&KIND_VM, MACHINE("box", "vm-box", "'created':true"));
    put(&KIND_VM, MACHINE("stopped", "vm-stopped", ""));
    put(&KIND_VM, MACHINE("another", "vm-other", "'created':true"));
    put(&KIND_VM, MACHINE("lost", "vm-lost", "'created':true"));
    return 0;
}

static int teardown(void **state)
{
    api_free(api);
    guest_stop(&guest);
    guest_stop(&victim);
    api_pki_done(&pki);
    return 0;
}

/* ---- what is refused ---- */

#define ASK                                                                                     \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: a, plain.kubevirt.io" \
    "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* path has one %d for the guest's port, or none. */
static void ask_for(struct raw *r, const char *path, const char *headers, char answer[4096])
{
    scoped(free) char *request =
        must_asprintf("GET %s HTTP/1.1\r\nHost: x\r\nX-Remote-User: ann\r\n%s\r\n", path, headers);

    assert_true(raw_tls(r, api->port, &pki.proxy, NULL));
    assert_true(raw_say(r, request));
    assert_true(raw_until(r, "\r\n\r\n", answer, 4096));
}

static void open_port(struct raw *r, const char *object, const char *protocol)
{
    char answer[4096];
    scoped(free) char *path = must_asprintf("%s/portforward/%d%s", object, guest.port, protocol);

    ask_for(r, path, ASK, answer);
    if (!str_has_prefix(answer, "HTTP/1.1 101"))
        fail_msg("%s", answer);
    assert_non_null(strstr(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_non_null(strstr(answer, "Sec-WebSocket-Protocol: plain.kubevirt.io\r\n"));
}

static const struct refusal {
    const char *name, *path, *headers;
    int status;
    const char *says;
} refusals[] = {
    { "no port is a path nobody knows", VMI "box/portforward", ASK, 404, "could not find" },
    { "a port that is a word", VMI "box/portforward/ssh", ASK, 400, "not a port" },
    { "port 0", VMI "box/portforward/0", ASK, 400, "1 to 65535" },
    { "a port that is too large", VMI "box/portforward/65536", ASK, 400, "1 to 65535" },
    { "another protocol", VMI "box/portforward/22/sctp", ASK, 400, "neither tcp nor udp" },
    { "no upgrade", VMI "box/portforward/22", "", 400, "is a websocket" },
    { "a key that is none", VMI "box/portforward/22",
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: abc\r\n",
      400, "Sec-WebSocket-Key" },
    { "an old version of the protocol", VMI "box/portforward/22",
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
      400, "Sec-WebSocket-Version" },
    { "an instance that is not there", VMI "none/portforward/22", ASK, 404,
      "virtualmachineinstance.kubevirt.io \\\"none\\\" not found" },
    { "an instance that is paused", VMI "paused/portforward/22", ASK, 409, "VMI is paused" },
    { "an instance without interfaces", VMI "bare/portforward/22", ASK, 400,
      "no network interfaces are present" },
    { "an instance without a pod", VMI "podless/portforward/22", ASK, 503, "no pod" },
    { "a pod on its node's network", VMI "hosted/portforward/22", ASK, 503, "node's network" },
    { "nobody listens", VMI "box/portforward/1", ASK, 500,
      "dialing VM: Connection refused: port 1 of 127.0.0.8" },
    { "a machine that is not there", VM "none/portforward/22", ASK, 404,
      "virtualmachine.kubevirt.io \\\"none\\\" not found" },
    { "a machine that is not started", VM "stopped/portforward/22", ASK, 409,
      "VMI is not started" },
    { "a machine whose instance is not there", VM "lost/portforward/22", ASK, 404,
      "virtualmachineinstance.kubevirt.io" },
    { "a machine with another's instance", VM "another/portforward/22", ASK, 500,
      "not this machine's" },
};

static void is_refused(void **state)
{
    const struct refusal *c = *state;
    struct raw r;
    char answer[4096], body[2048] = "", status[32];

    ask_for(&r, c->path, c->headers, answer);
    (void)snprintf(status, sizeof(status), "HTTP/1.1 %d", c->status);
    const char *length = strstr(answer, "Content-Length: ");
    assert_non_null(length);
    (void)raw_recv_all(&r, body, (size_t)atol(length + 16));
    if (!str_has_prefix(answer, status) || !strstr(body, c->says))
        fail_msg("%.40s: %s", answer, body);
    assert_non_null(strstr(body, "\"kind\":\"Status\""));
    raw_close(&r);
}

/* ---- bytes ---- */

static char bulk[BULK], back[BULK];

static void fill_bulk(void)
{
    for (size_t i = 0; i < sizeof(bulk); i++)
        bulk[i] = (char)((i * 2654435761u) >> 13);
    bulk[0] = 'E';
}

static void *send_bulk(void *arg)
{
    struct raw *r = arg;
    size_t at = 0, n = 1;

    for (; at < BULK; at += n, n = n * 7 % 50021 + 1) {
        if (n > BULK - at)
            n = BULK - at;
        if (!ws_send(r, BINARY, bulk + at, n))
            break;
    }
    return NULL;
}

static void tcp_both_ways(void **state)
{
    static const char *const objects[] = { VMI "box", VM "box" };
    static const char *const protocols[] = { "", "/tcp", "/tcp/" };

    for (size_t i = 0; i < 3; i++) {
        struct raw r;
        pthread_t thread;

        fill_bulk();
        open_port(&r, objects[i % 2], protocols[i]);
        must(pthread_create(&thread, NULL, send_bulk, &r) == 0);
        assert_int_equal(ws_recv_bytes(&r, back, BULK), BULK);
        must(pthread_join(thread, NULL) == 0);
        assert_memory_equal(bulk, back, BULK);
        raw_close(&r);
    }
    assert_int_equal(atomic_load(&victim.seen), 0);
}

static void udp_is_a_message_a_datagram(void **state)
{
    static const size_t lengths[] = { 1, 1500, 0, 9000, 65507 };
    static struct ws_got got;
    struct raw r;

    fill_bulk();
    open_port(&r, VMI "box", "/udp");
    for (size_t i = 0; i < countof(lengths); i++) {
        if (lengths[i] < 2) {
            assert_true(ws_send(&r, BINARY, bulk, lengths[i]));
        } else { /* in three frames */
            assert_true(ws_send(&r, 0x02, bulk, 1));
            assert_true(ws_send(&r, 0x00, bulk + 1, lengths[i] / 2));
            assert_true(
                ws_send(&r, 0x80, bulk + 1 + lengths[i] / 2, lengths[i] - 1 - lengths[i] / 2));
        }
        if (lengths[i] == 0)
            continue; /* its echo has no message */
        ws_recv(&r, &got);
        assert_int_equal(got.opcode, 2);
        assert_int_equal(got.len, lengths[i]);
        assert_memory_equal(got.payload, bulk, got.len);
    }
    assert_true(ws_send(&r, BINARY, bulk, 65508));
    ws_recv(&r, &got);
    assert_int_equal(ws_close_code(&got), 1009);
    raw_close(&r);
}

/* ---- how it ends ---- */

static const struct ending {
    const char *name;
    uint8_t first;
    const char *payload;
    size_t len;
    const char *before; /* what comes back before the close */
    int code;
    const char *reason;
} endings[] = {
    { "the guest ends: its last words, then 1000", BINARY, "B", 1, "goodbye", 1000, "" },
    { "the guest is killed", BINARY, "R", 1, "", 1000, "the machine reset the connection" },
    { "the client closes", CLOSE,
      "\x03\xe8"
      "bye",
      5, "", 1000, "" },
    { "the client closes without a code", CLOSE, "", 0, "", 1000, "" },
    { "the client goes away", CLOSE, "\x03\xe9", 2, "", 1001, "" },
    { "a reserved bit", 0xc2, "x", 1, "", 1002, "a reserved bit" },
    { "an opcode that is unknown", 0x83, "x", 1, "", 1002, "opcode" },
    { "a continuation of nothing", 0x80, "x", 1, "", 1002, "continuation" },
    { "a ping in pieces", 0x09, "x", 1, "", 1002, "fragmented" },
};

static void ends(void **state)
{
    const struct ending *c = *state;
    static struct ws_got got;
    struct raw r;
    char words[16] = "";

    open_port(&r, VMI "box", "");
    assert_true(ws_send(&r, c->first, c->payload, c->len));
    assert_int_equal(ws_recv_bytes(&r, words, strlen(c->before)), strlen(c->before));
    assert_string_equal(words, c->before);
    ws_recv(&r, &got);
    assert_int_equal(ws_close_code(&got), c->code);
    assert_non_null(strstr((char *)got.payload + 2, c->reason));
    ws_recv(&r, &got);
    assert_int_equal(got.opcode, -1);
    raw_close(&r);
}

static void what_was_sent_before_the_close_arrives(void **state)
{
    static struct ws_got got;
    struct raw r;

    fill_bulk();
    bulk[0] = 'C';
    open_port(&r, VMI "box", "");
    (void)send_bulk(&r);
    assert_true(ws_send(&r, CLOSE, "\x03\xe8", 2));
    ws_recv(&r, &got);
    assert_int_equal(ws_close_code(&got), 1000);
    raw_close(&r);
    /* The guest serves one at a time: the next is only answered when that one has seen its end. */
    open_port(&r, VMI "box", "");
    assert_true(ws_send(&r, BINARY, "E", 1));
    assert_int_equal(ws_recv_bytes(&r, back, 1), 1);
    raw_close(&r);
}

static void texts_are_skipped_and_pings_answered(void **state)
{
    static struct ws_got got;
    struct raw r;

    open_port(&r, VMI "box", "");
    assert_true(ws_send(&r, BINARY, "E1", 2));
    assert_true(ws_send(&r, TEXT, "not this", 8));
    assert_true(ws_send(&r, 0x02, "2", 1)); /* a message in pieces, and a ping between them */
    assert_true(ws_send(&r, PING, "there?", 6));
    assert_true(ws_send(&r, 0x80, "3", 1));
    char words[8] = "";
    size_t have = 0;
    bool is_answered = false;
    while (have < 4 || !is_answered) {
        ws_recv(&r, &got);
        if (got.opcode == 10) {
            assert_string_equal(got.payload, "there?");
            is_answered = true;
            continue;
        }
        assert_int_equal(got.opcode, 2);
        assert_in_range(have + got.len, 1, 4);
        memcpy(words + have, got.payload, got.len);
        have += got.len;
    }
    assert_string_equal(words, "E123");
    raw_close(&r);
}

/* ---- many connections in one ---- */

enum { MUX_OPEN = 1, MUX_OPENED, MUX_DATA, MUX_END, MUX_RESET };

static void mux_send(struct raw *r, uint8_t type, uint8_t channel, const char *data)
{
    uint8_t message[64] = { type, 0, 0, (uint8_t)strlen(data), 0, 0, 0, channel };

    memcpy(message + 8, data, strlen(data));
    assert_true(ws_send(r, BINARY, message, 8 + strlen(data)));
}

/* The next message: its type, and "CHANNEL:data". */
static int mux_recv(struct raw *r, char *text, size_t size)
{
    static uint8_t held[4096];
    static size_t held_len;
    static struct ws_got got;

    while (held_len < 8 || held_len < 8 + (size_t)held[3]) {
        ws_recv(r, &got);
        if (got.opcode != 2)
            return held_len = 0, -got.opcode;
        memcpy(held + held_len, got.payload, got.len);
        held_len += got.len;
    }
    int type = held[0];
    size_t len = held[3];
    (void)snprintf(text, size, "%d:%.*s", held[7], (int)len, (const char *)held + 8);
    held_len -= 8 + len;
    memmove(held, held + 8 + len, held_len);
    return type;
}

static void open_mux(struct raw *r, int port)
{
    static const char headers[] =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mux.portforward.cvirt.io, plain.kubevirt.io\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    char answer[4096];
    scoped(free) char *path = must_asprintf(VMI "box/portforward/%d", port);

    for (int tries = 0; tries < 200; tries++) { /* streams before may still be closing */
        ask_for(r, path, headers, answer);
        if (str_has_prefix(answer, "HTTP/1.1 101"))
            break;
        raw_close(r);
        usleep(50 * 1000);
    }
    assert_non_null(strstr(answer, "Sec-WebSocket-Protocol: mux.portforward.cvirt.io\r\n"));
}

/* The guest serves one connection at a time. */
static void channels_are_dialled_when_asked_for(void **state)
{
    struct raw r;
    char text[512];
    int before = atomic_load(&guest.seen);

    open_mux(&r, guest.port);
    assert_int_equal(atomic_load(&guest.seen), before);
    mux_send(&r, MUX_OPEN, 1, "");
    assert_int_equal(mux_recv(&r, text, sizeof(text)), MUX_OPENED);
    mux_send(&r, MUX_DATA, 1, "C1234");
    mux_send(&r, MUX_END, 1, ""); /* half: the guest tells what it has got */
    assert_int_equal(mux_recv(&r, text, sizeof(text)), MUX_DATA);
    assert_string_equal(text, "1:5");
    assert_int_equal(mux_recv(&r, text, sizeof(text)), MUX_END);
    mux_send(&r, MUX_OPEN, 2, "");
    assert_int_equal(mux_recv(&r, text, sizeof(text)), MUX_OPENED);
    mux_send(&r, MUX_DATA, 2, "echo");
    assert_int_equal(mux_recv(&r, text, sizeof(text)), MUX_DATA);
    assert_string_equal(text, "2:echo");
    /* The tunnel and one connection are two streams of three. */
    mux_send(&r, MUX_OPEN, 3, "");
    assert_int_equal(mux_recv(&r, text, sizeof(text)), MUX_OPENED);
    mux_send(&r, MUX_OPEN, 4, "");
    assert_int_equal(mux_recv(&r, text, sizeof(text)), MUX_RESET);
    assert_non_null(strstr(text, "--streams-per-vmi"));
    raw_close(&r);
}

static void a_channel_that_cannot_be_dialled_is_refused_alone(void **state)
{
    struct raw r;
    char text[512];

    open_mux(&r, 1);
    for (uint8_t i = 1; i < 3; i++) {
        mux_send(&r, MUX_OPEN, i, "");
        assert_int_equal(mux_recv(&r, text, sizeof(text)), MUX_RESET);
        assert_non_null(strstr(text, "dialing VM: Connection refused: port 1 of 127.0.0.8"));
    }
    assert_true(ws_send(&r, CLOSE, "\x03\xe8", 2));
    assert_int_equal(mux_recv(&r, text, sizeof(text)), -8);
    raw_close(&r);
}

/* ---- limits ---- */

static bool is_free_again(void *ctx)
{
    struct raw r;
    char answer[4096];
    scoped(free) char *path = must_asprintf(VMI "box/portforward/%d", guest.port);

    ask_for(&r, path, ASK, answer);
    raw_close(&r);
    return str_has_prefix(answer, "HTTP/1.1 101");
}

/* The fixture allows three of a machine. */
static void one_too_many_is_told(void **state)
{
    struct raw r[3], extra;
    char answer[4096];
    scoped(free) char *path = must_asprintf(VMI "box/portforward/%d/udp", guest.port);

    assert_true(fake_wait(is_free_again, NULL, FAKE_PATIENCE_MS));
    for (size_t i = 0; i < countof(r); i++) {
        for (int tries = 0; tries < 200; tries++) { /* those before may still be closing */
            ask_for(&r[i], path, ASK, answer);
            if (str_has_prefix(answer, "HTTP/1.1 101"))
                break;
            raw_close(&r[i]);
            usleep(50 * 1000);
        }
        assert_true(str_has_prefix(answer, "HTTP/1.1 101"));
    }
    ask_for(&extra, path, ASK, answer);
    assert_true(str_has_prefix(answer, "HTTP/1.1 429"));
    assert_non_null(strstr(answer, "Retry-After: 5\r\n"));
    raw_close(&extra);
    for (size_t i = 0; i < countof(r); i++)
        raw_close(&r[i]);
    assert_true(fake_wait(is_free_again, NULL, FAKE_PATIENCE_MS));
}

static void pods_are_not_listed_each_time(void **state)
{
    assert_in_range(fake_kube_asked(api->kube, "namespaces/ns/pods"), 1, 12);
}

int main(void)
{
    ROW_TESTS(refusal_tests, refusals, is_refused);
    ROW_TESTS(ending_tests, endings, ends);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_both_ways),
        cmocka_unit_test(udp_is_a_message_a_datagram),
        cmocka_unit_test(what_was_sent_before_the_close_arrives),
        cmocka_unit_test(texts_are_skipped_and_pings_answered),
        cmocka_unit_test(channels_are_dialled_when_asked_for),
        cmocka_unit_test(a_channel_that_cannot_be_dialled_is_refused_alone),
        cmocka_unit_test(one_too_many_is_told),
        cmocka_unit_test(pods_are_not_listed_each_time),
    };

    return cmocka_run_group_tests_name("refused", refusal_tests, setup, teardown) +
           cmocka_run_group_tests_name("ends", ending_tests, setup, teardown) +
           cmocka_run_group_tests_name("portforward", tests, setup, teardown);
}
