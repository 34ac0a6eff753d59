// SPDX-License-Identifier: Apache-2.0
/* DHCP messages as bytes: what is answered, what is not, and with what. */
#include "launcher/dhcp.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "test/unit/rows.h"

#define MAC "\x02\x00\x00\x00\x00\x05"
enum { HEADER = 240 };

static struct dhcp_lease lease(void)
{
    struct dhcp_lease l = {
        .mtu = 1480, .dns_len = 1, .search = "ns.svc.cluster.local cluster.local", .hostname = "vm"
    };
    memcpy(l.mac, MAC, 6);
    l.address = inet_addr("10.0.2.2");
    l.mask = inet_addr("255.255.255.0");
    l.gateway = l.server = inet_addr("10.0.2.1");
    l.dns[0] = inet_addr("10.96.0.10");
    return l;
}

/* A request: fixed part with these members, then the options given as bytes. */
struct message {
    uint8_t bytes[600];
    size_t len;
};

static struct message message(const char *mac, const char *ciaddr, const char *giaddr,
                              const void *options, size_t len)
{
    struct message m = { .len = HEADER + len };
    uint32_t address;

    m.bytes[0] = 1;
    m.bytes[1] = 1;
    m.bytes[2] = 6;
    memcpy(m.bytes + 4, "XID!", 4);
    address = inet_addr(ciaddr);
    memcpy(m.bytes + 12, &address, 4);
    address = inet_addr(giaddr);
    memcpy(m.bytes + 24, &address, 4);
    memcpy(m.bytes + 28, mac, 6);
    memcpy(m.bytes + 236, "\x63\x82\x53\x63", 4);
    memcpy(m.bytes + HEADER, options, len);
    return m;
}

/* The option in a reply, or NULL. */
static const uint8_t *option(const uint8_t *reply, size_t len, uint8_t code)
{
    for (size_t at = HEADER; at + 1 < len && reply[at] != 255; at += 2 + (size_t)reply[at + 1])
        if (reply[at] == code)
            return reply + at;
    return NULL;
}

#define OPTIONS(text) text, sizeof(text) - 1
#define SERVER "\x36\x04\x0a\x00\x02\x01"
#define WANT_OURS "\x32\x04\x0a\x00\x02\x02"
#define WANT_OTHER "\x32\x04\x0a\x00\x02\x07"

enum { OFFER = 2, ACK = 5, NAK = 6 };

// clang-format off
static const struct answer_case {
    const char *name, *mac, *ciaddr, *giaddr;
    const char *options;
    size_t len;
    int answer;      /* message type; 0: silence */
    const char *to;
} cases[] = {
    { "discover is offered", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x01\xff"), OFFER, "255.255.255.255" },
    { "no end mark is tolerated", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x01"), OFFER, "255.255.255.255" },
    { "pads are skipped", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\0\0\0\x35\x01\x01\xff"), OFFER, "255.255.255.255" },
    { "request of our offer is acknowledged", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x03" SERVER WANT_OURS "\xff"), ACK, "255.255.255.255" },
    { "request after reboot is acknowledged", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x03" WANT_OURS "\xff"), ACK, "255.255.255.255" },
    { "renewal is answered to the address", MAC, "10.0.2.2", "0.0.0.0", OPTIONS("\x35\x01\x03\xff"), ACK, "10.0.2.2" },
    { "renewal of a foreign address is refused aloud", MAC, "10.0.9.9", "0.0.0.0", OPTIONS("\x35\x01\x03\xff"), NAK, "255.255.255.255" },
    { "another address wanted is refused", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x03" WANT_OTHER "\xff"), NAK, "255.255.255.255" },
    { "another server chosen: silence", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x03\x36\x04\x0a\x00\x02\x63" WANT_OURS "\xff"), 0, NULL },
    { "request of nothing: silence", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x03\xff"), 0, NULL },
    { "inform is answered without a lease", MAC, "10.0.2.2", "0.0.0.0", OPTIONS("\x35\x01\x08\xff"), ACK, "10.0.2.2" },
    { "another MAC: silence", "\x02\x00\x00\x00\x00\x06", "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x01\xff"), 0, NULL },
    { "through a relay: silence", MAC, "0.0.0.0", "10.0.2.9", OPTIONS("\x35\x01\x01\xff"), 0, NULL },
    { "release: silence", MAC, "10.0.2.2", "0.0.0.0", OPTIONS("\x35\x01\x07\xff"), 0, NULL },
    { "decline: silence", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x04\xff"), 0, NULL },
    { "an answer of another server: silence", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x02\xff"), 0, NULL },
    { "BOOTP without a type: silence", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\xff"), 0, NULL },
    { "an option past the end: silence", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x01\x32\xf0\x0a"), 0, NULL },
    { "an option without a length: silence", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x01\x32"), 0, NULL },
    { "a type of the wrong length: silence", MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x02\x01\x01\xff"), 0, NULL },
};
// clang-format on

static void answers(void **state)
{
    const struct answer_case *c = *state;
    struct dhcp_lease l = lease();
    struct message m = message(c->mac, c->ciaddr, c->giaddr, c->options, c->len);
    uint8_t out[DHCP_PACKET_MAX];
    uint32_t to = 0;

    size_t len = dhcp_answer(&l, m.bytes, m.len, out, &to);
    if (!c->answer) {
        assert_int_equal(len, 0);
        return;
    }
    assert_true(len >= 300);
    const uint8_t *type = option(out, len, 53);
    assert_non_null(type);
    assert_int_equal(type[2], c->answer);
    assert_int_equal(to, inet_addr(c->to));
    assert_int_equal(out[0], 2);
    assert_memory_equal(out + 4, "XID!", 4);
    assert_memory_equal(out + 28, c->mac, 6);
    assert_memory_equal(option(out, len, 54) + 2, "\x0a\x00\x02\x01", 4);
    assert_true((option(out, len, 51) != NULL) == (c->answer != NAK && m.bytes[HEADER + 2] != 8));
}

/* Everything that a guest is told, byte by byte. */
static void offer_tells_the_network(void **state)
{
    static const struct {
        uint8_t code;
        const char *bytes;
        size_t len;
    } want[] = {
        { 1, "\xff\xff\xff\x00", 4 },
        { 3, "\x0a\x00\x02\x01", 4 },
        { 6, "\x0a\x60\x00\x0a", 4 },
        { 12, "vm", 2 },
        { 15, "ns.svc.cluster.local", 20 },
        { 26, "\x05\xc8", 2 },
        { 28, "\x0a\x00\x02\xff", 4 },
        { 51, "\x05\x25\x0a\x80", 4 },
        { 119, "\2ns\3svc\7cluster\5local\0\7cluster\5local\0", 37 },
        { 121, "\x00\x0a\x00\x02\x01", 5 },
    };
    struct dhcp_lease l = lease();
    struct message m = message(MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x01\xff"));
    uint8_t out[DHCP_PACKET_MAX];
    uint32_t to;

    size_t len = dhcp_answer(&l, m.bytes, m.len, out, &to);
    assert_memory_equal(out + 16, "\x0a\x00\x02\x02", 4);
    for (size_t i = 0; i < countof(want); i++) {
        const uint8_t *at = option(out, len, want[i].code);
        assert_non_null(at);
        assert_int_equal(at[1], want[i].len);
        assert_memory_equal(at + 2, want[i].bytes, want[i].len);
    }
}

static void client_id_comes_back(void **state)
{
    struct dhcp_lease l = lease();
    struct message m =
        message(MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x01\x3d\x03\x01\x02\x03\xff"));
    uint8_t out[DHCP_PACKET_MAX];
    uint32_t to;

    size_t len = dhcp_answer(&l, m.bytes, m.len, out, &to);
    assert_memory_equal(option(out, len, 61), "\x3d\x03\x01\x02\x03", 5);
}

/* Every cut of a good message is answered or not, but never read past its end (sanitizers watch).
 */
static void cut_messages_are_safe(void **state)
{
    struct dhcp_lease l = lease();
    struct message m =
        message(MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x03" SERVER WANT_OURS "\xff"));
    uint8_t out[DHCP_PACKET_MAX];
    uint32_t to;

    for (size_t len = 0; len < m.len; len++) {
        scoped(free) uint8_t *exact = must_malloc(len ? len : 1);
        memcpy(exact, m.bytes, len);
        size_t n = dhcp_answer(&l, exact, len, out, &to);
        assert_true(n == 0 || len > HEADER);
    }
}

static void long_search_lists_are_bounded(void **state)
{
    struct dhcp_lease l = lease();
    struct message m = message(MAC, "0.0.0.0", "0.0.0.0", OPTIONS("\x35\x01\x01\xff"));
    uint8_t out[DHCP_PACKET_MAX];
    uint32_t to;

    memset(l.search, 'a', sizeof(l.search) - 1);
    for (size_t i = 60; i < sizeof(l.search) - 1; i += 60)
        l.search[i] = i % 240 ? '.' : ' ';
    l.search[sizeof(l.search) - 1] = '\0';
    size_t len = dhcp_answer(&l, m.bytes, m.len, out, &to);
    assert_true(len > 300 && len <= DHCP_PACKET_MAX);
    assert_int_equal(out[len - 1], 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offer_tells_the_network),
        cmocka_unit_test(client_id_comes_back),
        cmocka_unit_test(cut_messages_are_safe),
        cmocka_unit_test(long_search_lists_are_bounded),
    };
    int bad = RUN_ROWS("dhcp answers", cases, answers);
    return bad + cmocka_run_group_tests_name("dhcp", tests, NULL, NULL);
}
