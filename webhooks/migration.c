/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations (spec 02, section 7).  A new one is also judged by its instance and by the other
 * migrations of it, which are asked for: both change by the second, and migrations are rare.
 */
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/message.h"
#include "kube/client.h"
#include "openapi/machine.h"
#include "webhooks/rules_vmi.h"
#include "webhooks/validators.h"

#define VMI_NAME_LABEL "kubevirt.io/vmi-name"

static bool is_decentralized(const json_t *migration)
{
    return jpath_has(migration, "spec.sendTo") || jpath_has(migration, "spec.receive");
}

/* ---- what the object alone tells ---- */

static void check_new(struct review *rv)
{
    scoped(free) char *controller = own_account_name(rv, "kubevirt-controller");

    if (!*jpath_str(rv->object, "spec.vmiName", ""))
        findings_add(&rv->findings, CAUSE_REQUIRED, "spec.vmiName",
                     "missing: the instance to migrate");
    if (*jpath_str(rv->object, "spec.priority", "") && !streq(rv->user, controller))
        findings_add(&rv->findings, CAUSE_FORBIDDEN, "spec.migrationPriority",
                     "is set by virt-controller only: leave out spec.priority");
}

static void check_decentralized(struct review *rv)
{
    static const char *const ends[] = { "spec.sendTo", "spec.receive" };
    const char *sent = jpath_str(rv->object, "spec.sendTo.migrationID", NULL);
    const char *received = jpath_str(rv->object, "spec.receive.migrationID", NULL);

    for (size_t i = 0; i < countof(ends); i++)
        if (jpath_has(rv->object, ends[i]) &&
            !cluster_config_gate(rv->config, "DecentralizedLiveMigration"))
            findings_add(&rv->findings, CAUSE_NOT_SUPPORTED, ends[i],
                         "needs the feature gate DecentralizedLiveMigration");
    if (sent && received && !streq(sent, received))
        findings_add(&rv->findings, CAUSE_INVALID, "spec.receive.migrationID",
                     "must be the same as spec.sendTo.migrationID");
}

static void check_change(struct review *rv)
{
    if (!json_equal(json_object_get(rv->object, "spec"), json_object_get(rv->old, "spec")))
        findings_add(&rv->findings, CAUSE_NOT_SUPPORTED, "",
                     "update of Migration object's spec is restricted: make a new migration");
    if (!vmi_is_final(rv->old) && meta_label(rv->old, VMI_NAME_LABEL) &&
        !streq(meta_label(rv->object, VMI_NAME_LABEL), meta_label(rv->old, VMI_NAME_LABEL)))
        findings_add(&rv->findings, CAUSE_NOT_SUPPORTED, "metadata.labels",
                     "%s must stay while the migration is in flight", VMI_NAME_LABEL);
}

void validate_migration(struct review *rv)
{
    check_schema(rv);
    if (findings_any(&rv->findings))
        return;
    if (rv->is_update) {
        check_change(rv);
        return;
    }
    check_new(rv);
    check_decentralized(rv);
}

/* ---- what others tell ---- */

static int find_instance(const struct review *rv, const char *name, json_t **ret, struct error *e)
{
    /* What is no name cannot be there, and is kept out of paths. */
    int r = is_dns_subdomain(name) ? kube_get(rv->kube, &KIND_VMI, rv->namespace, name, ret, e)
                                   : -(int)ERR_NOT_FOUND;

    if (r == -ERR_NOT_FOUND)
        return error_set(e, ERR_BAD_REQUEST,
                         "the VMI \"%s\" does not exist under the namespace \"%s\"", name,
                         rv->namespace);
    return r < 0 ? error_wrap(e, "look for the instance") : 0;
}

static int check_instance(const struct review *rv, const json_t *vmi, struct error *e)
{
    const json_t *condition = condition_find(vmi, "LiveMigratable");
    const char *reason = jpath_str(condition, "reason", "");

    if (vmi_is_final(vmi))
        return error_set(e, ERR_BAD_REQUEST, "cannot migrate VMI in finalized state");
    if (!streq(jpath_str(condition, "status", NULL), "False") ||
        (is_decentralized(rv->object) && streq(reason, "DisksNotLiveMigratable")))
        return 0;
    return error_set(e, ERR_BAD_REQUEST, "Cannot migrate VMI, Reason: %s, Message: %s", reason,
                     jpath_str(condition, "message", ""));
}

static int check_others(const struct review *rv, const char *name, struct error *e)
{
    scoped(free) char *escaped = http_escape(name);
    scoped(free) char *query =
        must_asprintf("labelSelector=kubevirt.io%%2Fvmi-name%%3D%s", escaped);
    json_auto_t *others = NULL;
    size_t i;
    json_t *other;

    /* No label is that long: nothing can be found by it, and asking is an error. */
    enum { LABEL_VALUE_MAX = 63 };
    if (strlen(name) > LABEL_VALUE_MAX)
        return 0;
    if (kube_list(rv->kube, &KIND_MIGRATION, rv->namespace, query, &others, e) < 0)
        return error_wrap(e, "look for other migrations");
    json_array_foreach(others, i, other)
        if (!vmi_is_final(other))
            return error_set(e, ERR_BAD_REQUEST,
                             "in-flight migration detected: %s already moves VMI %s; wait for its "
                             "end or delete it",
                             meta_name(other), name);
    return 0;
}

void validate_migration_create(struct review *rv)
{
    const char *name = jpath_str(rv->object, "spec.vmiName", "");
    json_auto_t *vmi = NULL;

    validate_migration(rv);
    if (review_is_refused(rv))
        return;
    int r = find_instance(rv, name, &vmi, &rv->denied);
    if (r == 0)
        r = check_instance(rv, vmi, &rv->denied);
    if (r == 0)
        (void)check_others(rv, name, &rv->denied);
}
