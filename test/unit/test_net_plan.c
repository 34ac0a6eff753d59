/* SPDX-License-Identifier: Apache-2.0 */
/* A machine's pod network as a plan, a ruleset and the launcher's file: golden texts in
 * test/golden/network. */
#include "handler/net_plan.h"

#include <stdio.h>

#include "base/jpath.h"
#include "base/str.h"
#include "test/unit/rows.h"

#define VMI(network, interface, more)                                                              \
    "{'metadata':{'name':'vm.one','namespace':'ns','uid':'11111111-2222-3333-4444-555555555555'}," \
    "'spec':{" more "'networks':[{'name':'default','pod':{" network "}}],"                         \
    "'domain':{'devices':{'interfaces':[{'name':'default'," interface "}]}}}}"

static const char resolv_conf[] = "nameserver 10.96.0.10\n"
                                  "search old.example\n"
                                  "search ns.svc.cluster.local svc.cluster.local\n"
                                  "options ndots:5\n";

static const struct golden_case {
    const char *name, *file, *vmi, *ipv4, *ipv6;
} goldens[] = {
    { "all ports, one family", "plain", VMI("", "'masquerade':{}", ""), "10.244.0.5", "" },
    { "both families", "dual",
      VMI("'vmNetworkCIDR':'192.168.7.0/28'", "'masquerade':{},'macAddress':'DE-AD-00-00-BE-AF'",
          "'hostname':'web','subdomain':'svc',"),
      "10.244.0.5", "fd00::5" },
    { "named ports only", "ports",
      VMI("",
          "'masquerade':{},'ports':[{'port':80},{'port':53,'protocol':'UDP'}],"
          "'portRanges':[{'start':8000,'end':8010}]",
          ""),
      "10.244.0.5", "" },
};

static char *read_golden(const char *file, const char *suffix)
{
    scoped(free) char *path = must_asprintf("test/golden/network/%s.%s", file, suffix);
    char *text = must_calloc(1, 65536);
    FILE *f = fopen(path, "r");

    if (f) {
        (void)!fread(text, 1, 65535, f);
        (void)fclose(f);
    }
    return text;
}

static void write_golden(const char *file, const char *suffix, const char *text)
{
    scoped(free) char *path = must_asprintf("test/golden/network/%s.%s", file, suffix);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void compare(const char *file, const char *suffix, const char *got)
{
    if (getenv("UPDATE"))
        write_golden(file, suffix, got);
    scoped(free) char *want = read_golden(file, suffix);
    assert_string_equal(got, want);
}

static void matches_golden(void **state)
{
    const struct golden_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    struct pod_link link = { .mtu = 1450 };
    struct net_plan plan;
    struct error e;

    (void)snprintf(link.ipv4, sizeof(link.ipv4), "%s", c->ipv4);
    (void)snprintf(link.ipv6, sizeof(link.ipv6), "%s", c->ipv6);
    assert_int_equal(net_plan_make(&plan, vmi, &e), 0);
    scoped(free) char *rules = nft_ruleset(&plan, &link);
    json_auto_t *file = net_json(&plan, &link, vmi, resolv_conf);
    scoped(free) char *text = must_dumps(file, JSON_INDENT(1));

    compare(c->file, "nft", rules);
    compare(c->file, "json", text);
}

static const struct refusal_case {
    const char *name, *vmi, *says;
} refusals[] = {
    { "bridge binding", VMI("", "'bridge':{}", ""), "masquerade" },
    { "a network without room", VMI("'vmNetworkCIDR':'10.0.2.0/31'", "'masquerade':{}", ""),
      "10.0.2.0/31" },
    { "a network that is none", VMI("'vmNetworkCIDR':'here'", "'masquerade':{}", ""), "here" },
    { "a network that closes a quote",
      VMI("'vmNetworkCIDR':'1.2.3.4; drop/24'", "'masquerade':{}", ""), "not a network" },
    { "a MAC that is none", VMI("", "'masquerade':{},'macAddress':'zz:00:00:00:00:00'", ""),
      "MAC" },
    { "port 0", VMI("", "'masquerade':{},'ports':[{'port':0}]", ""), "ports" },
    { "a range backwards", VMI("", "'masquerade':{},'portRanges':[{'start':9,'end':8}]", ""),
      "ports" },
    { "a second interface",
      "{'metadata':{'uid':'u'},'spec':{'networks':[{'name':'a','pod':{}}],'domain':{'devices':{"
      "'interfaces':[{'name':'a','masquerade':{}},{'name':'b','bridge':{}}]}}}}",
      "only one" },
};

static void refuses(void **state)
{
    const struct refusal_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    struct net_plan plan;
    struct error e;

    assert_int_equal(net_plan_make(&plan, vmi, &e), -ERR_INVALID);
    assert_non_null(strstr(e.msg, c->says));
}

static void a_machine_without_interface_needs_nothing(void **state)
{
    json_auto_t *vmi = json_q("{'metadata':{'uid':'u'},'spec':{}}");
    json_auto_t *want = json_q("{'interfaces':[]}");
    const struct pod_link link = { .mtu = 1450 };
    struct net_plan plan;
    struct error e;

    assert_int_equal(net_plan_make(&plan, vmi, &e), 0);
    assert_false(plan.is_needed);
    json_auto_t *file = net_json(&plan, &link, vmi, "");
    assert_json(file, want);
}

static void the_mac_is_stable_and_local(void **state)
{
    char a[NET_MAC_MAX], b[NET_MAC_MAX], other[NET_MAC_MAX];

    net_stable_mac("u1", "default", a);
    net_stable_mac("u1", "default", b);
    net_stable_mac("u2", "default", other);
    assert_string_equal(a, b);
    assert_string_not_equal(a, other);
    assert_true(str_has_prefix(a, "02:"));
}

static void queues_need_several_cpus(void **state)
{
    json_auto_t *vmi = json_q(VMI("", "'masquerade':{}", ""));
    struct net_plan plan;
    struct error e;

    jpath_set_bool(vmi, "spec.domain.devices.networkInterfaceMultiqueue", true);
    assert_int_equal(net_plan_make(&plan, vmi, &e), 0);
    assert_false(plan.is_multiqueue);
    jpath_set_int(vmi, "spec.domain.cpu.cores", 2);
    assert_int_equal(net_plan_make(&plan, vmi, &e), 0);
    assert_true(plan.is_multiqueue);
}

int main(void)
{
    const struct CMUnitTest single[] = {
        cmocka_unit_test(a_machine_without_interface_needs_nothing),
        cmocka_unit_test(the_mac_is_stable_and_local),
        cmocka_unit_test(queues_need_several_cpus),
    };
    int failed = RUN_ROWS("net_plan golden", goldens, matches_golden);

    failed += RUN_ROWS("net_plan refuses", refusals, refuses);
    return failed + cmocka_run_group_tests_name("net_plan", single, NULL, NULL);
}
