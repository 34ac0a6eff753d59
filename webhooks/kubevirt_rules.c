/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the KubeVirt object's spec (spec 02, end of section 2). */
#include "webhooks/kubevirt_rules.h"

#include <math.h>
#include <stdlib.h>

#include "base/jpath.h"
#include "base/options.h"
#include "base/scope.h"
#include "base/str.h"

/* Report below the row's own path. */
static void say_below(const struct rule *r, const struct subject *s, struct findings *out,
                      const char *path, const char *message)
{
    const struct at at = AT_NAME(s->at, r->path);
    struct subject part = *s;

    part.at = &at;
    rule_say(&part, out, r->cause, path, "%s", message);
}

/* ---- changes of the installation's objects ---- */

static void patch(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    json_auto_t *parsed = NULL;
    struct error e;

    if (json_parse(&parsed, json_string_value(v), json_string_length(v), &e) < 0)
        rule_report(r, s, out);
}

// clang-format off
static const struct rule patch_rules[] = {
    RULE("patch", patch, NOT_SUPPORTED, "is not JSON: write the patch as JSON"),
    RULES_END,
};
// clang-format on

/* ---- certificates ---- */

/* The first that is given of two spellings, in ms; `dflt` when neither is, -1 when malformed. */
static long long duration_of(const json_t *self_signed, const char *path, const char *old_path,
                             long long dflt)
{
    const char *text = jpath_str(self_signed, path, jpath_str(self_signed, old_path, NULL));
    long long ms = dflt;

    return text && duration_parse(text, &ms) < 0 ? -1 : ms;
}

static void certificates(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    enum { HOUR_MS = 3600 * 1000, RENEW_BEFORE = 5 /* the last fifth */ };
    static const char *const old[] = { "caRotateInterval", "certRotateInterval",
                                       "caOverlapInterval" };
    bool has_new = jpath_has(v, "ca") || jpath_has(v, "server");
    long long ca = duration_of(v, "ca.duration", old[0], 7LL * 24 * HOUR_MS);
    long long server = duration_of(v, "server.duration", old[1], 24LL * HOUR_MS);
    long long ca_before = duration_of(v, "ca.renewBefore", old[2], ca / RENEW_BEFORE);
    long long server_before = duration_of(v, "server.renewBefore", "", server / RENEW_BEFORE);
    const struct {
        bool is_wrong;
        const char *path, *message;
    } rows[] = {
        { ca < 0, "ca.duration", "write a duration such as 168h" },
        { server < 0, "server.duration", "write a duration such as 24h" },
        { ca_before < 0, "ca.renewBefore", "write a duration such as 24h" },
        { server_before < 0, "server.renewBefore", "write a duration such as 4h" },
        { ca >= 0 && ca_before > ca, "ca.renewBefore", "cannot exceed ca.duration" },
        { server >= 0 && server_before > server, "server.renewBefore",
          "cannot exceed server.duration" },
        { ca >= 0 && server > ca, "server.duration", "cannot exceed ca.duration" },
    };

    for (size_t i = 0; has_new && i < countof(old); i++)
        if (jpath_has(v, old[i])) {
            rule_say(s, out, CAUSE_NOT_SUPPORTED, r->path,
                     "%s is deprecated and conflicts with "
                     "ca and server: leave it out",
                     old[i]);
        }
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].is_wrong)
            say_below(r, s, out, rows[i].path, rows[i].message);
}

/* ---- numbers ---- */

static void overhead_ratio(const struct rule *r, const struct subject *s, const json_t *v,
                           struct findings *out)
{
    const char *text = json_string_value(v);
    char *end = NULL;
    double ratio = text ? strtod(text, &end) : 0;

    if (!text || end == text || *end || !isfinite(ratio) || ratio < 1)
        rule_report(r, s, out);
}

static void not_zero(const struct rule *r, const struct subject *s, const json_t *v,
                     struct findings *out)
{
    if (json_integer_value(v) <= 0)
        rule_report(r, s, out);
}

/* ---- feature gates ---- */

static void gates_apart(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const json_t *on = jpath_arr(s->spec, "configuration.developerConfiguration.featureGates");
    size_t i, j;
    json_t *off, *gate;

    json_array_foreach(v, i, off) {
        json_array_foreach(on, j, gate)
            if (json_equal(off, gate)) {
                rule_report_at(r, s, out, "%s[%zu]", r->path, i);
                break;
            }
    }
}

static void manual_roles(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    if (streq(json_string_value(v), "Manual") &&
        !cluster_config_gate(s->config, "OptOutRoleAggregation"))
        rule_report(r, s, out);
}

static void downtime(const struct rule *r, const struct subject *s, const json_t *v,
                     struct findings *out)
{
    (void)v;
    if (!cluster_config_gate(s->config, "MigrationDowntimeTuning") &&
        !cluster_config_gate(s->config, "MigrationStallDetection"))
        rule_report(r, s, out);
}

// clang-format off
const struct rule kubevirt_rules[] = {
    EACH("customizeComponents.patches", patch_rules),
    RULE("certificateRotateStrategy.selfSigned", certificates, INVALID, NULL),
    RULE("configuration.additionalGuestMemoryOverheadRatio", overhead_ratio, NOT_SUPPORTED,
         "write a number of at least 1.0, such as \"1.25\""),
    RULE("infra.replicas", not_zero, INVALID, "cannot be 0: virt-api and virt-controller are needed"),
    RULE("configuration.developerConfiguration.disabledFeatureGates", gates_apart, INVALID,
         "stands in featureGates too: leave it out of one of the lists"),
    RULE("configuration.roleAggregationStrategy", manual_roles, INVALID, "Manual needs the feature gate OptOutRoleAggregation"),
    RULE("configuration.migrations.maxDowntimeMs", downtime, INVALID,
         "needs the feature gate MigrationDowntimeTuning or MigrationStallDetection"),
    RULES_END,
};
// clang-format on

/* ---- TLS ---- */

/* Suites up to TLS 1.2, by the names that upstream's Go library has for them. */
static const char *const ciphers[] = {
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
};

static bool is_cipher(const char *name)
{
    for (size_t i = 0; i < countof(ciphers); i++)
        if (streq(ciphers[i], name))
            return true;
    return false;
}

static void cipher_names(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    const char *version = jpath_str(s->spec, "configuration.tlsConfiguration.minTLSVersion", "");
    size_t i;
    json_t *name;

    if (json_array_size(v) > 0 && (!*version || streq(version, "VersionTLS13"))) {
        rule_say(s, out, r->cause, r->path,
                 "TLS 1.3 chooses its own: set minTLSVersion to VersionTLS12, or leave them out");
        return;
    }
    json_array_foreach(v, i, name)
        if (!is_cipher(json_string_value(name)))
            rule_report_at(r, s, out, "%s[%zu]", r->path, i);
}

// clang-format off
const struct rule kubevirt_tls_rules[] = {
    RULE("configuration.tlsConfiguration.ciphers", cipher_names, NOT_SUPPORTED,
         "is not a cipher suite: use names such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    RULES_END,
};
// clang-format on

/* ---- seccomp ---- */

static void profile(const struct rule *r, const struct subject *s, const json_t *v,
                    struct findings *out)
{
    static const char local[] = "localhostProfile", runtime[] = "runtimeDefaultProfile";

    if (!v) {
        rule_report(r, s, out);
        return;
    }
    if (!jpath_has(v, local) || !jpath_bool(v, runtime, false))
        return;
    say_below(r, s, out, local, "cannot be set when runtimeDefaultProfile is set");
    say_below(r, s, out, runtime, "cannot be set when localhostProfile is set");
}

// clang-format off
static const struct rule profile_rules[] = {
    RULE("customProfile", profile, INVALID, "needs to be set", .also_absent = true),
    RULES_END,
};

const struct rule kubevirt_seccomp_rules[] = {
    BELOW("configuration.seccompConfiguration.virtualMachineInstanceProfile", profile_rules),
    RULES_END,
};
// clang-format on

// clang-format off
const struct rule kubevirt_infra_rules[] = {
    BELOW("infra.nodePlacement", placement_rules),
    RULES_END,
};

const struct rule kubevirt_workloads_rules[] = {
    BELOW("workloads.nodePlacement", placement_rules),
    RULES_END,
};
// clang-format on
