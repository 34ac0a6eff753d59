// SPDX-License-Identifier: Apache-2.0
/* What the guest agent says, and what becomes of it. */
#include "launcher/guest.h"

#include "test/unit/rows.h"

static const struct convert_case {
    const char *name;
    guest_convert_fn *convert;
    const char *answer, *want;
} cases[] = {
    { "agent: version and commands", guest_agent,
      "{'version':'7.2','supported_commands':[{'name':'guest-ping','enabled':true,"
      "'success-response':true},{'name':'x','enabled':false}]}",
      "{'version':'7.2','supportedCommands':[{'name':'guest-ping','enabled':true},"
      "{'name':'x','enabled':false}]}" },
    { "agent: nonsense", guest_agent, "[1]", "{'supportedCommands':[]}" },
    { "os: renamed, unknown members dropped", guest_os,
      "{'id':'debian','pretty-name':'Debian 12','kernel-release':'6.1','variant':'x'}",
      "{'id':'debian','prettyName':'Debian 12','kernelRelease':'6.1'}" },
    { "os: a member of a wrong type is left out", guest_os, "{'id':7,'name':'n'}", "{'name':'n'}" },
    { "hostname", guest_hostname, "{'host-name':'web'}", "'web'" },
    { "hostname: none", guest_hostname, "{}", "''" },
    { "timezone", guest_timezone, "{'zone':'CET','offset':3600}", "'CET, 3600'" },
    { "users: login time is a number", guest_users,
      "[{'user':'root','login-time':1.5},{'user':'a','domain':'D','login-time':'x'}]",
      "[{'userName':'root','loginTime':1.5},{'userName':'a','domain':'D'}]" },
    { "file systems with their disks", guest_filesystems,
      "[{'name':'vda1','mountpoint':'/','type':'ext4','used-bytes':1,'total-bytes':2,"
      "'disk':[{'serial':'s','bus-type':'virtio','bus':0}]},{'name':'b','disk':[]}]",
      "[{'diskName':'vda1','mountPoint':'/','fileSystemType':'ext4','usedBytes':1,'totalBytes':2,"
      "'disk':[{'serial':'s','busType':'virtio'}]},{'diskName':'b'}]" },
    { "interfaces: no loopback, no link-local, no MAC no row", guest_interfaces,
      "[{'name':'lo','hardware-address':'00:00:00:00:00:00'},{'name':'sit0'},"
      "{'name':'eth0','hardware-address':'02:00','ip-addresses':[{'ip-address':'10.0.2.2'},"
      "{'ip-address':'fe80::1'},{'ip-address':'fd10::2'},{'ip-address':5}]}]",
      "[{'interfaceName':'eth0','mac':'02:00','ipAddresses':['10.0.2.2','fd10::2']}]" },
};

static void converts(void **state)
{
    const struct convert_case *c = *state;
    json_auto_t *answer = json_q(c->answer);
    json_auto_t *want = json_q(c->want);
    json_auto_t *got = c->convert(answer);

    assert_json(got, want);
}

static void lists_are_bounded(void **state)
{
    json_auto_t *many = json_array();
    json_auto_t *item = json_q("{'user':'x'}");
    for (int i = 0; i < 10000; i++)
        must_append(many, json_incref(item));
    json_auto_t *got = guest_users(many);

    assert_int_equal(json_array_size(got), GUEST_LIST_MAX);
}

static const struct merge_case {
    const char *name, *domain, *agent, *want;
} merges[] = {
    { "no agent: as the domain says", "[{'name':'default','mac':'02:0A','infoSource':'domain'}]",
      NULL, "[{'name':'default','mac':'02:0A','infoSource':'domain'}]" },
    { "by MAC, whatever its case",
      "[{'name':'default','mac':'02:0A','infoSource':'domain','ipAddress':'1','ipAddresses':['1']}]",
      "[{'interfaceName':'eth0','mac':'02:0a','ipAddresses':['10.0.2.2','fd::2']}]",
      "[{'name':'default','mac':'02:0A','infoSource':'domain, guest-agent','interfaceName':'eth0',"
      "'ipAddress':'10.0.2.2','ipAddresses':['10.0.2.2','fd::2']}]" },
    { "an agent without addresses keeps the domain's",
      "[{'name':'default','mac':'02','infoSource':'domain','ipAddress':'1','ipAddresses':['1']}]",
      "[{'interfaceName':'eth0','mac':'02','ipAddresses':[]}]",
      "[{'name':'default','mac':'02','infoSource':'domain, guest-agent','interfaceName':'eth0',"
      "'ipAddress':'1','ipAddresses':['1']}]" },
    { "only the agent knows it", "[]",
      "[{'interfaceName':'docker0','mac':'05','ipAddresses':['172.17.0.1']}]",
      "[{'mac':'05','interfaceName':'docker0','infoSource':'guest-agent','ipAddress':'172.17.0.1',"
      "'ipAddresses':['172.17.0.1']}]" },
};

static void merges_interfaces(void **state)
{
    const struct merge_case *c = *state;
    json_auto_t *domain = json_q(c->domain);
    json_auto_t *agent = json_q(c->agent);
    json_auto_t *want = json_q(c->want);
    json_auto_t *got = guest_merge_interfaces(domain, agent);

    assert_json(got, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lists_are_bounded) };
    int bad = RUN_ROWS("guest", cases, converts);
    bad += RUN_ROWS("interfaces", merges, merges_interfaces);
    return bad + cmocka_run_group_tests_name("guest bounds", tests, NULL, NULL);
}
