/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes that are to be added to a machine or taken from it, as its status lists them: each
 * request on its own, and the machine and its running instance as they are going to be (spec 02,
 * section 6, step 8).
 */
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"
#include "openapi/machine.h"
#include "webhooks/rules_vm.h"

#define ADD "addVolumeOptions"
#define REMOVE "removeVolumeOptions"
#define FIELD "status.volumeRequests"
#define TEMPLATE "spec.template.spec"

/* ---- each request ---- */

static void one_of_both(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    if (!jpath_obj(v, ADD) == !jpath_obj(v, REMOVE))
        rule_report(r, s, out);
}

/* Only these can come and go while a guest runs. */
static void disk(const struct rule *r, const struct subject *s, const json_t *v,
                 struct findings *out)
{
    const char *bus = jpath_str(v, "disk.bus", jpath_str(v, "lun.bus", ""));
    bool is_disk = jpath_has(v, "disk") && (streq(bus, "scsi") || streq(bus, "virtio"));
    bool is_lun = jpath_has(v, "lun") && streq(bus, "scsi");

    if (!is_disk && !is_lun)
        rule_report(r, s, out);
    if (jpath_bool(v, "dedicatedIOThread", false) && !streq(bus, "virtio"))
        rule_say(s, out, r->cause, r->path, "dedicatedIOThread needs the bus virtio");
}

// clang-format off
static const struct rule add_rules[] = {
    RULE("disk", disk, INVALID, "must be a disk on scsi or virtio, or a lun on scsi"),
    RULES_END,
};

static const struct rule request_rules[] = {
    RULE("", one_of_both, INVALID, "set exactly one of " ADD " and " REMOVE),
    BELOW(ADD, add_rules),
    RULES_END,
};
// clang-format on

/* ---- all of them ---- */

static const char *request_name(const json_t *request, const char **ret_kind)
{
    *ret_kind = jpath_obj(request, ADD) ? ADD : REMOVE;
    return jpath_str(json_object_get(request, *ret_kind), "name", "");
}

static void no_twins(const struct rule *r, const struct subject *s, const json_t *v,
                     struct findings *out)
{
    json_auto_t *seen = json_object();
    size_t i;
    json_t *request;

    json_array_foreach(v, i, request) {
        const char *kind;
        const char *name = request_name(request, &kind);
        scoped(free) char *key = must_asprintf("%s %s", kind, name);

        if (json_object_get(seen, key))
            rule_report_at(r, s, out, "%s[%zu]", r->path, i);
        must_set(seen, key, json_true());
    }
}

// clang-format off
static const struct rule status_rules[] = {
    EACH("volumeRequests", request_rules),
    RULE("volumeRequests", no_twins, INVALID, "the same is asked for above: leave one out"),
    RULES_END,
};
// clang-format on

/* ---- the machine as it is going to be ---- */

static void remove_named(json_t *list, const char *name)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (streq(jpath_str(json_array_get(list, i), "name", ""), name))
            (void)json_array_remove(list, i);
}

/* Do they show the same claim?  What is asked for twice in the same words is no conflict. */
static bool is_same_source(const json_t *volume, const json_t *source)
{
    static const char *const names[] = { "dataVolume.name", "persistentVolumeClaim.claimName" };

    for (size_t i = 0; i < countof(names); i++)
        if (!streq(jpath_str(volume, names[i], NULL), jpath_str(source, names[i], NULL)))
            return false;
    return true;
}

static void add_volume(json_t *spec, const json_t *options, size_t index, struct findings *out)
{
    const char *name = jpath_str(options, "name", "");
    const json_t *source = jpath_obj(options, "volumeSource");
    const json_t *there = volume_named(spec, name);

    if (there && !is_same_source(there, source)) {
        scoped(free) char *field = must_asprintf(FIELD "[%zu]", index);
        findings_add(out, CAUSE_INVALID, field,
                     "the machine has another volume of that name: use a new name");
    }
    if (there)
        return;

    json_t *volume = source ? must_copy(source) : json_object();
    json_t *device = must_copy(json_object_get(options, "disk"));
    jpath_set_str(volume, "name", name);
    jpath_set_str(device, "name", name);
    must_append(jpath_make_arr(spec, "volumes"), volume);
    must_append(jpath_make_arr(spec, "domain.devices.disks"), device);
}

/* `given` is the spec of the template or of the instance; paths of the rules begin with `at`. */
static void simulate(const struct review *rv, const json_t *requests, const json_t *given,
                     const char *at_path, struct findings *out)
{
    const struct at at = AT_NAME(NULL, at_path);
    json_auto_t *spec = given ? must_copy(given) : json_object();
    size_t i;
    json_t *request;

    json_array_foreach(requests, i, request) {
        const char *kind;
        const char *name = request_name(request, &kind);

        if (streq(kind, ADD)) {
            add_volume(spec, json_object_get(request, ADD), i, out);
        } else {
            remove_named(jpath_arr(spec, "volumes"), name);
            remove_named(jpath_arr(spec, "domain.devices.disks"), name);
        }
    }

    const struct subject s = subject_of(spec, &at, rv->config, rv->is_create);
    rules_run(disk_rules, &s, out);
    rules_run(storage_rules, &s, out);
    rules_run(volume_rules, &s, out);
}

/* ---- the running instance ---- */

/* NULL when there is none that volumes could reach, or nobody to ask.  When that cannot be told,
 * the review has been refused. */
static json_t *running_instance(struct review *rv)
{
    const char *name = meta_name(rv->object);
    json_t *vmi = NULL;
    struct error e = { 0 };

    if (!rv->kube || !is_dns_subdomain(name)) /* what is no name cannot be there */
        return NULL;
    int r = kube_get(rv->kube, &KIND_VMI, rv->namespace, name, &vmi, &e);
    if (r < 0 && r != -ERR_NOT_FOUND) {
        rv->denied = e;
        error_wrap(&rv->denied, "look for the instance");
    }
    if (r == 0 && (meta_is_deleting(vmi) || vmi_is_final(vmi))) {
        json_decref(vmi);
        return NULL;
    }
    return vmi;
}

static void check_instance(struct review *rv, const json_t *requests)
{
    json_auto_t *vmi = running_instance(rv);
    scoped_findings found;

    findings_init(&found);
    if (!vmi)
        return;
    if (jpath_has(vmi, "status.migrationState.startTimestamp") &&
        !jpath_has(vmi, "status.migrationState.endTimestamp"))
        findings_add(&rv->findings, CAUSE_NOT_SUPPORTED, FIELD,
                     "volumes cannot come and go while the instance migrates: wait for it");
    simulate(rv, requests, jpath_obj(vmi, "spec"), "spec", &found);
    for (size_t i = 0; i < found.len; i++)
        findings_add(&rv->findings, found.item[i].cause, FIELD,
                     "the running instance cannot take them, %s: %s", found.item[i].field,
                     found.item[i].message);
}

bool vm_volume_requests_ask(const json_t *body)
{
    const json_t *requests = jpath_arr(body, "request.object." FIELD);

    return json_array_size(requests) > 0 &&
           !json_equal(requests, jpath(body, "request.oldObject." FIELD));
}

void vm_volume_requests_check(struct review *rv)
{
    const struct at at = AT_NAME(NULL, "status");
    const json_t *status = jpath_obj(rv->object, "status");
    const json_t *requests = jpath_arr(status, "volumeRequests");
    const struct subject s = subject_of(status, &at, rv->config, rv->is_create);
    size_t before = rv->findings.len;

    /* Requests that were let in before stay; they may have been carried out since. */
    if (!json_array_size(requests) || json_equal(requests, jpath(rv->old, FIELD)))
        return;
    rules_run(status_rules, &s, &rv->findings);
    if (rv->findings.len == before)
        simulate(rv, requests, jpath_obj(rv->object, TEMPLATE), TEMPLATE, &rv->findings);
    if (rv->findings.len == before)
        check_instance(rv, requests);
}
