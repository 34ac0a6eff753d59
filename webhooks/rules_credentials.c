/* SPDX-License-Identifier: Apache-2.0 */
/* Access credentials (spec 02, 4.1); `here` is one of them. */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"

static void one_kind(const struct rule *r, const struct subject *s, const json_t *v,
                     struct findings *out)
{
    if (jpath_has(v, "sshPublicKey") + jpath_has(v, "userPassword") != 1)
        rule_report(r, s, out);
}

static void one_source(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (!jpath_has(v, "source.secret"))
        rule_report_at(r, s, out, "%s.source", r->path);
}

static bool has_volume_with(const json_t *spec, const char *source)
{
    size_t i;
    json_t *volume;

    json_array_foreach(jpath_arr(spec, "volumes"), i, volume)
        if (jpath_has(volume, source))
            return true;
    return false;
}

/* The ways to bring a key into the guest, and the volume that each needs. */
static const struct {
    const char *name, *volume;
} methods[] = {
    { "noCloud", "cloudInitNoCloud" },
    { "configDrive", "cloudInitConfigDrive" },
    { "qemuGuestAgent", NULL },
};

static void one_method(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const json_t *method = jpath_obj(v, "propagationMethod");
    int n = 0;

    for (size_t i = 0; i < 3; i++) {
        if (!jpath_has(method, methods[i].name))
            continue;
        n++;
        if (methods[i].volume && !has_volume_with(s->spec, methods[i].volume))
            rule_say(s, out, CAUSE_INVALID, "sshPublicKey.propagationMethod",
                     "%s needs a volume of the kind %s", methods[i].name, methods[i].volume);
    }
    if (n != 1)
        rule_report_at(r, s, out, "%s.propagationMethod", r->path);
}

static void some_users(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (json_array_size(jpath_arr(v, "users")) == 0)
        rule_report_at(r, s, out, "%s.users", r->path);
}

// clang-format off
static const struct rule rules_of_one[] = {
    RULE("", one_kind, INVALID, "set exactly one of sshPublicKey and userPassword"),
    RULE("sshPublicKey", one_source, INVALID, "name the secret that holds the keys"),
    RULE("sshPublicKey", one_method, INVALID, "set exactly one of noCloud, configDrive and qemuGuestAgent"),
    RULE("sshPublicKey.propagationMethod.qemuGuestAgent", some_users, INVALID, "name at least one user"),
    RULE("userPassword", one_source, INVALID, "name the secret that holds the passwords"),
    RULE("userPassword", one_method, INVALID, "set qemuGuestAgent, the one way that a password goes"),
    RULES_END,
};

const struct rule credential_rules[] = {
    EACH("accessCredentials", rules_of_one),
    RULES_END,
};
// clang-format on
