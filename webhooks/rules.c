/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter of rule rows, and the functions that many rows share. */
#include "webhooks/rules.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/jpath.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"

enum { PATH_MAX_LEN = 256 };

void rules_run(const struct rule *rules, const struct subject *s, struct findings *out)
{
    for (const struct rule *r = rules; r->check; r++)
        if (!*r->path || jpath_has(s->spec, r->path))
            r->check(r, s, out);
}

void rules_check_spec(const struct subject *s, struct findings *out)
{
    static const struct rule *const tables[] = { compute_rules, disk_rules, network_rules,
                                                 device_rules, pod_rules };

    for (size_t i = 0; i < countof(tables); i++)
        rules_run(tables[i], s, out);
}

const json_t *rule_value(const struct rule *r, const struct subject *s)
{
    return jpath(s->spec, r->path);
}

void rule_report(const struct rule *r, const struct subject *s, struct findings *out)
{
    const struct at here = AT_NAME(s->at, r->path);

    findings_add_at(out, r->cause, *r->path ? &here : s->at, "%s", r->message);
}

void rule_report_at(const struct rule *r, const struct subject *s, struct findings *out,
                    const char *message, const char *path_fmt, ...)
{
    char path[PATH_MAX_LEN];
    va_list ap;

    va_start(ap, path_fmt);
    (void)vsnprintf(path, sizeof(path), path_fmt, ap);
    va_end(ap);

    const struct at here = AT_NAME(s->at, path);
    findings_add_at(out, r->cause, *path ? &here : s->at, "%s", message ? message : r->message);
}

void rule_one_of(const struct rule *r, const struct subject *s, struct findings *out)
{
    const char *value = json_string_value(rule_value(r, s));

    for (const char *const *v = r->values; value && *v; v++)
        if (streq(*v, value))
            return;
    rule_report(r, s, out);
}

void rule_dns_label(const struct rule *r, const struct subject *s, struct findings *out)
{
    const char *value = json_string_value(rule_value(r, s));

    if (value && *value && !is_dns_label(value))
        rule_report(r, s, out);
}

void rule_dns_subdomain(const struct rule *r, const struct subject *s, struct findings *out)
{
    const char *value = json_string_value(rule_value(r, s));

    if (value && *value && !is_dns_subdomain(value))
        rule_report(r, s, out);
}

void rule_not_negative(const struct rule *r, const struct subject *s, struct findings *out)
{
    struct quantity q;

    if (quantity_from_json(rule_value(r, s), &q) == 0 && q.nano < 0)
        rule_report(r, s, out);
}
