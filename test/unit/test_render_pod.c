/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher's pod: against what upstream makes of the same instances (only
 * the parts that are meant to be equal), and against golden files of whole pods
 * (UPDATE=1 rewrites them).
 */
#include "controller/render_pod.h"

#include <stdio.h>

#include "base/jpath.h"
#include "base/quantity.h"
#include "base/str.h"
#include "rows.h"

#define GOLDEN "test/golden/controller/"

static const struct settings settings = {
    .launcher_image = "localhost/virt-launcher:1",
    .image_pull_secret = "",
    .launcher_qemu_timeout_s = 240,
    .share_dir = "/var/run/kubevirt",
    .ephemeral_disk_dir = "/var/run/kubevirt-ephemeral-disks",
    .container_disk_dir = "/var/run/kubevirt/container-disks",
    .hotplug_disk_dir = "/var/run/kubevirt/hotplug-disks",
    .launcher_gid = 107,
};

static json_t *load(const char *path)
{
    json_error_t why;
    json_t *v = json_load_file(path, 0, &why);
    if (!v)
        print_error("%s: %s\n", path, why.text);
    assert_non_null(v);
    return v;
}

/* Every claim of the instance exists and is a file system. */
static json_t *claims_of(const json_t *vmi)
{
    json_t *claims = json_object();
    static const char *const paths[] = { "persistentVolumeClaim.claimName", "dataVolume.name",
                                         "ephemeral.persistentVolumeClaim.claimName" };
    size_t i;
    json_t *volume;
    json_array_foreach(jpath_arr(vmi, "spec.volumes"), i, volume) {
        for (size_t p = 0; p < countof(paths); p++) {
            const char *claim = jpath_str(volume, paths[p], NULL);
            if (claim)
                must_set(claims, claim, json_object());
        }
    }
    return claims;
}

static json_t *render(const json_t *vmi, const json_t *kubevirt)
{
    struct cluster_config *config = NULL;
    struct error e;
    json_auto_t *claims = claims_of(vmi);
    json_t *pod = NULL;

    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    struct pod_request q = { vmi, config, &settings, claims, 0 };
    int r = render_pod(&pod, &q, &e);
    if (r < 0)
        print_error("%s\n", e.msg);
    cluster_config_unref(config);
    assert_int_equal(r, 0);
    return pod;
}

/* ---- against upstream ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static json_t *sorted_texts(const json_t *list)
{
    size_t n = json_array_size(list);
    char **texts = must_calloc(n + 1, sizeof(*texts));
    json_t *sorted = json_array();

    for (size_t i = 0; i < n; i++)
        texts[i] = must_dumps(json_array_get(list, i), JSON_SORT_KEYS);
    qsort(texts, n, sizeof(*texts), by_text);
    for (size_t i = 0; i < n; i++) {
        must_append(sorted, json_string(texts[i]));
        free(texts[i]);
    }
    free(texts);
    return sorted;
}

/* Lists that are sets. */
static void assert_same_set(const json_t *got, const json_t *want)
{
    json_auto_t *a = sorted_texts(got);
    json_auto_t *b = sorted_texts(want);
    assert_json(a, b);
}

/* 302120960 and 295040Ki are the same amount. */
static json_t *as_amounts(const json_t *resources)
{
    json_t *out = json_object();
    const char *list;
    json_t *map;
    json_object_foreach((json_t *)resources, list, map) {
        const char *name;
        json_t *v;
        json_object_foreach(map, name, v) {
            struct quantity q;
            char text[QUANTITY_TEXT_MAX];
            assert_int_equal(quantity_from_json(v, &q), 0);
            q.is_binary = false;
            scoped(free) char *key = must_asprintf("%s %s", list, name);
            must_set(out, key, json_string(quantity_format(q, text)));
        }
    }
    return out;
}

static void assert_same_amounts(const json_t *got, const json_t *want)
{
    json_auto_t *a = as_amounts(got);
    json_auto_t *b = as_amounts(want);
    assert_json(a, b);
}

static json_t *wanted(const json_t *base, const json_t *row, const char *part)
{
    json_t *own = json_object_get(row, part);
    json_t *v = own ? own : json_object_get(base, part);
    return json_is_null(v) ? NULL : v;
}

static void compare_maps(const json_t *pod, const json_t *base, const json_t *want)
{
    static const char *const parts[] = { "labels", "annotations" };
    for (size_t i = 0; i < countof(parts); i++) {
        json_t *got = json_object_get(json_object_get(pod, "metadata"), parts[i]);
        json_auto_t *all = must_copy(json_object_get(base, parts[i]));
        json_object_del(all, "kubevirt.io/pci-topology-version"); /* not on every architecture */
        json_object_update(all, json_object_get(want, parts[i]));
        assert_json(got, all);
    }
}

static void compare_pod(const json_t *pod, const json_t *base, const json_t *want)
{
    static const char *const of_spec[] = { "nodeSelector",
                                           "hostname",
                                           "affinity",
                                           "subdomain",
                                           "dnsConfig",
                                           "topologySpreadConstraints",
                                           "resourceClaims",
                                           "terminationGracePeriodSeconds",
                                           "automountServiceAccountToken",
                                           "tolerations" };
    static const char *const of_compute[] = { "env", "ports", "readinessProbe", "livenessProbe" };
    const json_t *spec = json_object_get(pod, "spec");
    const json_t *compute = jpath(spec, "containers[0]");

    compare_maps(pod, base, want);
    for (size_t i = 0; i < countof(of_spec); i++)
        assert_json(json_object_get(spec, of_spec[i]), wanted(base, want, of_spec[i]));
    for (size_t i = 0; i < countof(of_compute); i++)
        assert_json(json_object_get(compute, of_compute[i]), wanted(base, want, of_compute[i]));
    assert_same_amounts(json_object_get(compute, "resources"), wanted(base, want, "resources"));
    assert_same_set(json_object_get(spec, "volumes"), wanted(base, want, "volumes"));
    assert_same_set(json_object_get(compute, "volumeMounts"), wanted(base, want, "volumeMounts"));

    if (json_object_get(want, "args")) {
        json_auto_t *args = must_copy(json_object_get(compute, "args"));
        json_array_remove(args, 0); /* the QEMU time limit, random in its last part */
        json_array_remove(args, 0);
        assert_json(args, json_object_get(want, "args"));
    }
}

static void is_what_upstream_makes(void **state)
{
    FILE *f = fopen(GOLDEN "upstream-pods.jsonl", "r");
    assert_non_null(f);
    char *line = NULL;
    size_t cap = 0;
    json_auto_t *base = NULL;
    size_t rows = 0;

    while (getline(&line, &cap, f) > 0) {
        json_auto_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        json_t *want = json_object_get(row, "want");
        if (!base)
            base = json_incref(want);
        print_message("  %s\n", jpath_str(row, "name", ""));
        json_auto_t *pod = render(json_object_get(row, "vmi"), NULL);
        compare_pod(pod, base, want);
        rows++;
    }
    free(line);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rows, 85);
}

/* ---- whole pods ---- */

static const struct golden_case {
    const char *name;     /* NAME.in.json -> NAME.out.json */
    const char *kubevirt; /* the cluster's configuration */
} golden_cases[] = {
    { "pod-container-disk", NULL },
    { "pod-kernel-boot",
      "{'spec':{'configuration':{'developerConfiguration':{'useEmulation':true}}}}" },
    { "pod-limits-and-probes",
      "{'spec':{'imagePullSecrets':[{'name':'cluster'}],'configuration':{'imagePullPolicy':'Always',"
      "'defaultRuntimeClass':'kata','selinuxLauncherType':'virt_launcher.process',"
      "'additionalGuestMemoryOverheadRatio':'1.5',"
      "'developerConfiguration':{'memoryOvercommit':150,'cpuAllocationRatio':4,"
      "'nodeSelectors':{'pool':'vm'},'logVerbosity':{'virtLauncher':5}},"
      "'seccompConfiguration':{'virtualMachineInstanceProfile':{'customProfile':"
      "{'localhostProfile':'kubevirt.json'}}}}}}" },
};

static void is_golden(void **state)
{
    const struct golden_case *c = *state;
    char in[256];
    char out[256];
    (void)snprintf(in, sizeof(in), GOLDEN "%s.in.json", c->name);
    (void)snprintf(out, sizeof(out), GOLDEN "%s.out.json", c->name);

    json_auto_t *kubevirt = json_q(c->kubevirt);
    json_auto_t *vmi = load(in);
    json_auto_t *pod = render(vmi, kubevirt);
    if (getenv("UPDATE")) {
        assert_int_equal(json_dump_file(pod, out, JSON_INDENT(1) | JSON_SORT_KEYS), 0);
        return;
    }
    json_auto_t *want = load(out);
    assert_json(pod, want);
}

/* ---- names ---- */

static void names_are_bounded_and_repeatable(void **state)
{
    json_auto_t *vmi =
        json_q("{'metadata':{'uid':'1','name':"
               "'a.very-long-name-of-a-machine-that-does-not-fit-into-a-label-at-all-really'}}");
    scoped(free) char *pod = launcher_pod_name(vmi);
    scoped(free) char *again = launcher_pod_name(vmi);
    scoped(free) char *hostname = vmi_hostname(vmi);
    scoped(free) char *id = vmi_id_label(vmi);

    assert_string_equal(pod, again);
    assert_int_equal(strlen(pod), 63);
    assert_string_equal(hostname, "a");
    assert_int_equal(strlen(id), 63);
    assert_string_equal(id, "a.very-long-name-of-a-machine-that-does-not-fit-into-a-02096a45");

    jpath_set_str(vmi, "metadata.uid", "2");
    scoped(free) char *other = launcher_pod_name(vmi);
    assert_string_not_equal(pod, other);
}

static void vsock_asks_for_the_device(void **state)
{
    json_auto_t *vmi = json_q("{'metadata':{'name':'a','namespace':'b','uid':'c'},'spec':{'domain':"
                              "{'memory':{'guest':'64Mi'},'devices':{'autoattachVSOCK':true}}}}");
    json_auto_t *pod = render(vmi, NULL);
    const json_t *limits = jpath(pod, "spec.containers[0].resources.limits");

    assert_string_equal(
        json_string_value(json_object_get(limits, "devices.kubevirt.io/vhost-vsock")), "1");
}

static void missing_claim_is_named(void **state)
{
    json_auto_t *vmi = json_q("{'metadata':{'name':'a','namespace':'b','uid':'c'},"
                              "'spec':{'volumes':[{'name':'v','persistentVolumeClaim':"
                              "{'claimName':'gone'}}]}}");
    struct cluster_config *config = NULL;
    struct error e;
    json_t *pod = NULL;
    assert_int_equal(cluster_config_new(&config, NULL, &e), 0);
    struct pod_request q = { vmi, config, &settings, NULL, 0 };
    assert_int_equal(render_pod(&pod, &q, &e), -ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "gone"));
    assert_null(pod);

    jpath_set(vmi, "spec.volumes", json_array());
    jpath_set_str(vmi, "spec.domain.resources.requests.memory", "lots");
    assert_int_equal(render_pod(&pod, &q, &e), -ERR_INVALID);
    assert_null(pod);
    cluster_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_upstream_makes),
        cmocka_unit_test(names_are_bounded_and_repeatable),
        cmocka_unit_test(vsock_asks_for_the_device),
        cmocka_unit_test(missing_claim_is_named),
    };
    int failed = cmocka_run_group_tests_name("render_pod", tests, NULL, NULL);
    failed += RUN_ROWS("render_pod golden", golden_cases, is_golden);
    return failed;
}
