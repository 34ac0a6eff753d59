/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-field rules of an instance's spec, as rows (spec 02, 4.1 to 4.4).  The
 * same rows judge a VirtualMachineInstance, the template of a VirtualMachine and of a
 * replica set; only the place differs.  A rule looks and reports, and never stops the others.
 * Pure: spec and configuration in, findings out.  Any thread.
 */
#ifndef WEBHOOKS_RULES_H
#define WEBHOOKS_RULES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "kube/cluster_config.h"
#include "openapi/findings.h"

/* What a rule looks at.  All borrowed. */
struct subject {
    const json_t *spec;  /* the whole VirtualMachineInstanceSpec */
    const json_t *here;  /* what the paths of rows start from: the spec or a part of it */
    const struct at *at; /* where `here` is: "spec", "spec.template.spec.domain.devices" */
    size_t index;        /* of `here` in its list, for rows under EACH */
    const char *arch;    /* spec.architecture, "" when unset */
    const struct cluster_config *config;
    bool is_create;
};

/* The subject whose `here` is the spec itself. */
struct subject subject_of(const json_t *spec, const struct at *at,
                          const struct cluster_config *config, bool is_create);

struct rule;
/* `v` is the value at the row's path, NULL only for rows that want to see absence. */
typedef void rule_fn(const struct rule *r, const struct subject *s, const json_t *v,
                     struct findings *out);

struct rule {
    const char *path; /* below `here`; "" is `here` itself.  Absent or null: the row is skipped */
    rule_fn *check;
    enum cause cause;          /* of its findings */
    const char *message;       /* of its findings; NULL: the function words them */
    const char *const *values; /* for rule_one_of: NULL-terminated */
    const struct rule *rows;   /* for BELOW and EACH */
    const char *gate;          /* for rule_gate: the feature gate that must be on */
    bool also_absent;          /* called with NULL too */
};

// clang-format off
#define RULE(where, fn, why, text, ...) \
    { .path = (where), .check = (fn), .cause = CAUSE_##why, .message = (text), ##__VA_ARGS__ }
#define VALUES(...) .values = (const char *const[]){ __VA_ARGS__, NULL }
/* Rows of a part: of the object at `where`, of every object of the list at `where`. */
#define BELOW(where, table) { .path = (where), .check = rule_below, .rows = (table) }
#define EACH(where, table)  { .path = (where), .check = rule_each, .rows = (table) }
#define RULES_END           { .check = NULL }
// clang-format on

/* Tables by subject; each ends with RULES_END. */
extern const struct rule compute_rules[];    /* CPU, memory, resources, machine */
extern const struct rule firmware_rules[];   /* firmware, launch security */
extern const struct rule disk_rules[];       /* what holds for each disk on its own */
extern const struct rule storage_rules[];    /* disks with volumes, boot order, file systems */
extern const struct rule volume_rules[];     /* volumes */
extern const struct rule network_rules[];    /* networks and interfaces */
extern const struct rule device_rules[];     /* other devices */
extern const struct rule claim_rules[];      /* resource claims and who uses them */
extern const struct rule pod_rules[];        /* host name, DNS, probes */
extern const struct rule scheduling_rules[]; /* where the pod may run */
extern const struct rule credential_rules[]; /* access credentials */

/* Node selector, affinity and tolerations of any other object that holds them. */
extern const struct rule placement_rules[];

void rules_run(const struct rule *rules, const struct subject *s, struct findings *out);
/* All of the above. */
void rules_check_spec(const struct subject *s, struct findings *out);

/* ---- for rule functions ---- */

/* Report at the row's own path, with its cause and message. */
void rule_report(const struct rule *r, const struct subject *s, struct findings *out);
/* ... at a path below `here` (printf). */
void rule_report_at(const struct rule *r, const struct subject *s, struct findings *out,
                    const char *path_fmt, ...) __attribute__((format(printf, 4, 5)));
/* Report another cause or message at a path below `here` ("" is `here`). */
void rule_say(const struct subject *s, struct findings *out, enum cause cause, const char *path,
              const char *message_fmt, ...) __attribute__((format(printf, 5, 6)));

/* ---- functions that many rows share ---- */
rule_fn rule_below;
rule_fn rule_each;
rule_fn rule_one_of;        /* a string that is one of .values; "" only when listed */
rule_fn rule_dns_label;     /* "" is fine */
rule_fn rule_dns_subdomain; /* "" is fine */
rule_fn rule_not_negative;  /* a quantity */
rule_fn rule_not_empty;     /* a string */
rule_fn rule_gate;          /* present only while .gate is on */
rule_fn rule_refuse;        /* must not be present */

/* ---- questions that several subjects ask ---- */

/* A quantity at a path, zero when absent or malformed. */
struct quantity quantity_at(const json_t *v, const char *path);
/* spec.volumes by name, or NULL. */
const json_t *volume_named(const json_t *spec, const char *name);
/* The network of that name, or NULL. */
const json_t *network_named(const json_t *spec, const char *name);
bool is_pci_address(const char *s);
/* An absolute path without "", "." and ".." steps or a closing slash; "/" is one. */
bool is_clean_path(const char *s);

#endif
