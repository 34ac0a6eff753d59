// SPDX-License-Identifier: Apache-2.0
/* network.json: good ones, faulty ones, and the interfaces shown in the Domain. */
#include "launcher/network.h"

#include <arpa/inet.h>

#include "test/unit/rows.h"

#define ROW "'name':'default','tap':'tap0','mac':'02:00:00:00:00:05','bridge':'k6t-eth0'"

static char *quoted(const char *text)
{
    char *out = must_strdup(text);
    for (char *at = out; *at; at++)
        if (*at == '\'')
            *at = '"';
    return out;
}

static const struct parse_case {
    const char *name, *text;
    int code;   /* 0: accepted */
    size_t len; /* interfaces */
    bool has_lease;
} cases[] = {
    { "whole row",
      "{'interfaces':[{" ROW ",'mtu':1480,'guestIPv4':'10.0.2.2/24','gatewayIPv4':'10.0.2.1'}]}", 0,
      1, true },
    { "no address: no lease", "{'interfaces':[{" ROW "}]}", 0, 1, false },
    { "no interface", "{'interfaces':[]}", 0, 0, false },
    { "not JSON", "{", ERR_BAD_REQUEST, 0, false },
    { "no tap", "{'interfaces':[{'name':'a'}]}", ERR_INVALID, 0, false },
    { "a tap's name that no device can have",
      "{'interfaces':[{'name':'a','tap':'0123456789abcdef'}]}", ERR_INVALID, 0, false },
    { "no prefix length",
      "{'interfaces':[{" ROW ",'guestIPv4':'10.0.2.2','gatewayIPv4':'10.0.2.1'}]}", ERR_INVALID, 0,
      false },
    { "prefix of no network",
      "{'interfaces':[{" ROW ",'guestIPv4':'10.0.2.2/33','gatewayIPv4':'10.0.2.1'}]}", ERR_INVALID,
      0, false },
    { "no gateway", "{'interfaces':[{" ROW ",'guestIPv4':'10.0.2.2/24'}]}", ERR_INVALID, 0, false },
    { "a MAC that is none",
      "{'interfaces':[{'name':'a','tap':'t','mac':'02:00','bridge':'b','guestIPv4':'10.0.2.2/24',"
      "'gatewayIPv4':'10.0.2.1'}]}",
      ERR_INVALID, 0, false },
};

static void parses(void **state)
{
    const struct parse_case *c = *state;
    scoped(free) struct network *n = must_calloc(1, sizeof(*n));
    scoped(free) char *text = quoted(c->text);
    struct error e = { 0 };

    int r = network_parse(n, text, strlen(text), &e);
    assert_int_equal(r, -c->code);
    if (r == 0) {
        assert_int_equal(n->len, c->len);
        if (n->len > 0)
            assert_int_equal(n->nics[0].has_lease, c->has_lease);
    }
    network_done(n);
}

static void lease_is_read(void **state)
{
    scoped(free) struct network *n = must_calloc(1, sizeof(*n));
    scoped(free) char *text = quoted(
        "{'interfaces':[{" ROW ",'mtu':1480,'guestIPv4':'10.0.2.2/24','gatewayIPv4':'10.0.2.1',"
        "'dns':['10.96.0.10','fd00::a',7],'search':['a.b','bad domain','c'],'hostname':'vm'}]}");
    struct error e;

    assert_int_equal(network_parse(n, text, strlen(text), &e), 0);
    const struct dhcp_lease *l = &network_find(n, "default")->lease;
    assert_int_equal(l->mask, inet_addr("255.255.255.0"));
    assert_int_equal(l->server, inet_addr("10.0.2.1"));
    assert_int_equal(l->dns_len, 1);
    assert_string_equal(l->search, "a.b c");
    assert_string_equal(l->hostname, "vm");
    assert_int_equal(l->mtu, 1480);
    assert_null(network_find(n, "other"));
    network_done(n);
}

static void describes(void **state)
{
    scoped(free) struct network *n = must_calloc(1, sizeof(*n));
    scoped(free) char *text = quoted("{'interfaces':[{" ROW ",'guestIPv4':'10.0.2.2/24',"
                                     "'gatewayIPv4':'10.0.2.1','guestIPv6':'fd10::2/120'}]}");
    struct error e;
    json_auto_t *vmi = json_q(
        "{'spec':{'domain':{'cpu':{'cores':2},'devices':{'networkInterfaceMultiqueue':true,"
        "'interfaces':[{'name':'default','state':'down'},{'name':'gone','state':'absent'}]}}}}");
    json_auto_t *want =
        json_q("[{'name':'default','infoSource':'domain','queueCount':2,"
               "'linkState':'down','mac':'02:00:00:00:00:05','ipAddress':'10.0.2.2',"
               "'ipAddresses':['10.0.2.2','fd10::2']}]");

    assert_int_equal(network_parse(n, text, strlen(text), &e), 0);
    json_auto_t *got = network_describe(n, vmi);
    assert_json(got, want);
    network_done(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lease_is_read),
        cmocka_unit_test(describes),
    };
    int bad = RUN_ROWS("network", cases, parses);
    return bad + cmocka_run_group_tests_name("network lease", tests, NULL, NULL);
}
