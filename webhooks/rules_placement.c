/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a pod may run, by Kubernetes' own rules: node selector, affinity, tolerations.  Types and
 * enumerations are the schema's; members that are not known here are let pass.
 */
#include "base/jpath.h"
#include "base/selector.h"
#include "base/scope.h"
#include "base/str.h"
#include "webhooks/rules.h"

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
        { "In", 1, SIZE_MAX, "In needs at least one" },
        { "NotIn", 1, SIZE_MAX, "NotIn needs at least one" },
        { "Exists", 0, 0, "Exists has none" },
        { "DoesNotExist", 0, 0, "DoesNotExist has none" },
        { "Gt", 1, 1, "Gt needs exactly one" },
        { "Lt", 1, 1, "Lt needs exactly one" },
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
        { *key && !label_key_is_valid(key), "key", "is not a label's key" },
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
    RULE("key", label_key, INVALID, "is not a label's key", .also_absent = true),
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
    RULES_END,
};

static const struct rule weighted_pod_rules[] = {
    RULE("weight", weight, INVALID, "must be from 1 to 100", .also_absent = true),
    BELOW("podAffinityTerm", pod_term_rules),
    RULES_END,
};

static const struct rule node_affinity_rules[] = {
    RULE("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms", some, REQUIRED, "must hold at least one term"),
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

const struct rule placement_rules[] = {
    RULE("nodeSelector", node_selector, INVALID, "is not a label with its value"),
    BELOW("affinity.nodeAffinity", node_affinity_rules),
    BELOW("affinity.podAffinity", pod_affinity_rules),
    BELOW("affinity.podAntiAffinity", pod_affinity_rules),
    EACH("tolerations", toleration_rules),
    RULES_END,
};
// clang-format on
