/* SPDX-License-Identifier: Apache-2.0 */
/* The KubeVirt object read: defaults, values, faults, gates, and the last good one kept. */
#include "kube/cluster_config.h"

#include <pthread.h>

#include "base/str.h"
#include "rows.h"

#define CONF(c) "{'spec':{'configuration':{" c "}}}"

static void defaults_are_upstreams(void **state)
{
    struct cluster_config *c = NULL;
    struct error e;
    assert_int_equal(cluster_config_new(&c, NULL, &e), 0);

    assert_false(c->use_emulation);
    assert_int_equal(c->memory_overcommit, 100);
    assert_int_equal(c->cpu_allocation_ratio, 10);
    assert_int_equal(c->disk_verification_bytes, 2097152000);
    assert_int_equal(quantity_milli(c->cpu_request), 100);
    assert_false(c->has_cpu_request);
    assert_string_equal(c->image_pull_policy, "IfNotPresent");
    assert_string_equal(c->eviction_strategy, "None");
    assert_string_equal(c->default_network_interface, "bridge");
    assert_true(c->permits_bridge_on_pod_network);
    assert_true(c->is_rollout_live);
    assert_int_equal(c->max_hotplug_ratio, 4);
    assert_int_equal(c->mem_balloon_stats_period_s, 10);
    assert_null(c->cpu_model);
    assert_null(c->seccomp_localhost_profile);
    assert_string_equal(cluster_config_machine_type(c, "amd64"), "q35");
    assert_string_equal(cluster_config_machine_type(c, "arm64"), "virt");
    assert_string_equal(cluster_config_ovmf_path(c, "s390x"), "");
    assert_string_equal(cluster_config_default_arch(c), "amd64");
    json_auto_t *globs = cluster_config_machine_globs(c, "amd64");
    json_auto_t *want = json_q("['q35*','pc-q35*']");
    assert_json(globs, want);
    cluster_config_unref(c);
}

static void values_are_read(void **state)
{
    json_auto_t *kubevirt = json_q(CONF(
        "'developerConfiguration':{'useEmulation':true,'memoryOvercommit':150,'cpuAllocationRatio':4,"
        "'nodeSelectors':{'a':'b'},'diskVerification':{'memoryLimit':'1Gi'}},"
        "'cpuRequest':'200m','evictionStrategy':'LiveMigrate','vmRolloutStrategy':'Stage',"
        "'liveUpdateConfiguration':{'maxHotplugRatio':2,'maxCpuSockets':8,'maxGuest':'8Gi'},"
        "'network':{'defaultNetworkInterface':'masquerade','permitBridgeInterfaceOnPodNetwork':false},"
        "'machineType':'pc-q35-7.2','architectureConfiguration':{'arm64':{'machineType':'virt-9',"
        "'emulatedMachines':['virt-9*']},'defaultArchitecture':'arm64'},"
        "'additionalGuestMemoryOverheadRatio':'1.25'"));
    struct cluster_config *c = NULL;
    struct error e;
    assert_int_equal(cluster_config_new(&c, kubevirt, &e), 0);

    assert_true(c->use_emulation);
    assert_int_equal(c->memory_overcommit, 150);
    assert_int_equal(c->cpu_allocation_ratio, 4);
    assert_int_equal(json_object_size(c->node_selectors), 1);
    assert_int_equal(c->disk_verification_bytes, 1 << 30);
    assert_int_equal(quantity_milli(c->cpu_request), 200);
    assert_true(c->has_cpu_request);
    assert_string_equal(c->eviction_strategy, "LiveMigrate");
    assert_false(c->is_rollout_live);
    assert_int_equal(c->max_cpu_sockets, 8);
    assert_true(c->has_max_guest);
    assert_string_equal(c->default_network_interface, "masquerade");
    assert_false(c->permits_bridge_on_pod_network);
    assert_string_equal(cluster_config_machine_type(c, "amd64"), "pc-q35-7.2");
    assert_string_equal(cluster_config_machine_type(c, "arm64"), "virt-9");
    assert_string_equal(cluster_config_default_arch(c), "arm64");
    assert_true(c->overhead_ratio > 1.24 && c->overhead_ratio < 1.26);
    json_auto_t *globs = cluster_config_machine_globs(c, "arm64");
    assert_int_equal(json_array_size(globs), 1);
    cluster_config_unref(c);
}

static const struct fault_case {
    const char *name; /* the path that the message must name */
    const char *kubevirt;
} fault_cases[] = {
    { "spec.configuration", "[]" },
    { "spec.configuration", "{'spec':'x'}" },
    { "spec.configuration", "{'spec':{'configuration':3}}" },
    { "developerConfiguration.memoryOvercommit",
      CONF("'developerConfiguration':{'memoryOvercommit':5}") },
    { "developerConfiguration.memoryOvercommit",
      CONF("'developerConfiguration':{'memoryOvercommit':'100'}") },
    { "developerConfiguration.cpuAllocationRatio",
      CONF("'developerConfiguration':{'cpuAllocationRatio':0}") },
    { "developerConfiguration.useEmulation",
      CONF("'developerConfiguration':{'useEmulation':'yes'}") },
    { "cpuRequest", CONF("'cpuRequest':'lots'") },
    { "cpuRequest", CONF("'cpuRequest':'-1'") },
    { "evictionStrategy", CONF("'evictionStrategy':{}") },
    { "additionalGuestMemoryOverheadRatio", CONF("'additionalGuestMemoryOverheadRatio':'much'") },
    { "additionalGuestMemoryOverheadRatio", CONF("'additionalGuestMemoryOverheadRatio':'nan'") },
    { "liveUpdateConfiguration.maxGuest", CONF("'liveUpdateConfiguration':{'maxGuest':true}") },
};

static void faults_are_named(void **state)
{
    const struct fault_case *c = *state;
    json_auto_t *kubevirt = json_q(c->kubevirt);
    struct cluster_config *config = NULL;
    struct error e;
    assert_int_equal(cluster_config_new(&config, kubevirt, &e), -ERR_INVALID);
    assert_null(config);
    assert_non_null(strstr(e.msg, c->name));
}

static const struct gate_case {
    const char *name, *kubevirt, *gate;
    bool want;
} gate_cases[] = {
    { "GA is on", NULL, "NUMA", true },
    { "GA cannot be disabled", CONF("'developerConfiguration':{'disabledFeatureGates':['NUMA']}"),
      "NUMA", true },
    { "beta is on", NULL, "ImageVolume", true },
    { "beta can be disabled",
      CONF("'developerConfiguration':{'disabledFeatureGates':['ImageVolume']}"), "ImageVolume",
      false },
    { "an enable wins",
      CONF(
          "'developerConfiguration':{'featureGates':['ImageVolume'],'disabledFeatureGates':['ImageVolume']}"),
      "ImageVolume", true },
    { "alpha is off", NULL, "HostDisk", false },
    { "alpha when listed", CONF("'developerConfiguration':{'featureGates':['HostDisk']}"),
      "HostDisk", true },
    { "discontinued stays off", CONF("'developerConfiguration':{'featureGates':['Passt']}"),
      "Passt", false },
    { "a list that is none", CONF("'developerConfiguration':{'featureGates':'HostDisk'}"),
      "HostDisk", false },
};

static void gates(void **state)
{
    const struct gate_case *c = *state;
    json_auto_t *kubevirt = json_q(c->kubevirt);
    struct cluster_config *config = NULL;
    struct error e;
    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    assert_int_equal(cluster_config_gate(config, c->gate), c->want);
    cluster_config_unref(config);
}

static int overcommit(struct cluster_config_store *s)
{
    struct cluster_config *c = cluster_config_store_get(s);
    int n = c->memory_overcommit;
    cluster_config_unref(c);
    return n;
}

static void the_last_good_one_stays(void **state)
{
    struct cluster_config_store *s = cluster_config_store_new();
    json_auto_t *good = json_q(CONF("'developerConfiguration':{'memoryOvercommit':150}"));
    json_auto_t *bad = json_q(CONF("'developerConfiguration':{'memoryOvercommit':1}"));
    struct error e;

    assert_int_equal(overcommit(s), 100);
    assert_int_equal(cluster_config_store_set(s, good, &e), 0);
    struct cluster_config *held = cluster_config_store_get(s);
    assert_int_equal(cluster_config_store_set(s, bad, &e), -ERR_INVALID);
    assert_int_equal(overcommit(s), 150);
    assert_int_equal(cluster_config_store_set(s, NULL, &e), 0);
    assert_int_equal(overcommit(s), 100);
    assert_int_equal(held->memory_overcommit, 150); /* who holds one keeps it whole */
    cluster_config_unref(held);
    cluster_config_store_free(s);
}

static void *overcommit_of_a_thread(void *s)
{
    return (void *)(intptr_t)overcommit(s);
}

/* What a thread keeps for itself is of one store, and never older than what it asks for. */
static void each_thread_sees_the_current_one(void **state)
{
    struct cluster_config_store *s = cluster_config_store_new();
    struct error e;

    for (int percent = 100; percent < 120; percent++) {
        json_auto_t *kubevirt = must_pack("{s:{s:{s:{s:i}}}}", "spec", "configuration",
                                          "developerConfiguration", "memoryOvercommit", percent);
        struct cluster_config_store *other = cluster_config_store_new();
        pthread_t thread;
        void *seen;

        assert_int_equal(cluster_config_store_set(s, kubevirt, &e), 0);
        assert_int_equal(pthread_create(&thread, NULL, overcommit_of_a_thread, s), 0);
        assert_int_equal(overcommit(s), percent);
        assert_int_equal(overcommit(other), 100);
        assert_int_equal(overcommit(s), percent);
        assert_int_equal(pthread_join(thread, &seen), 0);
        assert_int_equal((intptr_t)seen, percent);
        cluster_config_store_free(other);
    }
    cluster_config_store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thread_sees_the_current_one),
        cmocka_unit_test(defaults_are_upstreams),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(the_last_good_one_stays),
    };
    int failed = cmocka_run_group_tests_name("cluster_config", tests, NULL, NULL);
    failed += RUN_ROWS("cluster_config faults", fault_cases, faults_are_named);
    failed += RUN_ROWS("cluster_config gates", gate_cases, gates);
    return failed;
}
