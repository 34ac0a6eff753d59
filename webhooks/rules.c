/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter of rule rows, and the functions that many rows share. */
#include "webhooks/rules.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/jpath.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"

struct subject subject_of(const json_t *spec, const struct at *at,
                          const struct cluster_config *config, bool is_create)
{
    return (struct subject){
        .spec = spec,
        .here = spec,
        .at = at,
        .arch = jpath_str(spec, "architecture", ""),
        .config = config,
        .is_create = is_create,
    };
}

/* The first member of a row's path, found once for all rows that stand together and begin with it.
 */
struct head {
    const char *name; /* not terminated; NULL: none yet */
    size_t len;
    const json_t *v;
};

static const json_t *look_up(struct head *head, const json_t *here, const char *path)
{
    size_t len = 0;

    while (path[len] != '\0' && path[len] != '.')
        len++;
    if (!head->name || head->len != len || memcmp(head->name, path, len) != 0)
        *head = (struct head){ path, len, json_object_getn(here, path, len) };
    return path[len] && head->v ? jpath(head->v, path + len + 1) : head->v;
}

void rules_run(const struct rule *rules, const struct subject *s, struct findings *out)
{
    struct head head = { .name = NULL };

    for (const struct rule *r = rules; r->check; r++) {
        const json_t *v = *r->path ? look_up(&head, s->here, r->path) : s->here;

        if (json_is_null(v))
            v = NULL;
        if (v || r->also_absent)
            r->check(r, s, v, out);
    }
}

void rules_check_spec(const struct subject *s, struct findings *out)
{
    static const struct rule *const tables[] = {
        compute_rules, firmware_rules,   disk_rules,       storage_rules,
        volume_rules,  network_rules,    device_rules,     claim_rules,
        pod_rules,     credential_rules, scheduling_rules,
    };

    for (size_t i = 0; i < countof(tables); i++)
        rules_run(tables[i], s, out);
}

/* ---- reporting ---- */

void rule_report(const struct rule *r, const struct subject *s, struct findings *out)
{
    rule_say(s, out, r->cause, r->path, "%s", r->message);
}

void rule_report_at(const struct rule *r, const struct subject *s, struct findings *out,
                    const char *path_fmt, ...)
{
    char path[FINDING_TEXT_MAX];
    va_list ap;

    va_start(ap, path_fmt);
    (void)vsnprintf(path, sizeof(path), path_fmt, ap);
    va_end(ap);
    rule_say(s, out, r->cause, path, "%s", r->message);
}

/*
 * Several rules may find the same fault at the same place: one report is enough.  So is what the
 * schema says of a field; its faults, all of them mild, come first.
 */
static bool is_reported(const struct findings *out, const char *field, const char *message)
{
    for (size_t i = 0; i < out->len; i++) {
        bool is_of_schema = i < out->mild;

        if (streq(out->item[i].field, field) &&
            (is_of_schema || streq(out->item[i].message, message)))
            return true;
    }
    return false;
}

void rule_say(const struct subject *s, struct findings *out, enum cause cause, const char *path,
              const char *message_fmt, ...)
{
    const struct at here = AT_NAME(s->at, path);
    scoped(free) char *field = at_text(*path ? &here : s->at);
    char message[FINDING_TEXT_MAX];
    va_list ap;

    va_start(ap, message_fmt);
    (void)vsnprintf(message, sizeof(message), message_fmt, ap);
    va_end(ap);
    str_make_utf8(message); /* a cut may have gone through a character */
    if (!is_reported(out, field, message))
        findings_add(out, cause, field, "%s", message);
}

/* ---- rows of parts ---- */

void rule_below(const struct rule *r, const struct subject *s, const json_t *v,
                struct findings *out)
{
    const struct at at = AT_NAME(s->at, r->path);
    struct subject part = *s;

    part.here = v;
    part.at = &at;
    if (json_is_object(v))
        rules_run(r->rows, &part, out);
}

void rule_each(const struct rule *r, const struct subject *s, const json_t *v, struct findings *out)
{
    const struct at list = AT_NAME(s->at, r->path);
    struct subject part = *s;
    size_t i;
    json_t *item;

    json_array_foreach(v, i, item) {
        const struct at at = AT_INDEX(&list, i);

        part.here = item;
        part.at = &at;
        part.index = i;
        if (json_is_object(item))
            rules_run(r->rows, &part, out);
    }
}

/* ---- shared functions ---- */

void rule_one_of(const struct rule *r, const struct subject *s, const json_t *v,
                 struct findings *out)
{
    const char *value = json_string_value(v);

    for (const char *const *one = r->values; *one; one++)
        if (streq(*one, value ? value : ""))
            return;
    rule_report(r, s, out);
}

void rule_dns_label(const struct rule *r, const struct subject *s, const json_t *v,
                    struct findings *out)
{
    const char *value = json_string_value(v);

    if (value && *value && !is_dns_label(value))
        rule_report(r, s, out);
}

void rule_dns_subdomain(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const char *value = json_string_value(v);

    if (value && *value && !is_dns_subdomain(value))
        rule_report(r, s, out);
}

void rule_not_negative(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    struct quantity q;

    if (quantity_from_json(v, &q) == 0 && q.nano < 0)
        rule_report(r, s, out);
}

void rule_not_empty(const struct rule *r, const struct subject *s, const json_t *v,
                    struct findings *out)
{
    if (json_string_length(v) == 0)
        rule_report(r, s, out);
}

void rule_gate(const struct rule *r, const struct subject *s, const json_t *v, struct findings *out)
{
    if (!cluster_config_gate(s->config, r->gate))
        rule_report(r, s, out);
}

void rule_refuse(const struct rule *r, const struct subject *s, const json_t *v,
                 struct findings *out)
{
    rule_report(r, s, out);
}

/* ---- questions ---- */

struct quantity quantity_at(const json_t *v, const char *path)
{
    struct quantity q;

    return quantity_from_json(jpath(v, path), &q) == 0 ? q : (struct quantity){ .nano = 0 };
}

const json_t *volume_named(const json_t *spec, const char *name)
{
    return jarr_find(jpath_arr(spec, "volumes"), "name", name);
}

const json_t *network_named(const json_t *spec, const char *name)
{
    return jarr_find(jpath_arr(spec, "networks"), "name", name);
}

/* DOMAIN:BUS:SLOT.FUNCTION in hexadecimal; slots end at 1f, functions at 7. */
bool is_pci_address(const char *s)
{
    static const char shape[] = "xxxx:xx:sx.f";

    for (size_t i = 0; i < sizeof(shape); i++) {
        unsigned char c = (unsigned char)s[i];
        bool is_fitting = shape[i] == 'x'   ? isxdigit(c)
                          : shape[i] == 's' ? c == '0' || c == '1'
                          : shape[i] == 'f' ? c >= '0' && c <= '7'
                                            : c == (unsigned char)shape[i];
        if (!is_fitting)
            return false;
    }
    return true;
}

bool is_clean_path(const char *s)
{
    if (*s != '/')
        return false;
    if (s[1] == '\0')
        return true;
    while (*s == '/') {
        size_t len = strcspn(s + 1, "/");

        if (len == 0 || (len == 1 && s[1] == '.') || (len == 2 && s[1] == '.' && s[2] == '.'))
            return false;
        s += len + 1;
    }
    return true;
}
