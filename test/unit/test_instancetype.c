/* SPDX-License-Identifier: Apache-2.0 */
/* What instance types and preferences may say, of a namespace and of the cluster alike. */
#include "reviews.h"

#define TYPE(more) \
    "{'metadata':{'name':'t'},'spec':{'cpu':{'guest':2},'memory':{'guest':'1Gi'" more "}}"
#define PREFERENCE(cpu) "{'metadata':{'name':'p'},'spec':{'cpu':{" cpu "}}}"

#define RENAMED(name, instead) \
    " ! spec.cpu.preferredCPUTopology: " name " is deprecated: use " instead " instead"

// clang-format off
static const struct type_case {
    const char *name, *object, *want;
} types[] = {
    { "a size", TYPE("}"), "" },
    { "no processors", "{'metadata':{'name':'t'},'spec':{'memory':{'guest':'1Gi'}}}", "FieldValueRequired spec.cpu" },
    { "no memory", "{'metadata':{'name':'t'},'spec':{'cpu':{'guest':2}}}", "FieldValueRequired spec.memory" },
    { "no spec", "{'metadata':{'name':'t'}}", "FieldValueRequired spec" },
    { "an unknown field", TYPE("},'gpu':1"), "FieldValueForbidden spec.gpu" },
    { "overcommitted", TYPE(",'overcommitPercent':50}"), "" },
    { "wholly overcommitted", TYPE(",'overcommitPercent':100}"), "" },
    { "more than all", TYPE(",'overcommitPercent':101}"), "FieldValueInvalid spec.memory.overcommitPercent" },
    { "less than nothing", TYPE(",'overcommitPercent':-1}"), "FieldValueInvalid spec.memory.overcommitPercent" },
    { "large pages", TYPE(",'hugepages':{'pageSize':'2Mi'}}"), "" },
    { "overcommitted large pages", TYPE(",'overcommitPercent':1,'hugepages':{'pageSize':'2Mi'}}"), "FieldValueInvalid spec.memory.overcommitPercent" },
    { "no overcommitment of large pages", TYPE(",'overcommitPercent':0,'hugepages':{'pageSize':'2Mi'}}"), "" },
    { "launch security", TYPE("},'launchSecurity':{'sev':{}}"), " ! spec.launchSecurity of instance types is deprecated..." },
};

static const struct type_case preferences[] = {
    { "nothing", "{'metadata':{'name':'p'},'spec':{}}", "" },
    { "sockets", PREFERENCE("'preferredCPUTopology':'sockets'"), "" },
    { "cores", PREFERENCE("'preferredCPUTopology':'cores'"), "" },
    { "threads", PREFERENCE("'preferredCPUTopology':'threads'"), "" },
    { "spread", PREFERENCE("'preferredCPUTopology':'spread'"), "" },
    { "any", PREFERENCE("'preferredCPUTopology':'any'"), "" },
    { "preferSockets", PREFERENCE("'preferredCPUTopology':'preferSockets'"), RENAMED("preferSockets", "sockets") },
    { "preferCores", PREFERENCE("'preferredCPUTopology':'preferCores'"), RENAMED("preferCores", "cores") },
    { "preferThreads", PREFERENCE("'preferredCPUTopology':'preferThreads'"), RENAMED("preferThreads", "threads") },
    { "preferSpread", PREFERENCE("'preferredCPUTopology':'preferSpread'"), RENAMED("preferSpread", "spread") },
    { "preferAny", PREFERENCE("'preferredCPUTopology':'preferAny'"), RENAMED("preferAny", "any") },
    { "another topology", PREFERENCE("'preferredCPUTopology':'dies'"), "FieldValueInvalid spec.cpu.preferredCPUTopology" },
    { "across all", PREFERENCE("'spreadOptions':{'across':'SocketsCoresThreads','ratio':4}"), "" },
    { "across sockets and cores", PREFERENCE("'spreadOptions':{'across':'SocketsCores','ratio':3}"), "" },
    { "across cores and threads", PREFERENCE("'spreadOptions':{'across':'CoresThreads'}"), "" },
    { "two threads a core", PREFERENCE("'spreadOptions':{'across':'CoresThreads','ratio':2}"), "" },
    { "three threads a core", PREFERENCE("'spreadOptions':{'across':'CoresThreads','ratio':3}"), "FieldValueInvalid spec.cpu.spreadOptions.ratio" },
    { "three threads by the old field", "{'metadata':{'name':'p'},'spec':{'preferSpreadSocketToCoreRatio':3,'cpu':{'spreadOptions':{'across':'CoresThreads'}}}}",
      "FieldValueInvalid spec.cpu.spreadOptions.ratio" },
    { "across dies", PREFERENCE("'spreadOptions':{'across':'Dies'}"), "FieldValueInvalid spec.cpu.spreadOptions.across" },
    { "an unknown field", PREFERENCE("'guest':2"), "FieldValueForbidden spec.cpu.guest" },
};
// clang-format on

static void both_decide(const char *path, const char *cluster_path, const struct type_case *c)
{
    const struct question here = { path, .object = c->object };
    const struct question everywhere = { cluster_path, .object = c->object };
    scoped(free) char *got = decision_of(&here, NULL);
    scoped(free) char *also = decision_of(&everywhere, NULL);

    assert_decision(got, c->want);
    assert_decision(also, c->want);
}

static void type_decides(void **state)
{
    both_decide("/virtualmachineinstancetypes-validate",
                "/virtualmachineclusterinstancetypes-validate", *state);
}

static void preference_decides(void **state)
{
    both_decide("/virtualmachinepreferences-validate", "/virtualmachineclusterpreferences-validate",
                *state);
}

int main(void)
{
    return RUN_ROWS("instance types", types, type_decides) +
           RUN_ROWS("preferences", preferences, preference_decides);
}
