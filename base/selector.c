/* SPDX-License-Identifier: Apache-2.0 */
/* Label selectors: one row an operator. */
#include "base/selector.h"

#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "base/str.h"

enum { LABEL_PART_MAX = 63 };

struct selector_rule {
    const char *name;
    bool needs_values;
    bool if_absent;               /* its answer for an object without the label */
    bool if_listed;               /* ... whose value is among `values` */
    bool if_other;                /* ... whose value is not */
    const char *before, *between; /* as query text: before KEY between (VALUES) */
};

static const struct selector_rule operators[] = {
    { "In", true, false, true, false, "", " in " },
    { "NotIn", true, true, false, true, "", " notin " },
    { "Exists", false, false, true, true, "", NULL },
    { "DoesNotExist", false, true, false, false, "!", NULL },
};

static const struct selector_rule *find_operator(const json_t *expression)
{
    const char *name = json_string_value(json_object_get(expression, "operator"));

    for (size_t i = 0; name && i < countof(operators); i++)
        if (streq(operators[i].name, name))
            return &operators[i];
    return NULL;
}

static bool is_listed(const json_t *values, const char *value)
{
    size_t i;
    json_t *item;

    json_array_foreach((json_t *)values, i, item) {
        if (streq(json_string_value(item), value))
            return true;
    }
    return false;
}

static bool expression_matches(const json_t *expression, const json_t *labels)
{
    const struct selector_rule *op = find_operator(expression);
    const char *key = json_string_value(json_object_get(expression, "key"));
    if (!op || !key)
        return false;

    const char *value = json_string_value(json_object_get(labels, key));
    if (!value)
        return op->if_absent;
    return is_listed(json_object_get(expression, "values"), value) ? op->if_listed : op->if_other;
}

bool selector_matches(const json_t *selector, const json_t *labels)
{
    const char *key;
    size_t i;
    json_t *item;

    if (!json_is_object(selector))
        return false;
    json_object_foreach(json_object_get(selector, "matchLabels"), key, item) {
        const char *wanted = json_string_value(item);
        const char *value = json_string_value(json_object_get(labels, key));
        if (!wanted || !value || !streq(wanted, value))
            return false;
    }
    json_array_foreach(json_object_get(selector, "matchExpressions"), i, item) {
        if (!expression_matches(item, labels))
            return false;
    }
    return true;
}

/* ---- validation ---- */

static int validate_label(const char *where, const char *key, const json_t *value, struct error *e)
{
    const char *text = json_string_value(value);

    if (!label_key_is_valid(key))
        return error_set(e, ERR_INVALID, "%s: '%s' is not a valid label key", where, key);
    if (!text || !label_value_is_valid(text))
        return error_set(e, ERR_INVALID, "%s: '%s' is not a valid label value", where,
                         text ? text : "");
    return 0;
}

static int validate_expression(size_t i, const json_t *expression, struct error *e)
{
    const struct selector_rule *op = find_operator(expression);
    const char *key = json_string_value(json_object_get(expression, "key"));
    const json_t *values = json_object_get(expression, "values");
    size_t n;
    json_t *item;

    if (!op)
        return error_set(e, ERR_INVALID, "matchExpressions[%zu].operator: not a valid operator", i);
    if (!key || !label_key_is_valid(key))
        return error_set(e, ERR_INVALID, "matchExpressions[%zu].key: '%s' is not a valid label key",
                         i, key ? key : "");
    if (op->needs_values != (json_array_size(values) > 0))
        return error_set(e, ERR_INVALID, "matchExpressions[%zu].values: %s when the operator is %s",
                         i, op->needs_values ? "must be given" : "must not be given", op->name);
    json_array_foreach((json_t *)values, n, item) {
        int r = validate_label("matchExpressions", key, item, e);
        if (r < 0)
            return r;
    }
    return 0;
}

int selector_validate(const json_t *selector, struct error *e)
{
    const json_t *labels = json_object_get(selector, "matchLabels");
    const json_t *expressions = json_object_get(selector, "matchExpressions");
    const char *key;
    size_t i;
    json_t *item;

    if (!json_is_object(selector))
        return error_set(e, ERR_INVALID, "a label selector is an object");
    if (labels && !json_is_null(labels) && !json_is_object(labels))
        return error_set(e, ERR_INVALID, "matchLabels: must be an object");
    if (expressions && !json_is_null(expressions) && !json_is_array(expressions))
        return error_set(e, ERR_INVALID, "matchExpressions: must be an array");

    json_object_foreach((json_t *)labels, key, item) {
        int r = validate_label("matchLabels", key, item, e);
        if (r < 0)
            return r;
    }
    json_array_foreach((json_t *)expressions, i, item) {
        int r = validate_expression(i, item, e);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- query text ---- */

static void add_comma(struct buf *query)
{
    if (query->len > 0)
        (void)buf_adds(query, ",");
}

static void add_values(struct buf *query, const json_t *values)
{
    size_t i;
    json_t *item;

    (void)buf_adds(query, "(");
    json_array_foreach((json_t *)values, i, item) {
        const char *text = json_string_value(item);
        (void)buf_addf(query, "%s%s", i > 0 ? "," : "", text ? text : "");
    }
    (void)buf_adds(query, ")");
}

char *selector_to_query(const json_t *selector)
{
    scoped_buf query = BUF_INIT(0);
    const char *key;
    size_t i;
    json_t *item;

    json_object_foreach(json_object_get(selector, "matchLabels"), key, item) {
        const char *value = json_string_value(item);
        add_comma(&query);
        (void)buf_addf(&query, "%s=%s", key, value ? value : "");
    }
    json_array_foreach(json_object_get(selector, "matchExpressions"), i, item) {
        const struct selector_rule *op = find_operator(item);
        const char *name = json_string_value(json_object_get(item, "key"));
        if (!op || !name)
            continue;
        add_comma(&query);
        (void)buf_addf(&query, "%s%s%s", op->before, name, op->between ? op->between : "");
        if (op->needs_values)
            add_values(&query, json_object_get(item, "values"));
    }
    return buf_take(&query);
}

/* ---- label syntax ---- */

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9], at most 63 characters. */
static bool is_label_part(const char *s)
{
    const size_t len = strnlen(s, LABEL_PART_MAX + 1);

    if (len == 0 || len > LABEL_PART_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_letter_or_digit(s[i]) && !strchr("-_.", s[i]))
            return false;
    return is_letter_or_digit(s[0]) && is_letter_or_digit(s[len - 1]);
}

bool label_key_is_valid(const char *key)
{
    const char *slash = strchr(key, '/');
    if (!slash)
        return is_label_part(key);

    char prefix[254];
    const size_t len = (size_t)(slash - key);
    if (len >= sizeof(prefix))
        return false;
    memcpy(prefix, key, len);
    prefix[len] = '\0';
    return is_dns_subdomain(prefix) && is_label_part(slash + 1);
}

bool label_value_is_valid(const char *value)
{
    return *value == '\0' || is_label_part(value);
}
