/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance type gives to a template, and what the template must leave to it. */
#include "base/buf.h"
#include "base/jpath.h"
#include "openapi/instancetype_apply.h"
#include "openapi/topology_apply.h"
#include "rows.h"

#define T "spec.template.spec."
#define SMALL "'cpu':{'guest':4},'memory':{'guest':'1Gi'}"

/* ---- conflicts ---- */

// clang-format off
static const struct conflict_case {
    const char *name;
    const char *type, *preference, *spec, *annotations;
    const char *want; /* fields of the findings, with spaces between */
} conflict_cases[] = {
    { "a machine that leaves all to the type", "{" SMALL "}", NULL, "{'domain':{'devices':{}}}", "{}", "" },
    { "each level of the topology", "{" SMALL "}", NULL, "{'domain':{'cpu':{'sockets':1,'cores':2,'threads':1}}}", "{}",
      T "domain.cpu.sockets " T "domain.cpu.cores " T "domain.cpu.threads" },
    { "levels of zero are not said", "{" SMALL "}", NULL, "{'domain':{'cpu':{'cores':0}}}", "{}", "" },
    { "memory", "{" SMALL "}", NULL, "{'domain':{'memory':{'guest':'1Gi','maxGuest':'2Gi','hugepages':{}}}}", "{}",
      T "domain.memory.guest " T "domain.memory.hugepages " T "domain.memory.maxGuest" },
    { "resources of processors and memory", "{" SMALL "}", NULL,
      "{'domain':{'resources':{'requests':{'cpu':'1','memory':'1Gi'},'limits':{'cpu':'1','memory':'1Gi'}}}}", "{}",
      T "domain.resources.requests.cpu " T "domain.resources.limits.cpu " T "domain.resources.requests.memory " T
        "domain.resources.limits.memory" },
    { "other resources stay the machine's", "{" SMALL "}", NULL, "{'domain':{'resources':{'requests':{'x/y':'1'}}}}", "{}", "" },
    { "a model that the type does not name", "{" SMALL "}", NULL, "{'domain':{'cpu':{'model':'m'}}}", "{}", "" },
    { "a model that the type names", "{'cpu':{'guest':1,'model':'n'},'memory':{'guest':'1Gi'}}", NULL,
      "{'domain':{'cpu':{'model':'m'}}}", "{}", T "domain.cpu.model" },
    { "pinning that the type refuses", "{'cpu':{'guest':1,'dedicatedCPUPlacement':false},'memory':{'guest':'1Gi'}}", NULL,
      "{'domain':{'cpu':{'dedicatedCpuPlacement':true}}}", "{}", T "domain.cpu.dedicatedCpuPlacement" },
    { "what both say of processors", "{'cpu':{'guest':1,'isolateEmulatorThread':true,'numa':{},'realtime':{}},'memory':{'guest':'1Gi'}}", NULL,
      "{'domain':{'cpu':{'isolateEmulatorThread':true,'numa':{},'realtime':{}}}}", "{}",
      T "domain.cpu.isolateEmulatorThread " T "domain.cpu.numa " T "domain.cpu.realtime" },
    { "placement", "{" SMALL ",'nodeSelector':{'a':'b'},'schedulerName':'s'}", NULL,
      "{'nodeSelector':{'c':'d'},'schedulerName':'t'}", "{}", T "nodeSelector " T "schedulerName" },
    { "threads, security and devices",
      "{" SMALL ",'ioThreads':{'supplementalPoolThreadCount':2},'ioThreadsPolicy':'auto','launchSecurity':{'snp':{}},"
      "'gpus':[{'name':'g'}],'hostDevices':[{'name':'h'}]}", NULL,
      "{'domain':{'ioThreads':{'supplementalPoolThreadCount':1},'ioThreadsPolicy':'shared','launchSecurity':{'sev':{}},"
      "'devices':{'gpus':[{'name':'x'}],'hostDevices':[{'name':'y'}]}}}", "{}",
      T "domain.ioThreads.supplementalPoolThreadCount " T "domain.ioThreadsPolicy " T "domain.launchSecurity " T
        "domain.devices.gpus " T "domain.devices.hostDevices" },
    { "sockets to come are the type's without a word", "{'cpu':{'guest':1,'maxSockets':4},'memory':{'guest':'1Gi'}}", NULL,
      "{'domain':{'cpu':{'maxSockets':8}}}", "{}", "" },
    { "an annotation that says something else", "{" SMALL ",'annotations':{'a':'1','b':'2'}}", NULL, "{}", "{'a':'1','b':'3'}",
      "spec.template.metadata.annotations[b]" },
    { "an odd number is not spread", "{'cpu':{'guest':3},'memory':{'guest':'1Gi'}}", "{'cpu':{'preferredCPUTopology':'spread'}}", "{}", "{}",
      "instancetype.spec.cpu.guest" },
};

// clang-format on

static void conflicts(void **state)
{
    const struct conflict_case *c = *state;
    json_auto_t *type = json_q(c->type);
    json_auto_t *preference = json_q(c->preference);
    json_auto_t *template = must_pack("{s:{s:o}, s:o}", "metadata", "annotations",
                                      json_q(c->annotations), "spec", json_q(c->spec));
    scoped_findings f;
    scoped_buf got = BUF_INIT(0);

    findings_init(&f);
    instancetype_check(type, preference, template, &f);
    for (size_t i = 0; i < f.len; i++) {
        assert_int_equal(f.item[i].cause, CAUSE_INVALID);
        (void)buf_addf(&got, "%s%s", i ? " " : "", f.item[i].field);
    }
    assert_string_equal(got.data ? got.data : "", c->want);
}

/* ---- what is given ---- */

// clang-format off
static const struct give_case {
    const char *name;
    const char *type, *preference, *spec;
    const char *path, *want; /* in the template */
} give_cases[] = {
    { "sockets without a preference", "{" SMALL "}", NULL, "{}", "spec.domain.cpu", "{'sockets':4,'cores':1,'threads':1}" },
    { "cores when preferred", "{" SMALL "}", "{'cpu':{'preferredCPUTopology':'cores'}}", "{}", "spec.domain.cpu", "{'sockets':1,'cores':4,'threads':1}" },
    { "threads by the old spelling", "{" SMALL "}", "{'cpu':{'preferredCPUTopology':'preferThreads'}}", "{}", "spec.domain.cpu",
      "{'sockets':1,'cores':1,'threads':4}" },
    { "any is sockets", "{" SMALL "}", "{'cpu':{'preferredCPUTopology':'any'}}", "{}", "spec.domain.cpu.sockets", "4" },
    { "spread: pairs of cores", "{" SMALL "}", "{'cpu':{'preferredCPUTopology':'spread'}}", "{}", "spec.domain.cpu", "{'sockets':2,'cores':2,'threads':1}" },
    { "spread by a ratio", "{'cpu':{'guest':8},'memory':{'guest':'1Gi'}}",
      "{'cpu':{'preferredCPUTopology':'spread','spreadOptions':{'ratio':4}}}", "{}", "spec.domain.cpu", "{'sockets':2,'cores':4,'threads':1}" },
    { "spread by the old ratio", "{'cpu':{'guest':8},'memory':{'guest':'1Gi'}}",
      "{'cpu':{'preferredCPUTopology':'preferSpread'},'preferSpreadSocketToCoreRatio':4}", "{}", "spec.domain.cpu.cores", "4" },
    { "spread over all three levels", "{'cpu':{'guest':8},'memory':{'guest':'1Gi'}}",
      "{'cpu':{'preferredCPUTopology':'spread','spreadOptions':{'across':'SocketsCoresThreads'}}}", "{}", "spec.domain.cpu",
      "{'sockets':2,'cores':2,'threads':2}" },
    { "spread over cores and threads", "{" SMALL "}",
      "{'cpu':{'preferredCPUTopology':'spread','spreadOptions':{'across':'CoresThreads'}}}", "{}", "spec.domain.cpu",
      "{'sockets':1,'cores':2,'threads':2}" },
    { "the rest of the processors", "{'cpu':{'guest':1,'model':'m','dedicatedCPUPlacement':true,'isolateEmulatorThread':false,"
      "'numa':{'guestMappingPassthrough':{}},'realtime':{'mask':'0'},'maxSockets':2},'memory':{'guest':'1Gi'}}", NULL, "{}", "spec.domain.cpu",
      "{'sockets':1,'cores':1,'threads':1,'model':'m','dedicatedCpuPlacement':true,'isolateEmulatorThread':false,"
      "'numa':{'guestMappingPassthrough':{}},'realtime':{'mask':'0'},'maxSockets':2}" },
    { "memory", "{'cpu':{'guest':1},'memory':{'guest':'1Gi','maxGuest':'2Gi','hugepages':{'pageSize':'2Mi'}}}", NULL, "{}", "spec.domain.memory",
      "{'guest':'1Gi','maxGuest':'2Gi','hugepages':{'pageSize':'2Mi'}}" },
    { "no request of memory by itself", "{" SMALL "}", NULL, "{}", "spec.domain.resources", NULL },
    { "overcommitted memory", "{'cpu':{'guest':1},'memory':{'guest':'2Gi','overcommitPercent':50}}", NULL, "{}", "spec.domain.resources.requests",
      "{'memory':'1Gi'}" },
    { "overcommit rounds down", "{'cpu':{'guest':1},'memory':{'guest':'1Gi','overcommitPercent':15}}", NULL, "{}",
      "spec.domain.resources.requests.memory", "'912680550'" },
    { "placement", "{" SMALL ",'nodeSelector':{'a':'b'},'schedulerName':'s'}", NULL, "{'hostname':'h'}", "spec.nodeSelector", "{'a':'b'}" },
    { "security", "{" SMALL ",'launchSecurity':{'snp':{}}}", NULL, "{}", "spec.domain.launchSecurity", "{'snp':{}}" },
    { "threads", "{" SMALL ",'ioThreads':{'supplementalPoolThreadCount':2},'ioThreadsPolicy':'supplementalPool'}", NULL, "{}",
      "spec.domain.ioThreads", "{'supplementalPoolThreadCount':2}" },
    { "devices", "{" SMALL ",'gpus':[{'name':'g','deviceName':'d'}]}", NULL, "{'domain':{'devices':{'disks':[]}}}", "spec.domain.devices",
      "{'disks':[],'gpus':[{'name':'g','deviceName':'d'}]}" },
    { "annotations", "{" SMALL ",'annotations':{'a':'1'}}", NULL, "{}", "metadata.annotations", "{'a':'1'}" },
};

// clang-format on

static void gives(void **state)
{
    const struct give_case *c = *state;
    json_auto_t *type = json_q(c->type);
    json_auto_t *preference = json_q(c->preference);
    json_auto_t *template = must_pack("{s:o}", "spec", json_q(c->spec));
    json_auto_t *want = json_q(c->want);

    instancetype_apply(type, preference, template);
    assert_json(jpath(template, c->path), want);
}

/* ---- spreading ---- */

static const struct divide_case {
    const char *name;
    struct topology_preference t;
    json_int_t processors;
    bool want;
} divide_cases[] = {
    { "sockets take any number", { TOPOLOGY_SOCKETS, SPREAD_SOCKETS_CORES, 2 }, 3, true },
    { "two by two", { TOPOLOGY_SPREAD, SPREAD_SOCKETS_CORES, 2 }, 6, true },
    { "one is not spread", { TOPOLOGY_SPREAD, SPREAD_SOCKETS_CORES, 2 }, 1, false },
    { "six by four", { TOPOLOGY_SPREAD, SPREAD_SOCKETS_CORES, 4 }, 6, false },
    { "none", { TOPOLOGY_SPREAD, SPREAD_SOCKETS_CORES, 4 }, 0, false },
    { "three levels of eight", { TOPOLOGY_SPREAD, SPREAD_SOCKETS_CORES_THREADS, 2 }, 8, true },
    { "three levels of six", { TOPOLOGY_SPREAD, SPREAD_SOCKETS_CORES_THREADS, 2 }, 6, false },
    { "three levels of seven", { TOPOLOGY_SPREAD, SPREAD_SOCKETS_CORES_THREADS, 3 }, 7, false },
    { "cores of two threads", { TOPOLOGY_SPREAD, SPREAD_CORES_THREADS, 2 }, 2, true },
};

static void divides(void **state)
{
    const struct divide_case *c = *state;

    assert_int_equal(topology_divides(&c->t, c->processors), c->want);
}

int main(void)
{
    int failed = RUN_ROWS("instancetype_check", conflict_cases, conflicts);

    failed += RUN_ROWS("instancetype_apply", give_cases, gives);
    return failed + RUN_ROWS("topology_divides", divide_cases, divides);
}
