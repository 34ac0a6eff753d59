/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-field rules of an instance's spec, as rows (spec 02, 4.1 to 4.4).  The
 * same rows judge a VirtualMachineInstance, the template of a VirtualMachine and of a
 * replica set; only the place differs.  A rule looks and reports, and never stops the others.
 */
#ifndef WEBHOOKS_RULES_H
#define WEBHOOKS_RULES_H

#include <jansson.h>

#include "kube/cluster_config.h"
#include "openapi/findings.h"

/* What a rule looks at. */
struct subject {
    const json_t *spec;          /* VirtualMachineInstanceSpec */
    const struct at *at;         /* where it is: "spec", "spec.template.spec" */
    const char *arch;            /* spec.architecture, "" when unset */
    const struct cluster_config *config;
    bool is_create;
};

struct rule;
typedef void rule_fn(const struct rule *r, const struct subject *s, struct findings *out);

struct rule {
    const char *path;    /* below the spec; a row is skipped when it is absent.  "": always looked at */
    rule_fn *check;
    enum cause cause;    /* of its findings */
    const char *message; /* of its findings; NULL: the function words them */
    const char *const *values; /* for one_of: NULL-terminated */
    int64_t min, max;    /* for bounds */
};

/* Tables end with a row without check. */
extern const struct rule compute_rules[]; /* CPU, memory, resources, machine */
extern const struct rule disk_rules[];    /* disks, volumes */
extern const struct rule network_rules[];
extern const struct rule device_rules[];  /* other devices, features, firmware */
extern const struct rule pod_rules[];     /* host name, DNS, probes, scheduling, credentials */

void rules_run(const struct rule *rules, const struct subject *s, struct findings *out);
/* All of the above. */
void rules_check_spec(const struct subject *s, struct findings *out);

/* ---- for rule functions ---- */

/* The value at the row's path, or NULL. */
const json_t *rule_value(const struct rule *r, const struct subject *s);
/* Report at the row's own path / at a path below the spec (printf) with the row's cause and message. */
void rule_report(const struct rule *r, const struct subject *s, struct findings *out);
void rule_report_at(const struct rule *r, const struct subject *s, struct findings *out,
                    const char *message, const char *path_fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- functions that many rows share ---- */
rule_fn rule_one_of;         /* a string that is one of values ("" is listed where allowed) */
rule_fn rule_dns_label;
rule_fn rule_dns_subdomain;
rule_fn rule_not_negative;   /* a quantity */

#endif
