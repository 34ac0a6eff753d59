/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes (spec 02, 4.1); `here` is one of them. */
#include <stdio.h>

#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"

enum { CLOUD_INIT_MAX = 2048 };

static const char *const sources[] = {
    "cloudInitConfigDrive",
    "cloudInitNoCloud",
    "configMap",
    "containerDisk",
    "containerPath",
    "dataVolume",
    "downwardAPI",
    "downwardMetrics",
    "emptyDisk",
    "ephemeral",
    "hostDisk",
    "memoryDump",
    "persistentVolumeClaim",
    "secret",
    "serviceAccount",
    "sysprep",
};

static void one_source(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    int n = 0;

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
        n += jpath_has(v, sources[i]);
    if (n != 1)
        rule_report(r, s, out);
}

static void unique_name(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const json_t *volumes = jpath_arr(s->spec, "volumes");

    for (size_t i = 0; i < s->index; i++)
        if (streq(jpath_str(json_array_get(volumes, i), "name", ""), json_string_value(v)))
            rule_report(r, s, out);
}

/* Of these, a machine has at most one. */
static void only_one(const struct rule *r, const struct subject *s, const json_t *v,
                     struct findings *out)
{
    const json_t *volumes = jpath_arr(s->spec, "volumes");

    for (size_t i = 0; i < s->index; i++) {
        if (jpath_has(json_array_get(volumes, i), r->path)) {
            rule_say(s, out, r->cause, "", "%s", r->message);
            return;
        }
    }
}

/* The gate's row reports at the volume: a volume source is not a field of its own to the user. */
static void gate_of_volume(const struct rule *r, const struct subject *s, const json_t *v,
                           struct findings *out)
{
    if (!cluster_config_gate(s->config, r->gate))
        rule_say(s, out, r->cause, "", "%s", r->message);
}

static void claim_has_name(const struct rule *r, const struct subject *s, const json_t *v,
                           struct findings *out)
{
    if (!*jpath_str(v, "name", ""))
        rule_report_at(r, s, out, "name");
}

/* The member that names the object a volume is made from. */
static void names_object(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    const char *member = *r->values;

    if (!*jpath_str(v, member, ""))
        rule_report_at(r, s, out, "%s.%s", r->path, member);
}

/* ---- cloud-init ---- */

/* The three ways to give one text: plain, encoded, by secret. */
struct cloud_text {
    const char *what;
    const char *plain, *encoded, *secret;
};

static const struct cloud_text user_data = { "user data", "userData", "userDataBase64",
                                             "secretRef" };
static const struct cloud_text network_data = { "network data", "networkData", "networkDataBase64",
                                                "networkDataSecretRef" };

/* How many ways are used. */
static int check_text(const struct rule *r, const struct subject *s, const json_t *v,
                      const struct cloud_text *t, struct findings *out)
{
    const char *plain = jpath_str(v, t->plain, "");
    const char *encoded = jpath_str(v, t->encoded, "");
    const char *secret = jpath_str(jpath_obj(v, t->secret), "name", "");
    int ways = (*plain != '\0') + (*encoded != '\0') + (*secret != '\0');
    size_t len = strlen(plain);
    char path[64];

    if (ways > 1)
        rule_say(s, out, CAUSE_INVALID, r->path, "give the %s in one way only", t->what);
    if (*encoded) {
        void *decoded = str_unbase64(encoded, &len);

        (void)snprintf(path, sizeof(path), "%s.%s", r->path, t->encoded);
        if (!decoded)
            rule_say(s, out, CAUSE_INVALID, path, "is not base64");
        free(decoded);
    }
    if (len > CLOUD_INIT_MAX)
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "the %s is longer than %d bytes: put it into a secret", t->what, CLOUD_INIT_MAX);
    return ways;
}

static void cloud_init(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    int ways = check_text(r, s, v, &user_data, out) + check_text(r, s, v, &network_data, out);

    if (ways == 0)
        rule_report(r, s, out);
}

/* ---- host disks, container disks ---- */

static void host_disk(const struct rule *r, const struct subject *s, const json_t *v,
                      struct findings *out)
{
    const char *type = jpath_str(v, "type", "");

    if (!*jpath_str(v, "path", ""))
        rule_say(s, out, CAUSE_NOT_FOUND, "hostDisk.path", "name a path on the node");
    if (!streq(type, "Disk") && !streq(type, "DiskOrCreate"))
        rule_say(s, out, CAUSE_INVALID, "hostDisk.type", "use Disk or DiskOrCreate");
    if (streq(type, "Disk") && quantity_at(v, "capacity").nano != 0)
        rule_say(s, out, CAUSE_INVALID, "hostDisk.capacity",
                 "goes only with the type DiskOrCreate");
}

static void container_disk_path(const struct rule *r, const struct subject *s, const json_t *v,
                                struct findings *out)
{
    const char *path = json_string_value(v);

    if (path && *path && (streq(path, "/") || !is_clean_path(path)))
        rule_say(s, out, r->cause, "containerDisk", "%s", r->message);
}

// clang-format off
static const struct rule rules_of_one[] = {
    RULE("name", unique_name, INVALID, "is the name of an earlier volume: give each its own"),
    RULE("", one_source, INVALID, "set exactly one source, such as containerDisk or persistentVolumeClaim"),
    RULE("dataVolume", claim_has_name, REQUIRED, "name the DataVolume"),
    RULE("cloudInitNoCloud", cloud_init, INVALID, "give user data or network data"),
    RULE("cloudInitConfigDrive", cloud_init, INVALID, "give user data or network data"),
    RULE("downwardMetrics", gate_of_volume, INVALID, "downwardMetrics needs the feature gate DownwardMetrics",
         .gate = "DownwardMetrics"),
    RULE("hostDisk", gate_of_volume, INVALID, "hostDisk needs the feature gate HostDisk", .gate = "HostDisk"),
    RULE("hostDisk", host_disk, INVALID, NULL),
    RULE("configMap", names_object, INVALID, "name the ConfigMap", VALUES("name")),
    RULE("secret", names_object, INVALID, "name the Secret", VALUES("secretName")),
    RULE("serviceAccount", names_object, INVALID, "name the ServiceAccount", VALUES("serviceAccountName")),
    RULE("serviceAccount", only_one, INVALID, "a machine has at most one serviceAccount volume"),
    RULE("downwardMetrics", only_one, INVALID, "a machine has at most one downwardMetrics volume"),
    RULE("memoryDump", only_one, INVALID, "a machine has at most one memoryDump volume"),
    RULE("containerDisk.path", container_disk_path, INVALID,
         "path must be an absolute path of a file in the image, without . and .. steps"),
    RULES_END,
};

const struct rule volume_rules[] = {
    EACH("volumes", rules_of_one),
    RULES_END,
};
// clang-format on
