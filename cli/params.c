/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/params.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"

int params_error(struct error *e, const char *flag, const char *fmt, ...)
{
    scoped_buf text = BUF_INIT(0);
    va_list ap;

    va_start(ap, fmt);
    (void)buf_vaddf(&text, fmt, ap);
    va_end(ap);
    return error_set(e, ERR_BAD_REQUEST, "failed to parse \"--%s\" flag: %s", flag, text.data);
}

static json_t *make_list(const char *text)
{
    json_t *list = json_array();

    for (;;) {
        const size_t len = strcspn(text, ";");
        scoped(free) char *item = must_strndup(text, len);

        must_append(list, must_pack("s", item));
        if (text[len] == '\0')
            return list;
        text += len + 1;
    }
}

/* NULL when the text is not of the type. */
static json_t *make_value(enum param_type type, const char *text)
{
    char canonical[QUANTITY_TEXT_MAX];
    struct quantity q;
    long long number;

    switch (type) {
    case PARAM_TEXT:
        return must_pack("s", text);
    case PARAM_LIST:
        return make_list(text);
    case PARAM_NUMBER:
        return str_to_int(text, 0, UINT32_MAX, &number) == 0 ? json_integer(number) : NULL;
    case PARAM_QUANTITY:
        return quantity_parse(text, &q) == 0 ? must_pack("s", quantity_format(q, canonical)) : NULL;
    }
    return NULL;
}

static const struct param *find(const struct param *rows, const char *key)
{
    for (; rows && rows->key; rows++)
        if (streq(rows->key, key))
            return rows;
    return NULL;
}

static int add(const char *flag, const char *key, const char *value, const struct param *row,
               json_t *params, struct error *e)
{
    json_t *v;

    if (!row)
        return params_error(e, flag, "unknown param(s): %s:%s", key, value);
    v = make_value(row->type, value);
    if (!v)
        return params_error(e, flag, "failed to parse param \"%s\": \"%s\" is not a %s", key, value,
                            row->type == PARAM_NUMBER ? "whole number" : "quantity");
    must_set(params, key, v);
    return 0;
}

int params_parse(const char *flag, const char *text, const struct param *rows,
                 const struct param *common, json_t **ret, struct error *e)
{
    json_auto_t *params = json_object();

    if (!*text)
        return params_error(e, flag, "params may not be empty");
    for (;;) {
        const size_t len = strcspn(text, ",");
        scoped(free) char *key = must_strndup(text, len);
        char *colon = strchr(key, ':');

        if (!colon)
            return params_error(e, flag, "params need to have at least one colon: %s", key);
        *colon = '\0';
        const struct param *row = find(rows, key);
        if (add(flag, key, colon + 1, row ? row : find(common, key), params, e) < 0)
            return -(int)e->code;
        if (text[len] == '\0')
            break;
        text += len + 1;
    }
    *ret = TAKE(params);
    return 0;
}

char *params_peek(const char *text, const char *key)
{
    const size_t key_len = strlen(key);

    while (*text) {
        const size_t len = strcspn(text, ",");

        if (len > key_len && strncmp(text, key, key_len) == 0 && text[key_len] == ':')
            return must_strndup(text + key_len + 1, len - key_len - 1);
        text += len + (text[len] == ',');
    }
    return NULL;
}

int params_split_name(const char *flag, const char *text, char **ret_prefix, char **ret_name,
                      struct error *e)
{
    const char *slash = strchr(text, '/');
    const char *name = slash ? slash + 1 : text;

    if (strchr(name, '/'))
        return params_error(e, flag, "\"%s\" has more than one slash", text);
    if (!*name)
        return params_error(e, flag, "name cannot be empty");
    *ret_prefix = slash ? must_strndup(text, (size_t)(slash - text)) : must_strdup("");
    *ret_name = must_strdup(name);
    return 0;
}
