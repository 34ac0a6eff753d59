/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/document.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/kubeconfig.h"
#include "kube/yaml.h"

int document_print(const json_t *v, const char *format, size_t indent, struct error *e)
{
    const bool is_yaml = streq(format, "yaml");
    scoped(free) char *text = is_yaml ? yaml_dump(v) : must_dumps(v, JSON_INDENT(indent));

    if (fputs(text, stdout) < 0 || (!is_yaml && putchar('\n') == EOF) || fflush(stdout) == EOF)
        return error_set(e, ERR_INTERNAL, "standard output cannot be written");
    return 0;
}

int document_read(const char *file, json_t **ret, struct error *e)
{
    scoped(free) char *text = NULL;
    json_auto_t *documents = NULL;
    size_t len = 0;

    if (kube_read_file(streq(file, "-") ? "/dev/stdin" : file, DOCUMENT_MAX, &text, &len, e) < 0)
        return -(int)e->code;
    if (yaml_parse_all(&documents, text, len, e) < 0)
        return error_wrap(e, "%s", file);
    if (json_array_size(documents) != 1 || !json_is_object(json_array_get(documents, 0)))
        return error_set(e, ERR_BAD_REQUEST, "%s: one object is expected", file);
    *ret = json_incref(json_array_get(documents, 0));
    return 0;
}

static int add_pairs(const char *text, const char *flag, json_t *pairs, struct error *e)
{
    while (*text) {
        const size_t len = strcspn(text, ",");
        scoped(free) char *pair = must_strndup(text, len);
        char *equals = strchr(pair, '=');

        if (!equals || equals == pair)
            return error_set(e, ERR_BAD_REQUEST, "--%s: '%s' must be formatted as key=value", flag,
                             pair);
        *equals = '\0';
        must_set(pairs, pair, must_pack("s", equals + 1));
        text += len + (text[len] == ',');
    }
    return 0;
}

int document_pairs(const struct option_list *values, const char *flag, json_t **ret,
                   struct error *e)
{
    json_auto_t *pairs = values->len > 0 ? json_object() : NULL;

    for (size_t i = 0; i < values->len; i++)
        if (add_pairs(values->item[i], flag, pairs, e) < 0)
            return -(int)e->code;
    *ret = TAKE(pairs);
    return 0;
}
