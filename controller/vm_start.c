/* SPDX-License-Identifier: Apache-2.0 */
/* Instance and start revision of a VirtualMachine; see vm_start.h. */
#include "controller/vm_start.h"

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/names.h"
#include "kube/matcher.h"
#include "openapi/vm_expand.h"

#define FIRMWARE_NAMESPACE "6a1a24a1-4061-4607-8bf4-a3963d0c5895"

void legacy_firmware_uuid(const char *vm_name, char out[37])
{
    uuid_v5(FIRMWARE_NAMESPACE, vm_name, out);
}

json_t *owner_of_vm(const json_t *vm)
{
    return must_pack("[{s:s, s:s, s:s, s:s, s:b, s:b}]", "apiVersion", "kubevirt.io/v1", "kind",
                     "VirtualMachine", "name", meta_name(vm), "uid", meta_uid(vm), "controller", 1,
                     "blockOwnerDeletion", 1);
}

/* ---- the revision ---- */

static char *revision_name(const json_t *vm, json_int_t generation)
{
    return must_asprintf("revision-start-vm-%s-%lld", meta_uid(vm), (long long)generation);
}

char *start_revision_name(const json_t *vm)
{
    return revision_name(vm, jpath_int(vm, "metadata.generation", 0));
}

json_t *start_revision(const json_t *vm)
{
    scoped(free) char *name = start_revision_name(vm);
    return must_pack("{s:s, s:s, s:{s:s, s:s, s:o}, s:{s:O}, s:I}", "apiVersion", "apps/v1", "kind",
                     "ControllerRevision", "metadata", "name", name, "namespace",
                     meta_namespace(vm), "ownerReferences", owner_of_vm(vm), "data", "spec",
                     json_object_get(vm, "spec"), "revision",
                     jpath_int(vm, "metadata.generation", 0));
}

/* ---- the instance ---- */

/* By what it was made, for people and metrics. */
static void annotate_types(const json_t *vm, json_t *annotations)
{
    for (size_t m = 0; m < MATCHERS; m++) {
        const json_t *matcher = matcher_of((enum matcher)m, vm);
        const struct kube_kind *kind = matcher_kind((enum matcher)m, matcher);

        if (matcher && kind)
            must_set(annotations,
                     kind->is_cluster_scoped ? matcher_rows[m].cluster_annotation
                                             : matcher_rows[m].annotation,
                     json_string(jpath_str(matcher, "name", "")));
    }
}

static json_t *copy_or_empty(const json_t *object)
{
    return object ? must_copy(object) : json_object();
}

static json_t *vmi_metadata(const json_t *vm)
{
    const json_t *template = jpath_obj(vm, "spec.template.metadata");
    const json_t *labels = jpath_obj(template, "labels");
    json_t *annotations = copy_or_empty(jpath_obj(template, "annotations"));
    scoped(free) char *generation =
        must_asprintf("%lld", (long long)jpath_int(vm, "metadata.generation", 0));

    /* The observed versions are put on at birth, so that nobody has to write them later. */
    must_set(annotations, ANNOTATION_VM_GENERATION, json_string(generation));
    must_set(annotations, ANNOTATION_LATEST_API, json_string("v1"));
    must_set(annotations, ANNOTATION_STORAGE_API, json_string("v1"));
    annotate_types(vm, annotations);
    if (streq(jpath_str(vm, "spec.runStrategy", ""), "WaitAsReceiver"))
        must_set(annotations, ANNOTATION_MIGRATION_TARGET, json_string("true"));
    json_t *meta = must_pack("{s:s, s:s, s:o, s:[s], s:o}", "name", meta_name(vm), "namespace",
                             meta_namespace(vm), "annotations", annotations, "finalizers",
                             FINALIZER_VM, "ownerReferences", owner_of_vm(vm));
    if (json_object_size(labels) > 0)
        must_set(meta, "labels", must_copy(labels));
    return meta;
}

/* What the instance will say until its guest runs: said at birth, its machine need not be told
 * twice. */
static json_t *not_yet_ready(int64_t now_ms)
{
    char now[RFC3339_MAX];
    json_auto_t *holder = json_object();
    condition_set(holder, "Ready", "False", "GuestNotRunning", MESSAGE_NOT_RUNNING,
                  rfc3339(now_ms, now));
    return json_incref(jpath_arr(holder, "status.conditions"));
}

json_t *vmi_from_vm(const json_t *vm, const struct cluster_config *config, bool starts_paused,
                    int64_t now_ms)
{
    json_auto_t *template = copy_or_empty(jpath_obj(vm, "spec.template"));
    template_fill(template, NULL, config->default_network_interface);
    json_t *spec = json_object_get(template, "spec");

    if (!jpath_str(spec, "domain.firmware.uuid", "")[0]) {
        char uuid[37];
        legacy_firmware_uuid(meta_name(vm), uuid);
        jpath_set_str(spec, "domain.firmware.uuid", uuid);
    }
    if (starts_paused)
        jpath_set_str(spec, "startStrategy", "Paused");

    scoped(free) char *revision = start_revision_name(vm);
    return must_pack("{s:s, s:s, s:o, s:O, s:{s:s, s:o}}", "apiVersion", "kubevirt.io/v1", "kind",
                     "VirtualMachineInstance", "metadata", vmi_metadata(vm), "spec", spec, "status",
                     "virtualMachineRevisionName", revision, "conditions", not_yet_ready(now_ms));
}

/* ---- is a restart required ---- */

static const json_t *template_of_revision(const json_t *revision)
{
    return jpath_obj(revision, "data.spec.template");
}

/* Another instance type or preference takes effect with the next start. */
static bool types_are_unchanged(const json_t *vm, const json_t *revision)
{
    const json_t *then = jpath_obj(revision, "data");

    for (size_t m = 0; m < MATCHERS; m++) {
        const json_t *a = matcher_of((enum matcher)m, vm);
        const json_t *b = matcher_of((enum matcher)m, then);

        if (a != b && !json_equal(a, b)) /* both may be absent */
            return false;
    }
    return true;
}

bool template_is_unchanged(const json_t *vm, const json_t *revision)
{
    return types_are_unchanged(vm, revision) &&
           json_equal(jpath_obj(vm, "spec.template"), template_of_revision(revision));
}

/* Brought about while the machine runs, or without meaning for it. */
static const char *const live_fields[] = {
    "domain.cpu.sockets", "domain.memory.guest", "domain.firmware.uuid", "nodeSelector",
    "affinity",           "tolerations",
};

static bool is_hotpluggable(const json_t *volume)
{
    return jpath_bool(volume, "persistentVolumeClaim.hotpluggable", false) ||
           jpath_bool(volume, "dataVolume.hotpluggable", false);
}

static void drop_named(json_t *list, const char *name)
{
    for (size_t i = json_array_size(list); i > 0; i--)
        if (streq(jpath_str(json_array_get(list, i - 1), "name", ""), name))
            json_array_remove(list, i - 1);
}

static void drop_hotplugged(json_t *spec)
{
    json_t *volumes = jpath_arr(spec, "volumes");
    json_t *disks = jpath_arr(spec, "domain.devices.disks");
    for (size_t i = json_array_size(volumes); i > 0; i--) {
        json_t *volume = json_array_get(volumes, i - 1);
        if (!is_hotpluggable(volume))
            continue;
        drop_named(disks, jpath_str(volume, "name", ""));
        json_array_remove(volumes, i - 1);
    }
    if (volumes && json_array_size(volumes) == 0)
        json_object_del(spec, "volumes");
    if (disks && json_array_size(disks) == 0)
        jpath_del(spec, "domain.devices.disks");
}

/* An object that only existed to hold what was taken out must not count as a difference. */
static void drop_if_empty(json_t *spec, const char *path)
{
    const json_t *object = jpath_obj(spec, path);
    if (object && json_object_size(object) == 0)
        jpath_del(spec, path);
}

static json_t *without_live_fields(const json_t *template, const struct cluster_config *config)
{
    json_t *spec = copy_or_empty(jpath_obj(template, "spec"));
    if (!config->is_rollout_live) {
        jpath_del(spec, "domain.firmware.uuid");
        drop_if_empty(spec, "domain.firmware");
        return spec;
    }
    for (size_t i = 0; i < countof(live_fields); i++)
        jpath_del(spec, live_fields[i]);
    drop_hotplugged(spec);
    static const char *const holders[] = { "domain.cpu", "domain.memory", "domain.firmware" };
    for (size_t i = 0; i < countof(holders); i++)
        drop_if_empty(spec, holders[i]);
    return spec;
}

bool restart_is_required(const json_t *vm, const json_t *revision,
                         const struct cluster_config *config)
{
    if (!types_are_unchanged(vm, revision))
        return true;
    json_auto_t *now = without_live_fields(jpath_obj(vm, "spec.template"), config);
    json_auto_t *then = without_live_fields(template_of_revision(revision), config);
    return !json_equal(now, then);
}
