/* SPDX-License-Identifier: Apache-2.0 */
/* Instance types and preferences that machines name: what is kept of them, and that no machine
 * starts without. */
#include "controller/vm_types.h"

#include "base/jpath.h"
#include "base/str.h"
#include "controller/controllers.h"
#include "rows.h"
#include "test/fake/kube.h"

enum { WAIT_MS = FAKE_PATIENCE_MS };

/* ---- what is kept ---- */

#define VM(spec) "{'metadata':{'name':'vm','namespace':'ns','uid':'v'},'spec':{" spec "}}"
#define SMALL \
    "{'metadata':{'name':'small','namespace':'ns','uid':'t','generation':2},'spec':{'cpu':{'guest':2}},'x':1}"

static const struct keep_case {
    const char *name, *vm, *path, *want;
} keep_cases[] = {
    { "its name", VM("'instancetype':{'name':'small','kind':'virtualmachineinstancetype'}"),
      "metadata.name", "'vm-small-v1beta1-t-2'" },
    { "the machine owns it", VM("'instancetype':{'name':'small'}"),
      "metadata.ownerReferences[0].uid", "'v'" },
    { "the type as it is",
      VM("'instancetype':{'name':'small','kind':'VirtualMachineInstancetype'}"), "data",
      "{'apiVersion':'instancetype.kubevirt.io/v1beta1','kind':'VirtualMachineInstancetype','metadata':{'name':'small','uid':'t','generation':2},"
      "'spec':{'cpu':{'guest':2}}}" },
    { "the cluster's when no kind is said", VM("'instancetype':{'name':'small'}"), "data.kind",
      "'VirtualMachineClusterInstancetype'" },
    { "labels of it", VM("'instancetype':{'name':'small'}"), "metadata.labels",
      "{'instancetype.kubevirt.io/object-generation':'2','instancetype.kubevirt.io/object-kind':'VirtualMachineClusterInstancetype',"
      "'instancetype.kubevirt.io/object-name':'small','instancetype.kubevirt.io/object-uid':'t','instancetype.kubevirt.io/object-version':'v1beta1'}" },
};

static void keeps(void **state)
{
    const struct keep_case *c = *state;
    json_auto_t *vm = json_q(c->vm);
    json_auto_t *type = json_q(SMALL);
    json_auto_t *revision = type_revision(MATCHER_INSTANCETYPE, vm, type);
    json_auto_t *want = json_q(c->want);

    assert_json(jpath(revision, c->path), want);
}

static const struct matcher_case {
    const char *name, *vm;
    const char *key, *revision; /* of the instance type; NULL: none */
} matcher_cases[] = {
    { "none", VM(""), NULL, "" },
    { "of the cluster", VM("'instancetype':{'name':'small'}"),
      "virtualmachineclusterinstancetypes/small", "" },
    { "of the namespace, by plural",
      VM("'instancetype':{'name':'small','kind':'virtualmachineinstancetypes'}"),
      "virtualmachineinstancetypes/ns/small", "" },
    { "a kind that is none", VM("'instancetype':{'name':'small','kind':'Pod'}"), NULL, "" },
    { "a revision of the user's", VM("'instancetype':{'name':'small','revisionName':'r'}"),
      "virtualmachineclusterinstancetypes/small", "r" },
    { "the one that was taken",
      "{'metadata':{'namespace':'ns'},'spec':{'instancetype':{'name':'small'}},'status':{'instancetypeRef':{'name':'small',"
      "'kind':'virtualmachineclusterinstancetype','controllerRevisionRef':{'name':'r'}}}}",
      "virtualmachineclusterinstancetypes/small", "r" },
    { "what was taken is of another name",
      "{'metadata':{'namespace':'ns'},'spec':{'instancetype':{'name':'large'}},'status':{'instancetypeRef':{'name':'small',"
      "'controllerRevisionRef':{'name':'r'}}}}",
      "virtualmachineclusterinstancetypes/large", "" },
    { "what was taken is of another kind",
      "{'metadata':{'namespace':'ns'},'spec':{'instancetype':{'name':'small'}},'status':{'instancetypeRef':{'name':'small',"
      "'kind':'virtualmachineinstancetype','controllerRevisionRef':{'name':'r'}}}}",
      "virtualmachineclusterinstancetypes/small", "" },
};

static void matches(void **state)
{
    const struct matcher_case *c = *state;
    json_auto_t *vm = json_q(c->vm);
    scoped(free) char *key = index_vm_by_instancetype(vm);

    assert_true(streq(key, c->key));
    assert_string_equal(matcher_revision(MATCHER_INSTANCETYPE, vm), c->revision);
    assert_null(index_vm_by_preference(vm));
}

/* ---- the controller, on an API server ---- */

struct cluster {
    struct fake_kube *fake;
    struct settings settings;
    struct context ctx;
    struct controllers *controllers;
};

static bool is_synced(void *arg)
{
    return controllers_are_synced(((struct cluster *)arg)->controllers);
}

static int start_cluster(void **state)
{
    struct cluster *c = must_calloc(1, sizeof(*c));

    c->fake = fake_kube_start();
    c->settings = (struct settings){ .launcher_image = "i",
                                     .image_pull_secret = "",
                                     .share_dir = "/s",
                                     .ephemeral_disk_dir = "/e",
                                     .container_disk_dir = "/c",
                                     .hotplug_disk_dir = "/h",
                                     .vm_threads = 1,
                                     .vmi_threads = 1,
                                     .rs_threads = 1,
                                     .node_threads = 1,
                                     .is_cert_rotation_off = true };
    c->ctx = (struct context){ .settings = &c->settings,
                               .namespace = "kubevirt",
                               .clock = &clock_real,
                               .kube = fake_kube_client(c->fake) };
    c->controllers = controllers_new(&c->ctx);
    assert_true(fake_wait(is_synced, c, WAIT_MS));
    controllers_start(c->controllers);
    *state = c;
    return 0;
}

static int stop_cluster(void **state)
{
    struct cluster *c = *state;

    controllers_free(c->controllers);
    fake_kube_free(c->fake);
    free(c);
    return 0;
}

static void put_vm(struct cluster *c, const char *name, const char *matchers, const char *spec)
{
    json_t *vm =
        json_q("{'metadata':{'namespace':'ns','generation':1},'spec':{'runStrategy':'Always'}}");
    json_auto_t *more = json_q(matchers);

    jpath_set_str(vm, "metadata.name", name);
    jpath_set_str(vm, "metadata.uid", name);
    must(json_object_update(json_object_get(vm, "spec"), more) == 0);
    jpath_set(vm, "spec.template.spec", json_q(spec));
    (void)fake_kube_put(c->fake, &KIND_VM, vm);
}

/* An instance type of 4 processors and 1Gi, and a preference for cores and virtio. */
static void put_types(struct cluster *c)
{
    (void)fake_kube_put(
        c->fake, &KIND_INSTANCETYPE,
        json_q(
            "{'metadata':{'name':'small','namespace':'ns','uid':'t','generation':1},'spec':{'cpu':{'guest':4},"
            "'memory':{'guest':'1Gi'}}}"));
    (void)fake_kube_put(
        c->fake, &KIND_CLUSTER_PREFERENCE,
        json_q(
            "{'metadata':{'name':'linux','uid':'p','generation':1},'spec':{'cpu':{'preferredCPUTopology':'cores'},"
            "'devices':{'preferredDiskBus':'virtio','preferredAutoattachInputDevice':true,'preferredInputBus':'virtio'}}}"));
}

#define BOTH \
    "{'instancetype':{'name':'small','kind':'VirtualMachineInstancetype'},'preference':{'name':'linux'}}"
#define WITH_VOLUME "{'volumes':[{'name':'root','emptyDisk':{}}]}"

/* What a test waits for: a machine's Failure message to contain this, or an instance of its name.
 */
struct wanted {
    struct cluster *cluster;
    const char *vm, *words;
};

static bool is_told(void *arg)
{
    const struct wanted *w = arg;
    json_auto_t *vm = fake_kube_get(w->cluster->fake, &KIND_VM, "ns", w->vm);
    const json_t *failure = condition_find(vm, "Failure");

    return streq(jpath_str(failure, "reason", ""), "FailedCreate") &&
           strstr(jpath_str(failure, "message", ""), w->words);
}

static bool is_started(void *arg)
{
    const struct wanted *w = arg;
    json_auto_t *vmi = fake_kube_get(w->cluster->fake, &KIND_VMI, "ns", w->vm);

    return vmi != NULL;
}

static void assert_at(struct cluster *c, const struct kube_kind *kind, const char *name,
                      const char *path, const char *want)
{
    json_auto_t *object = fake_kube_get(c->fake, kind, "ns", name);
    json_auto_t *value = json_q(want);

    assert_json(jpath(object, path), value);
}

static void missing_starts_nothing_until_it_is_there(void **state)
{
    struct cluster *c = *state;
    struct wanted w = { c, "waits", "instance type \"small\"" };

    put_vm(c, "waits", BOTH, WITH_VOLUME);
    assert_true(fake_wait(is_told, &w, WAIT_MS));
    assert_false(is_started(&w));

    put_types(c);
    assert_true(fake_wait(is_started, &w, WAIT_MS));
    assert_at(c, &KIND_VMI, "waits", "spec.domain.cpu", "{'sockets':1,'cores':4,'threads':1}");
    assert_at(c, &KIND_VMI, "waits", "spec.domain.memory.guest", "'1Gi'");
    assert_at(c, &KIND_VMI, "waits", "spec.domain.devices.disks",
              "[{'name':'root','disk':{'bus':'virtio'}}]");
    assert_at(c, &KIND_VMI, "waits", "spec.domain.devices.inputs",
              "[{'name':'default-0','bus':'virtio','type':'tablet'}]");
    assert_at(c, &KIND_VMI, "waits", "metadata.annotations['kubevirt.io/instancetype-name']",
              "'small'");
    assert_at(c, &KIND_VMI, "waits", "metadata.annotations['kubevirt.io/cluster-preference-name']",
              "'linux'");
    assert_at(
        c, &KIND_VM, "waits", "status.instancetypeRef",
        "{'name':'small','kind':'VirtualMachineInstancetype','controllerRevisionRef':{'name':'waits-small-v1beta1-t-1'}}");
    assert_at(c, &KIND_VM, "waits", "status.preferenceRef",
              "{'name':'linux','controllerRevisionRef':{'name':'waits-linux-v1beta1-p-1'}}");
    assert_at(c, &KIND_CONTROLLER_REVISION, "waits-small-v1beta1-t-1", "data.spec.cpu.guest", "4");
}

static void conflict_starts_nothing(void **state)
{
    struct cluster *c = *state;
    struct wanted w = { c, "conflicts", "spec.template.spec.domain.cpu.cores" };

    put_types(c);
    put_vm(c, "conflicts", BOTH, "{'domain':{'cpu':{'cores':2}}}");
    assert_true(fake_wait(is_told, &w, WAIT_MS));
    assert_false(is_started(&w));
}

static void requirement_starts_nothing(void **state)
{
    struct cluster *c = *state;
    struct wanted w = { c, "hungry", "8 processors are needed" };

    put_types(c);
    (void)fake_kube_put(
        c->fake, &KIND_PREFERENCE,
        json_q(
            "{'metadata':{'name':'big','namespace':'ns','uid':'b'},'spec':{'requirements':{'cpu':{'guest':8}}}}"));
    put_vm(c, "hungry",
           "{'instancetype':{'name':'small','kind':'VirtualMachineInstancetype'},"
           "'preference':{'name':'big','kind':'VirtualMachinePreference'}}",
           WITH_VOLUME);
    assert_true(fake_wait(is_told, &w, WAIT_MS));
    assert_false(is_started(&w));
}

static void starts_come_from_the_revision(void **state)
{
    struct cluster *c = *state;
    struct wanted w = { c, "keeps", "" };

    (void)fake_kube_put(
        c->fake, &KIND_CONTROLLER_REVISION,
        json_q(
            "{'metadata':{'name':'mine','namespace':'ns'},'data':{'kind':'VirtualMachineClusterInstancetype',"
            "'spec':{'cpu':{'guest':3},'memory':{'guest':'3Gi'}}}}"));
    put_vm(c, "keeps", "{'instancetype':{'name':'gone','revisionName':'mine'}}", "{}");
    assert_true(fake_wait(is_started, &w, WAIT_MS));
    assert_at(c, &KIND_VMI, "keeps", "spec.domain.cpu.sockets", "3");
    assert_at(c, &KIND_VM, "keeps", "status.instancetypeRef.controllerRevisionRef.name", "'mine'");
}

static void revision_of_something_else_starts_nothing(void **state)
{
    struct cluster *c = *state;
    struct wanted w = { c, "odd", "does not hold" };

    (void)fake_kube_put(
        c->fake, &KIND_CONTROLLER_REVISION,
        json_q("{'metadata':{'name':'odd','namespace':'ns'},'data':{'kind':'Pod','spec':{}}}"));
    put_vm(c, "odd", "{'instancetype':{'name':'x','revisionName':'odd'}}", "{}");
    assert_true(fake_wait(is_told, &w, WAIT_MS));
    assert_false(is_started(&w));
}

static void revision_without_sense_starts_nothing(void **state)
{
    struct cluster *c = *state;
    struct wanted w = { c, "senseless", "preference.spec.features.preferredAcpi" };

    (void)fake_kube_put(
        c->fake, &KIND_CONTROLLER_REVISION,
        json_q("{'metadata':{'name':'senseless','namespace':'ns'},'data':{'spec':{'features':"
               "{'preferredAcpi':'x'},'ofLaterVersions':1}}}"));
    put_vm(c, "senseless", "{'preference':{'name':'x','revisionName':'senseless'}}", "{}");
    assert_true(fake_wait(is_told, &w, WAIT_MS));
    assert_false(is_started(&w));
}

static bool was_refused(void *arg)
{
    const struct wanted *w = arg;

    return fake_kube_asked(w->cluster->fake, w->words) >= 2;
}

static void revision_of_an_earlier_machine_is_waited_for(void **state)
{
    struct cluster *c = *state;
    struct wanted w = { c, "again",
                        "GET /apis/apps/v1/namespaces/ns/controllerrevisions/again-small" };

    (void)fake_kube_put(
        c->fake, &KIND_CONTROLLER_REVISION,
        json_q(
            "{'metadata':{'name':'again-small-v1beta1-t-1','namespace':'ns','ownerReferences':"
            "[{'kind':'VirtualMachine','name':'again','uid':'earlier','controller':true}]},'data':{}}"));
    put_types(c);
    put_vm(c, "again", "{'instancetype':{'name':'small','kind':'VirtualMachineInstancetype'}}",
           WITH_VOLUME);
    assert_true(fake_wait(was_refused, &w, WAIT_MS));
    assert_false(is_started(&w));
    fake_kube_remove(c->fake, &KIND_CONTROLLER_REVISION, "ns", "again-small-v1beta1-t-1");
    assert_true(fake_wait(is_started, &w, WAIT_MS));
    assert_at(c, &KIND_CONTROLLER_REVISION, "again-small-v1beta1-t-1",
              "metadata.ownerReferences[0].uid", "'again'");
}

static bool expands(void *arg)
{
    const struct cluster *c = arg;
    struct cluster_config *config = cluster_config_store_get(c->ctx.config);
    bool is_known = jpath_has(config->configuration, "instancetype.referencePolicy");

    cluster_config_unref(config);
    return is_known;
}

static void values_replace_references_when_configured(void **state)
{
    struct cluster *c = *state;
    struct wanted w = { c, "whole", "" };

    (void)fake_kube_put(
        c->fake, &KIND_KUBEVIRT,
        json_q("{'metadata':{'name':'kubevirt','namespace':'kubevirt'},'spec':{'configuration':"
               "{'instancetype':{'referencePolicy':'expand'}}}}"));
    assert_true(fake_wait(expands, c, WAIT_MS));
    put_types(c);
    put_vm(c, "whole", BOTH, WITH_VOLUME);
    assert_true(fake_wait(is_started, &w, WAIT_MS));
    assert_at(c, &KIND_VM, "whole", "spec.instancetype", NULL);
    assert_at(c, &KIND_VM, "whole", "spec.preference", NULL);
    assert_at(c, &KIND_VM, "whole", "status.instancetypeRef", NULL);
    assert_at(c, &KIND_VM, "whole", "spec.template.spec.domain.cpu",
              "{'sockets':1,'cores':4,'threads':1}");
    assert_at(c, &KIND_VMI, "whole", "spec.domain.cpu.cores", "4");
    assert_at(c, &KIND_VMI, "whole", "metadata.annotations['kubevirt.io/instancetype-name']", NULL);
}

static const struct expand_case {
    const char *name, *policy, *vm;
    bool want;
} expand_cases[] = {
    { "by default the reference is kept", "{}", VM("'instancetype':{'name':'x'}"), false },
    { "reference", "{'referencePolicy':'reference'}", VM("'instancetype':{'name':'x'}"), false },
    { "expand", "{'referencePolicy':'expand'}", VM("'preference':{'name':'x'}"), true },
    { "expand, nothing to", "{'referencePolicy':'expand'}", VM(""), false },
    { "expand, but not a revision", "{'referencePolicy':'expand'}",
      VM("'instancetype':{'name':'x','revisionName':'r'}"), false },
    { "expandAll, a revision too", "{'referencePolicy':'expandAll'}",
      VM("'instancetype':{'name':'x','revisionName':'r'}"), true },
};

static void is_expanded(void **state)
{
    const struct expand_case *c = *state;
    json_auto_t *vm = json_q(c->vm);
    json_auto_t *kubevirt = json_object();
    struct cluster_config *config = NULL;
    struct error e;

    jpath_set(kubevirt, "spec.configuration.instancetype", json_q(c->policy));
    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    assert_int_equal(vm_types_are_expanded(vm, config), c->want);
    cluster_config_unref(config);
}

#define CLUSTER_TEST(fn) cmocka_unit_test_setup_teardown(fn, start_cluster, stop_cluster)

int main(void)
{
    static const struct CMUnitTest on_cluster[] = {
        CLUSTER_TEST(missing_starts_nothing_until_it_is_there),
        CLUSTER_TEST(conflict_starts_nothing),
        CLUSTER_TEST(requirement_starts_nothing),
        CLUSTER_TEST(starts_come_from_the_revision),
        CLUSTER_TEST(revision_of_something_else_starts_nothing),
        CLUSTER_TEST(values_replace_references_when_configured),
        CLUSTER_TEST(revision_without_sense_starts_nothing),
        CLUSTER_TEST(revision_of_an_earlier_machine_is_waited_for),
    };
    int failed = RUN_ROWS("type_revision", keep_cases, keeps);

    failed += RUN_ROWS("matcher", matcher_cases, matches);
    failed += RUN_ROWS("referencePolicy", expand_cases, is_expanded);
    return failed + cmocka_run_group_tests_name("vm_types on a cluster", on_cluster, NULL, NULL);
}
