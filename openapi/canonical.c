/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/canonical.h"

#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"

/* Members of a type, separated by blanks. */
struct members {
    const char *type, *names;
};

/* Numbers and booleans whose zero is no different from absence. */
static const struct members zero_is_absent[] = {
    { "CPU", "sockets cores threads maxSockets dedicatedCpuPlacement isolateEmulatorThread" },
    { "ResourceRequirements", "overcommitGuestOverhead" },
    { "Devices", "disableHotplug" },
    { "DiskTarget", "readonly" },
    { "LunTarget", "readonly reservation" },
    { "Probe",
      "initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold" },
    { "DataVolumeSource", "hotpluggable" },
    { "PersistentVolumeClaimSource", "readOnly" },
    { "ClaimVolumeSource", "readOnly hotpluggable" },
    { "MultusNetwork", "default" },
    { "UtilityVolume", "readOnly" },
    { "FeatureKVM", "hidden" },
    { "FeatureAPIC", "endOfInterrupt" },
    { "CustomBlockSize", "logical physical" },
    { "DataVolumeSpec", "finalCheckpoint" },
    { "Interface", "acpiIndex" },
};

/* Texts where "" is not absence: refused on its own, or a value that means none. */
static const struct members empty_is_kept[] = {
    { "VirtualMachineSpec", "runStrategy updateVolumesStrategy" },
    { "InstancetypeMatcher", "inferFromVolumeFailurePolicy" },
    { "VirtualMachineInstanceSpec", "evictionStrategy startStrategy" },
    { "DomainSpec", "ioThreadsPolicy rebootPolicy" },
    { "PanicDevice", "model" },
    { "Disk", "errorPolicy" },
    { "PodResourceClaim", "resourceClaimName resourceClaimTemplateName" },
    { "UtilityVolume", "type" },
    { "Clock", "timezone" },
    { "PodDNSConfigOption", "value" },
    { "PersistentVolumeClaimSpec", "storageClassName volumeMode volumeAttributesClassName" },
    { "StorageSpec", "storageClassName volumeMode" },
    { "TypedLocalObjectReference", "apiGroup" },
    { "TypedObjectReference", "apiGroup namespace" },
    { "DataVolumeSourceRef", "namespace" },
    { "DataVolumeSourceRegistry", "url imageStream pullMethod secretRef certConfigMap" },
};

static bool is_listed(const struct members *list, size_t n, const struct schema *s,
                      const char *name)
{
    const size_t len = strlen(name);

    for (size_t i = 0; i < n; i++) {
        if (!streq(list[i].type, s->name))
            continue;
        for (const char *at = list[i].names; *at; at += strspn(at, " ")) {
            const size_t word = strcspn(at, " ");

            if (word == len && memcmp(at, name, len) == 0)
                return true;
            at += word;
        }
    }
    return false;
}

/* Does the member say no more than its absence? */
static bool is_absent(const struct schema *s, const struct field *f, const json_t *v)
{
    if (json_is_null(v))
        return true;
    if (f->required)
        return false;
    if (f->shape == FIELD_LIST)
        return json_is_array(v) && json_array_size(v) == 0;
    if (f->shape == FIELD_MAP)
        return json_is_object(v) && json_object_size(v) == 0;
    if (json_is_string(v) && json_string_length(v) == 0)
        return f->type == FIELD_STRING &&
               !is_listed(empty_is_kept, countof(empty_is_kept), s, f->name);
    if (json_is_false(v) || (json_is_integer(v) && json_integer_value(v) == 0))
        return is_listed(zero_is_absent, countof(zero_is_absent), s, f->name);
    return false;
}

static json_t *quantity_text(const json_t *v)
{
    struct quantity q;
    char text[QUANTITY_TEXT_MAX];

    return quantity_from_json(v, &q) == 0 ? json_string(quantity_format(q, text)) : NULL;
}

/* Labels and such of embedded metadata, lists of core types: empty is absent. */
static void make_opaque(json_t *v)
{
    const char *key;
    void *next;
    json_t *item;

    json_object_foreach_safe(v, next, key, item) {
        bool is_map = streq(key, "labels") || streq(key, "annotations");

        if (json_is_null(item) || (json_is_array(item) && json_array_size(item) == 0) ||
            (is_map && json_is_object(item) && json_object_size(item) == 0))
            json_object_del(v, key);
    }
}

/* One value of the row's type; what takes its place, or NULL when it stays. */
static json_t *make_one(const struct field *f, json_t *v)
{
    if (f->type == FIELD_QUANTITY)
        return quantity_text(v);
    if (f->type == FIELD_OPAQUE)
        make_opaque(v);
    else if (f->schema)
        canonical_make(f->schema, v);
    return NULL;
}

static void make_member(const struct field *f, json_t *object, const char *key, json_t *v)
{
    size_t i;
    const char *name;
    void *next;
    json_t *item;

    if (f->type != FIELD_QUANTITY && f->type != FIELD_OPAQUE && !f->schema)
        return;
    switch ((enum field_shape)f->shape) {
    case FIELD_ONE: {
        json_t *made = make_one(f, v);
        if (made)
            must_set(object, key, made);
        break;
    }
    case FIELD_LIST:
        json_array_foreach(v, i, item) {
            json_t *made = make_one(f, item);
            if (made)
                must(json_array_set_new(v, i, made) == 0);
        }
        break;
    case FIELD_MAP:
        json_object_foreach_safe(v, next, name, item) {
            json_t *made = make_one(f, item);
            if (made)
                must_set(v, name, made);
        }
        break;
    }
}

void canonical_make(const struct schema *s, json_t *v)
{
    const char *key;
    void *next;
    json_t *item;

    json_object_foreach_safe(v, next, key, item) {
        const struct field *f = schema_field(s, key, strlen(key));

        if (!f)
            continue;
        if (is_absent(s, f, item))
            json_object_del(v, key);
        else
            make_member(f, v, key, item);
    }
}

bool canonical_equal(const struct schema *s, const json_t *a, const json_t *b)
{
    if (a == b || (a && b && json_equal(a, b)))
        return true;
    if (!a || !b)
        return false;

    json_auto_t *x = must_copy(a);
    json_auto_t *y = must_copy(b);
    canonical_make(s, x);
    canonical_make(s, y);
    return json_equal(x, y);
}
