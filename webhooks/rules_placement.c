/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a pod may run, by Kubernetes' own rules: node selector, affinity, tolerations, spreading.
 * Types and enumerations are the schema's; members that are not known here are let pass.
 */
#include "base/jpath.h"
#include "base/selector.h"
#include "base/scope.h"
#include "base/str.h"
#include "webhooks/rules.h"
#include "webhooks/rules_vmi.h"

/* ---- labels of nodes ---- */

static void node_selector(const struct rule *r, const struct subject *s, const json_t *v,
                          struct findings *out)
{
    const struct at at = AT_NAME(s->at, r->path);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)v, key, value) {
        const char *text = json_string_value(value);

        if (!label_key_is_valid(key) || !text || !label_value_is_valid(text))
            findings_add_at(out, r->cause, &AT_KEY(&at, key), "%s", r->message);
    }
}

static void label_key(const struct rule *r, const struct subject *s, const json_t *v,
                      struct findings *out)
{
    const char *key = json_string_value(v);

    if (!key || !label_key_is_valid(key))
        rule_report(r, s, out);
}

/* How many values an operator compares with. */
static void node_values(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    static const struct {
        const char *op;
        size_t min, max;
        const char *message;
    } rows[] = {
        { "In", 1, SIZE_MAX, "give at least one to the operator In" },
        { "NotIn", 1, SIZE_MAX, "give at least one to the operator NotIn" },
        { "Exists", 0, 0, "must be left out when the operator is Exists" },
        { "DoesNotExist", 0, 0, "must be left out when the operator is DoesNotExist" },
        { "Gt", 1, 1, "give exactly one to the operator Gt" },
        { "Lt", 1, 1, "give exactly one to the operator Lt" },
    };
    const char *op = jpath_str(s->here, "operator", "");
    size_t n = json_array_size(v);

    for (size_t i = 0; i < countof(rows); i++)
        if (streq(rows[i].op, op) && (n < rows[i].min || n > rows[i].max))
            rule_say(s, out, r->cause, r->path, "%s", rows[i].message);
}

/* Of a node's fields only its name can be asked for, and only one. */
static void node_field(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const char *op = jpath_str(v, "operator", "");

    if (!streq(jpath_str(v, "key", ""), "metadata.name") ||
        (!streq(op, "In") && !streq(op, "NotIn")) || json_array_size(jpath_arr(v, "values")) != 1)
        rule_report(r, s, out);
}

static void weight(const struct rule *r, const struct subject *s, const json_t *v,
                   struct findings *out)
{
    enum { WEIGHT_MAX = 100 };

    if (json_integer_value(v) < 1 || json_integer_value(v) > WEIGHT_MAX)
        rule_report(r, s, out);
}

static void some(const struct rule *r, const struct subject *s, const json_t *v,
                 struct findings *out)
{
    if (json_array_size(v) == 0)
        rule_report(r, s, out);
}

static void selector(const struct rule *r, const struct subject *s, const json_t *v,
                     struct findings *out)
{
    struct error e;

    if (selector_validate(v, &e) < 0)
        rule_say(s, out, r->cause, r->path, "%s", e.msg);
}

static void namespaces(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    size_t i;
    json_t *name;

    json_array_foreach(v, i, name)
        if (!json_is_string(name) || !is_dns_label(json_string_value(name)))
            rule_report_at(r, s, out, "%s[%zu]", r->path, i);
}

static bool is_listed(const json_t *texts, const char *text)
{
    size_t i;
    json_t *item;

    json_array_foreach(texts, i, item)
        if (streq(json_string_value(item), text))
            return true;
    return false;
}

/* Labels that the pod's own values are put in for: beside a selector, and not in the list that
 * .values names as well. */
static void label_keys(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const json_t *other = r->values ? jpath_arr(s->here, r->values[0]) : NULL;
    size_t i;
    json_t *item;

    if (json_array_size(v) > 0 && !jpath_has(s->here, "labelSelector"))
        rule_say(s, out, r->cause, r->path, "needs labelSelector beside it");
    json_array_foreach(v, i, item) {
        const char *key = json_string_value(item);

        if (!key || !label_key_is_valid(key) || is_listed(other, key))
            rule_report_at(r, s, out, "%s[%zu]", r->path, i);
    }
}

/* ---- spreading: `here` is one constraint ---- */

static void at_least_one(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    if (json_integer_value(v) < 1)
        rule_report(r, s, out);
}

static void min_domains(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    at_least_one(r, s, v, out);
    if (!streq(jpath_str(s->here, "whenUnsatisfiable", ""), "DoNotSchedule"))
        rule_say(s, out, r->cause, r->path, "goes only with whenUnsatisfiable: DoNotSchedule");
}

static bool is_selected(const json_t *selector, const char *key)
{
    return json_object_get(json_object_get(selector, "matchLabels"), key) ||
           jarr_find(jpath_arr(selector, "matchExpressions"), "key", key);
}

static void new_label_keys(const struct rule *r, const struct subject *s, const json_t *v,
                           struct findings *out)
{
    size_t i;
    json_t *key;

    label_keys(r, s, v, out);
    json_array_foreach(v, i, key)
        if (json_is_string(key) &&
            is_selected(json_object_get(s->here, "labelSelector"), json_string_value(key)))
            rule_report_at(r, s, out, "%s[%zu]", r->path, i);
}

/* Kubernetes takes the pair for a key, and names the earlier of two. */
static void unique_constraint(const struct rule *r, const struct subject *s, const json_t *v,
                              struct findings *out)
{
    static const char *const pair[] = { "topologyKey", "whenUnsatisfiable" };
    const json_t *all = jpath_arr(s->spec, "topologySpreadConstraints");

    for (size_t i = s->index + 1; i < json_array_size(all); i++) {
        const json_t *other = json_array_get(all, i);

        if (streq(jpath_str(other, pair[0], ""), jpath_str(v, pair[0], "")) &&
            streq(jpath_str(other, pair[1], ""), jpath_str(v, pair[1], ""))) {
            rule_report_at(r, s, out, "{%s, %s}", pair[0], pair[1]);
            return;
        }
    }
}

/* ---- tolerations ---- */

static void toleration(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const char *key = jpath_str(v, "key", "");
    const char *op = jpath_str(v, "operator", "");
    const char *value = jpath_str(v, "value", "");
    bool is_any = streq(op, "Exists");
    const struct {
        bool is_wrong;
        const char *path, *message;
    } rows[] = {
        { *key && !label_key_is_valid(key), "key",
          "is not a label's key, such as kubernetes.io/arch" },
        { !*key && !is_any, "operator", "must be Exists when there is no key" },
        { is_any && *value, "value", "must be left out when the operator is Exists" },
        { !is_any && !label_value_is_valid(value), "value", "is not a label's value" },
        { jpath_has(v, "tolerationSeconds") && !streq(jpath_str(v, "effect", ""), "NoExecute"),
          "effect", "must be NoExecute for tolerationSeconds" },
    };

    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].is_wrong)
            rule_say(s, out, r->cause, rows[i].path, "%s", rows[i].message);
}

// clang-format off
static const struct rule node_requirement_rules[] = {
    RULE("key", label_key, INVALID, "is not a label's key, such as kubernetes.io/arch", .also_absent = true),
    RULE("values", node_values, INVALID, NULL, .also_absent = true),
    RULES_END,
};

static const struct rule node_field_rules[] = {
    RULE("", node_field, INVALID, "must be metadata.name In or NotIn one value"),
    RULES_END,
};

static const struct rule node_term_rules[] = {
    EACH("matchExpressions", node_requirement_rules),
    EACH("matchFields", node_field_rules),
    RULES_END,
};

static const struct rule preferred_node_rules[] = {
    RULE("weight", weight, INVALID, "must be from 1 to 100", .also_absent = true),
    BELOW("preference", node_term_rules),
    RULES_END,
};

static const struct rule pod_term_rules[] = {
    RULE("topologyKey", label_key, INVALID, "name a label of nodes", .also_absent = true),
    RULE("labelSelector", selector, INVALID, NULL),
    RULE("namespaceSelector", selector, INVALID, NULL),
    RULE("namespaces", namespaces, INVALID, "is not the name of a namespace"),
    RULE("matchLabelKeys", label_keys, INVALID, "must be a label's key that is not in mismatchLabelKeys too",
         VALUES("mismatchLabelKeys")),
    RULE("mismatchLabelKeys", label_keys, INVALID, "is not a label's key, such as kubernetes.io/arch"),
    RULES_END,
};

static const struct rule weighted_pod_rules[] = {
    RULE("weight", weight, INVALID, "must be from 1 to 100", .also_absent = true),
    BELOW("podAffinityTerm", pod_term_rules),
    RULES_END,
};

static const struct rule node_affinity_rules[] = {
    EACH("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms", node_term_rules),
    EACH("preferredDuringSchedulingIgnoredDuringExecution", preferred_node_rules),
    RULES_END,
};

static const struct rule pod_affinity_rules[] = {
    EACH("requiredDuringSchedulingIgnoredDuringExecution", pod_term_rules),
    EACH("preferredDuringSchedulingIgnoredDuringExecution", weighted_pod_rules),
    RULES_END,
};

static const struct rule toleration_rules[] = {
    RULE("", toleration, INVALID, NULL),
    RULES_END,
};

static const struct rule affinity_rules[] = {
    BELOW("nodeAffinity", node_affinity_rules),
    BELOW("podAffinity", pod_affinity_rules),
    BELOW("podAntiAffinity", pod_affinity_rules),
    RULES_END,
};

static const struct rule spread_rules[] = {
    RULE("maxSkew", at_least_one, INVALID, "must be at least 1", .also_absent = true),
    RULE("topologyKey", label_key, INVALID, "name the node label to spread over", .also_absent = true),
    RULE("", unique_constraint, INVALID, "is the pair of a later one too: give each its own"),
    RULE("minDomains", min_domains, INVALID, "must be at least 1"),
    RULE("labelSelector", selector, INVALID, NULL),
    RULE("matchLabelKeys", new_label_keys, INVALID, "must be a label's key that labelSelector does not name"),
    RULES_END,
};

#define NODE_TERMS "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"

const struct rule placement_rules[] = {
    RULE("nodeSelector", node_selector, INVALID, "is not a label with its value"),
    RULE(NODE_TERMS, some, REQUIRED, "must hold at least one term"),
    BELOW("affinity", affinity_rules),
    EACH("tolerations", toleration_rules),
    RULES_END,
};

const struct rule scheduling_rules[] = {
    RULE(NODE_TERMS, some, INVALID, "must hold at least one term"),
    BELOW("affinity", affinity_rules),
    EACH("topologySpreadConstraints", spread_rules),
    RULES_END,
};

static const struct rule scheduling_advice[] = {
    RULE("nodeSelector", node_selector, INVALID, "is not a label with its value"),
    EACH("tolerations", toleration_rules),
    RULES_END,
};
// clang-format on

void warn_of_scheduling(struct review *rv, const struct subject *s)
{
    scoped_findings f;

    findings_init(&f);
    if (!rv->is_own_account)
        rules_run(scheduling_advice, s, &f);
    for (size_t i = 0; i < f.len; i++)
        review_warn(rv, "%s: %s: Kubernetes will refuse the machine's pod", f.item[i].field,
                    f.item[i].message);
}
