/* SPDX-License-Identifier: Apache-2.0 */
/* Which pods may be evicted, and what is written on the instances of those that may not yet. */
#include "test/fake/kube.h"
#include "reviews.h"

#define EVICTION(name) "{'kind':'Eviction','metadata':{'name':'" name "','namespace':'ns'}}"
#define BY_DESCHEDULER                                                          \
    "{'kind':'Eviction','metadata':{'name':'virt-launcher-m','namespace':'ns'," \
    "'annotations':{'requested-by':'sigs.k8s.io/descheduler'}}}"
#define DRY                                                                      \
    "{'kind':'Eviction','metadata':{'name':'virt-launcher-m','namespace':'ns'}," \
    "'deleteOptions':{'dryRun':['All']}}"

#define POD(name, label, more)                                                        \
    "{'metadata':{'name':'" name "','namespace':'ns','labels':{'kubevirt.io':'" label \
    "'},'annotations':{'kubevirt.io/domain':'m'}" more "},'spec':{'nodeName':'n1'},"
#define LAUNCHER(phase) \
    POD("virt-launcher-m", "virt-launcher", ",'uid':'p1'") "'status':{'phase':'" phase "'}}"
#define ATTACHMENT(owners) \
    POD("hp-volume-x", "hotplug-disk", ",'ownerReferences':[" owners "]") "'status':{}}"
#define OWNER(uid) "{'kind':'Pod','name':'virt-launcher-m','uid':'" uid "'}"

#define VMI(strategy, migratable, more)                                                        \
    "{'metadata':{'name':'m','namespace':'ns','uid':'v1'},'spec':{" strategy                   \
    "},'status':{'nodeName':'n1','conditions':[{'type':'LiveMigratable','status':'" migratable \
    "'}]" more "}}"
#define STRATEGY(s) "'evictionStrategy':'" s "'"
#define ANNOTATED                                                                           \
    "{'metadata':{'name':'m','namespace':'ns','uid':'v1','annotations':{'a':'b'}},'spec':{" \
    "'evictionStrategy':'External'},'status':{'nodeName':'n1'}}"

#define MARKED "429 Eviction triggered evacuation of VMI \"ns/m\""
#define CANNOT "429 VMI \"ns/m\" has the eviction strategy LiveMigrate but cannot migrate..."
#define CLUSTER(s) "{'evictionStrategy':'" s "'}"

// clang-format off
static const struct eviction_case {
    const char *name;
    const char *eviction, *request, *config;
    const char *pod, *vmi, *launcher;
    const char *want;
    const char *node; /* that the instance is marked with afterwards, NULL: none */
} cases[] = {
    { "a pod of somebody else", EVICTION("web"), NULL, NULL, NULL, NULL, NULL, "", NULL },
    { "a pod that is not there", EVICTION("virt-launcher-m"), NULL, NULL, NULL, NULL, NULL, "", NULL },
    { "the name of a launcher alone", EVICTION("virt-launcher-m"), NULL, NULL,
      POD("virt-launcher-m", "other", "") "'status':{}}", VMI(STRATEGY("LiveMigrate"), "True", ""), NULL, "", NULL },
    { "no strategy", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"), VMI("", "True", ""), NULL, "", NULL },
    { "strategy None", EVICTION("virt-launcher-m"), NULL, CLUSTER("LiveMigrate"), LAUNCHER("Running"), VMI(STRATEGY("None"), "True", ""), NULL, "", NULL },
    { "the cluster's strategy", EVICTION("virt-launcher-m"), NULL, CLUSTER("LiveMigrate"), LAUNCHER("Running"), VMI("", "True", ""), NULL, MARKED, "n1" },
    { "LiveMigrate", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"), VMI(STRATEGY("LiveMigrate"), "True", ""), NULL, MARKED, "n1" },
    { "LiveMigrate of what cannot", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"), VMI(STRATEGY("LiveMigrate"), "False", ""), NULL, CANNOT, NULL },
    { "LiveMigrateIfPossible", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"), VMI(STRATEGY("LiveMigrateIfPossible"), "True", ""), NULL, MARKED, "n1" },
    { "LiveMigrateIfPossible of what cannot", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"),
      VMI(STRATEGY("LiveMigrateIfPossible"), "False", ""), NULL, "", NULL },
    { "External", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"), VMI(STRATEGY("External"), "False", ""), NULL, MARKED, "n1" },
    { "marked before", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"),
      VMI(STRATEGY("LiveMigrate"), "True", ",'evacuationNodeName':'n1'"), NULL,
      "429 Evacuation in progress: Eviction triggered evacuation of VMI \"ns/m\"", "n1" },
    { "the pod that it migrates to", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"),
      "{'metadata':{'name':'m','namespace':'ns','uid':'v1'},'spec':{'evictionStrategy':'External'},'status':{'nodeName':'n2'}}", NULL,
      "429 Eviction request for target Pod", NULL },
    { "a launcher that is done", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Succeeded"), VMI(STRATEGY("LiveMigrate"), "True", ""), NULL, "", NULL },
    { "a launcher that failed", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Failed"), VMI(STRATEGY("LiveMigrate"), "True", ""), NULL, "", NULL },
    { "its instance is gone", EVICTION("virt-launcher-m"), NULL, NULL, LAUNCHER("Running"), NULL, NULL, "", NULL },

    { "an attachment", EVICTION("hp-volume-x"), NULL, NULL, ATTACHMENT(OWNER("p1")), VMI("", "True", ""), LAUNCHER("Running"),
      "429 pod hp-volume-x holds volumes of VMI \"ns/m\": it goes with pod virt-launcher-m", NULL },
    { "its launcher is done", EVICTION("hp-volume-x"), NULL, NULL, ATTACHMENT(OWNER("p1")), VMI("", "True", ""), LAUNCHER("Failed"), "", NULL },
    { "its launcher is gone", EVICTION("hp-volume-x"), NULL, NULL, ATTACHMENT(OWNER("p1")), VMI("", "True", ""), NULL, "", NULL },
    { "its launcher is another of that name", EVICTION("hp-volume-x"), NULL, NULL, ATTACHMENT(OWNER("p0")), VMI("", "True", ""), LAUNCHER("Running"), "", NULL },
    { "an attachment without instance", EVICTION("hp-volume-x"), NULL, NULL, ATTACHMENT(OWNER("p1")), NULL, LAUNCHER("Running"), "", NULL },
    { "an attachment of nobody", EVICTION("hp-volume-x"), NULL, NULL, ATTACHMENT(""), VMI("", "True", ""), LAUNCHER("Running"), "", NULL },
    { "an attachment of two", EVICTION("hp-volume-x"), NULL, NULL, ATTACHMENT(OWNER("p1") "," OWNER("p1")), VMI("", "True", ""), LAUNCHER("Running"), "", NULL },
};
// clang-format on

static struct fake_kube *cluster_of(const char *pod, const char *vmi, const char *launcher)
{
    struct fake_kube *fake = fake_kube_start();

    if (pod)
        (void)fake_kube_put(fake, &KIND_POD, json_q(pod));
    if (launcher)
        (void)fake_kube_put(fake, &KIND_POD, json_q(launcher));
    if (vmi)
        (void)fake_kube_put(fake, &KIND_VMI, json_q(vmi));
    return fake;
}

static char *evict(struct fake_kube *fake, const char *eviction, const char *request,
                   const char *config)
{
    const struct question q = { "/pod-eviction-validate", .object = eviction, .request = request,
                                .config = config };

    return decision_of(&q, fake_kube_client(fake));
}

static void decides(void **state)
{
    const struct eviction_case *c = *state;
    struct fake_kube *fake = cluster_of(c->pod, c->vmi, c->launcher);
    scoped(free) char *got = evict(fake, c->eviction, c->request, c->config);
    json_auto_t *vmi = fake_kube_get(fake, &KIND_VMI, "ns", "m");

    assert_decision(got, c->want);
    assert_string_equal(jpath_str(vmi, "status.evacuationNodeName", ""), c->node ? c->node : "");
    fake_kube_free(fake);
}

static void others_pods_are_not_looked_at(void **state)
{
    struct fake_kube *fake = cluster_of(NULL, NULL, NULL);
    scoped(free) char *got = evict(fake, EVICTION("web"), NULL, NULL);

    (void)state;
    assert_string_equal(got, "");
    assert_int_equal(fake_kube_asked(fake, "/"), 0);
    fake_kube_free(fake);
}

/* Both ways to ask for a rehearsal. */
static void rehearsals_stay_without_trace(void **state)
{
    static const char *const rows[][2] = { { DRY, NULL },
                                           { EVICTION("virt-launcher-m"), "{'dryRun':true}" } };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct fake_kube *fake = cluster_of(LAUNCHER("Running"), ANNOTATED, NULL);
        scoped(free) char *got = evict(fake, rows[i][0], rows[i][1], NULL);

        assert_string_equal(got, MARKED);
        assert_int_equal(fake_kube_asked(fake, "PATCH"), 1);
        assert_int_equal(fake_kube_asked(fake, "dryRun=All"), 1);
        fake_kube_free(fake);
    }
}

static void the_descheduler_is_named(void **state)
{
    static const char *const vmis[] = { ANNOTATED, VMI(STRATEGY("External"), "True", "") };

    (void)state;
    for (size_t i = 0; i < countof(vmis); i++) {
        struct fake_kube *fake = cluster_of(LAUNCHER("Running"), vmis[i], NULL);
        scoped(free) char *got = evict(fake, BY_DESCHEDULER, NULL, NULL);
        json_auto_t *vmi = fake_kube_get(fake, &KIND_VMI, "ns", "m");

        assert_string_equal(got, MARKED);
        assert_string_equal(meta_annotation(vmi, "kubevirt.io/eviction-source"), "descheduler");
        assert_string_equal(i == 0 ? meta_annotation(vmi, "a") : "b", "b");
        fake_kube_free(fake);
    }
}

// clang-format off
static const struct fault_case {
    const char *name;
    const char *match;
    int status;
    const char *want;
} faults[] = {
    { "the pod may not be read", "pods/virt-launcher-m", 403, "" },
    { "the pod cannot be told", "pods/virt-launcher-m", 503, "429 cannot read pod virt-launcher-m, try again: ..." },
    { "the instance cannot be told", "GET /apis/kubevirt.io", 500, "429 cannot read VMI m, try again: ..." },
    { "the mark cannot be set", "PATCH", 409, "429 cannot mark VMI \"ns/m\" for evacuation: ..." },
};
// clang-format on

static void faults_keep_the_machine(void **state)
{
    const struct fault_case *c = *state;
    struct fake_kube *fake = cluster_of(LAUNCHER("Running"), ANNOTATED, NULL);

    fake_kube_fail(fake, c->match, c->status, -1, -1);
    scoped(free) char *got = evict(fake, EVICTION("virt-launcher-m"), NULL, NULL);
    assert_decision(got, c->want);
    fake_kube_free(fake);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(others_pods_are_not_looked_at),
        cmocka_unit_test(rehearsals_stay_without_trace),
        cmocka_unit_test(the_descheduler_is_named),
    };

    return RUN_ROWS("eviction", cases, decides) +
           RUN_ROWS("faults", faults, faults_keep_the_machine) +
           cmocka_run_group_tests_name("eviction writes", others, NULL, NULL);
}
