/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of test/rules about something else than an object: a webhook as it is registered ("hook"),
 * the text of an answer ("answer"), a feature gate ("gate"), a setting of the cluster ("setting").
 */
#ifndef TEST_UNIT_SHEET_SUBJECTS_H
#define TEST_UNIT_SHEET_SUBJECTS_H

#include "apiserver/manifests.h"
#include "base/buf.h"
#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "webhooks/review.h"

/* Every path of `wanted` has that value in `got`. */
static inline void compare_values(const json_t *wanted, const json_t *got)
{
    const char *path;
    json_t *want;

    json_object_foreach((json_t *)wanted, path, want) {
        const json_t *is = jpath(got, path);

        if (!is || !json_equal(is, want))
            print_error("%s:\n", path);
        assert_json(is, want);
    }
}

/* The text at every path of `wanted` holds these words; null: there is nothing. */
static inline void compare_words(const json_t *wanted, const json_t *got)
{
    const char *path;
    json_t *want;

    json_object_foreach((json_t *)wanted, path, want) {
        const char *is = jpath_str(got, path, "");

        if (json_is_null(want) && jpath_has(got, path))
            fail_msg("%s is set", path);
        if (json_is_string(want) && !strstr(is, json_string_value(want)))
            fail_msg("%s: \"%s\"", path, is);
    }
}

/* ---- answers ---- */

/* The AdmissionReview that is sent back, with response.patch decoded.  It makes rv->changed of
 * the object, or the test fails.  New. */
static inline json_t *answer_of_review(const struct review *rv, const json_t *body)
{
    scoped_buf text = BUF_INIT(0);
    json_error_t why;
    struct error e = { 0 };

    review_answer(rv, body, &text);
    json_t *answer = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &why);
    if (!answer)
        fail_msg("the answer is not JSON: %s", why.text);

    const char *base64 = jpath_str(answer, "response.patch", NULL);
    if (!base64)
        return answer;
    size_t len;
    scoped(free) char *decoded = str_unbase64(base64, &len);
    json_t *patch = json_loadb(decoded, len, 0, NULL);
    json_t *object = must_copy(rv->object);
    assert_non_null(patch);
    if (jpatch_apply(&object, patch, &e) < 0)
        fail_msg("the patch cannot be applied: %s", e.msg);
    assert_json(object, rv->changed);
    json_decref(object);
    jpath_set(answer, "response.patch", patch);
    return answer;
}

/* ---- webhooks ---- */

/* The webhook of that name with its "configuration", and "after", the name of the one before. */
static inline json_t *registered(const char *name)
{
    json_auto_t *configurations = manifests_webhooks();
    size_t i, j;
    json_t *configuration, *hook;

    json_array_foreach(configurations, i, configuration) {
        const char *before = "";

        json_array_foreach(jpath(configuration, "webhooks"), j, hook) {
            if (!streq(jpath_str(hook, "name", ""), name)) {
                before = jpath_str(hook, "name", "");
                continue;
            }
            json_t *whole = must_copy(hook);
            json_t *head = must_copy(configuration);
            json_object_del(head, "webhooks");
            jpath_set_str(whole, "after", before);
            must_set(whole, "configuration", head);
            return whole;
        }
    }
    fail_msg("no webhook \"%s\" is registered", name);
    return NULL;
}

/* A row's "unset". */
static inline void compare_unset(const json_t *row, const json_t *object)
{
    size_t i;
    json_t *path;

    json_array_foreach(json_object_get(row, "unset"), i, path)
        if (jpath_has(object, json_string_value(path)))
            fail_msg("%s is set", json_string_value(path));
}

static inline void hook_row_holds(const json_t *row)
{
    json_auto_t *hook = registered(jpath_str(row, "hook", ""));

    compare_values(json_object_get(row, "is"), hook);
    compare_unset(row, hook);
}

/* ---- the cluster's configuration ---- */

static inline void gate_row_holds(const json_t *row, const struct cluster_config *config)
{
    const char *gate = jpath_str(row, "gate", "");

    assert_int_equal(cluster_config_gate(config, gate), jpath_bool(row, "is", false));
}

static inline json_t *quantity_json(struct quantity q)
{
    char text[QUANTITY_TEXT_MAX];

    return json_string(quantity_format(q, text));
}

/* All of them, as the names of spec.configuration have it.  New. */
static inline json_t *settings_of(const struct cluster_config *c)
{
    static const char *const arches[] = { "amd64", "arm64", "s390x" };
    json_t *all = must_pack(
        "{s:b, s:i, s:i, s:i, s:s, s:s, s:s?, s:s?, s:o, s:f, s:s, s:i, s:s, s:b, s:i, s:i, s:s}",
        "useEmulation", c->use_emulation, "memoryOvercommit", c->memory_overcommit,
        "cpuAllocationRatio", c->cpu_allocation_ratio, "launcherVerbosity", c->launcher_verbosity,
        "imagePullPolicy", c->image_pull_policy, "evictionStrategy", c->eviction_strategy,
        "cpuModel", c->cpu_model, "defaultRuntimeClass", c->default_runtime_class, "cpuRequest",
        quantity_json(c->cpu_request), "additionalGuestMemoryOverheadRatio", c->overhead_ratio,
        "vmRolloutStrategy", c->is_rollout_live ? "LiveUpdate" : "Stage", "memBalloonStatsPeriod",
        c->mem_balloon_stats_period_s, "defaultNetworkInterface", c->default_network_interface,
        "permitBridgeInterfaceOnPodNetwork", c->permits_bridge_on_pod_network, "maxHotplugRatio",
        c->max_hotplug_ratio, "maxCpuSockets", c->max_cpu_sockets, "defaultArchitecture",
        cluster_config_default_arch(c));

    must_set(all, "diskVerification", json_integer(c->disk_verification_bytes));
    for (size_t i = 0; i < countof(arches); i++)
        must_set(all, arches[i],
                 must_pack("{s:s, s:s, s:o}", "machineType",
                           cluster_config_machine_type(c, arches[i]), "ovmfPath",
                           cluster_config_ovmf_path(c, arches[i]), "emulatedMachines",
                           cluster_config_machine_globs(c, arches[i])));
    return all;
}

static inline void setting_row_holds(const json_t *row, const struct cluster_config *config)
{
    json_auto_t *all = settings_of(config);

    compare_values(json_object_get(row, "is"), all);
}

#endif
