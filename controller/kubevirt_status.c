/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/kubevirt_status.h"

#include <sys/utsname.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/changes.h"

#define DEGRADED "Degraded"
#define REASON_INVALID "InvalidConfiguration"
#define REASON_DEPLOYED "Deployed"

/* ---- what is to be said ---- */

static bool is_kept_by_operator(const json_t *kubevirt)
{
    return *jpath_str(kubevirt, "status.operatorVersion", "") != '\0';
}

static bool tells_fault(const json_t *kubevirt)
{
    return streq(jpath_str(condition_find(kubevirt, DEGRADED), "reason", ""), REASON_INVALID);
}

static void set_degraded(json_t *next, const char *fault, const char *now)
{
    if (!fault) {
        condition_set(next, DEGRADED, "False", REASON_DEPLOYED, NULL, now);
        return;
    }
    scoped(free) char *message = must_asprintf(
        "%s; change it: until then all programs keep to the last good configuration", fault);
    condition_set(next, DEGRADED, "True", REASON_INVALID, message, now);
}

static void fill_in(json_t *next, const char *fault, const char *arch, const char *now)
{
    static const struct {
        const char *condition, *status, *message;
    } settled[] = {
        { "Available", "True", "virt-controller leads and follows this object" },
        { "Progressing", "False", NULL },
    };
    const json_int_t generation = jpath_int(next, "metadata.generation", 0);

    for (size_t i = 0; i < countof(settled); i++)
        if (!condition_find(next, settled[i].condition))
            condition_set(next, settled[i].condition, settled[i].status, REASON_DEPLOYED,
                          settled[i].message, now);
    if (!*jpath_str(next, "status.phase", ""))
        jpath_set_str(next, "status.phase", "Deployed");
    if (!*jpath_str(next, "status.defaultArchitecture", ""))
        jpath_set_str(next, "status.defaultArchitecture", arch);
    if (!fault && generation > 0)
        jpath_set_int(next, "status.observedGeneration", generation);
}

json_t *kubevirt_status_next(const json_t *kubevirt, const char *fault, const char *arch,
                             int64_t now_ms)
{
    json_t *next = must_copy(kubevirt);
    char now[RFC3339_MAX];

    if (meta_is_deleting(kubevirt))
        return next;
    (void)rfc3339(now_ms, now);
    if (!is_kept_by_operator(kubevirt)) {
        fill_in(next, fault, arch, now);
        set_degraded(next, fault, now);
    } else if (fault || tells_fault(kubevirt)) {
        set_degraded(next, fault, now);
    }
    return next;
}

const char *kubevirt_news(const json_t *before, const json_t *next)
{
    const char *was = jpath_str(condition_find(before, DEGRADED), "message", "");
    const char *is = jpath_str(condition_find(next, DEGRADED), "message", "");

    if (!tells_fault(next) || (tells_fault(before) && streq(was, is)))
        return NULL;
    return is;
}

/* ---- acting ---- */

/* Kubernetes' name of the architecture that this runs on. */
static const char *own_architecture(struct utsname *storage)
{
    static const char *const names[][2] = { { "x86_64", "amd64" }, { "aarch64", "arm64" } };

    if (uname(storage) < 0)
        return "amd64";
    for (size_t i = 0; i < countof(names); i++)
        if (streq(storage->machine, names[i][0]))
            return names[i][1];
    return storage->machine;
}

int kubevirt_status_reconcile(const struct context *ctx, struct event_recorder *events,
                              const char *key, struct error *e)
{
    json_auto_t *kubevirt = informer_get(ctx->kubevirts, key);
    struct cluster_config *config = NULL;
    struct utsname machine;
    struct error fault;

    if (!kubevirt)
        return 0;
    const bool is_bad = cluster_config_new(&config, kubevirt, &fault) < 0;
    cluster_config_unref(config);
    json_auto_t *next = kubevirt_status_next(kubevirt, is_bad ? fault.msg : NULL,
                                             own_architecture(&machine), clock_wall_ms(ctx->clock));
    int r = changes_write(ctx->kube, &KIND_KUBEVIRT, "status", kubevirt, next, NULL, e);
    if (r < 0)
        return error_wrap(e, "status of KubeVirt %s", key);

    const char *news = kubevirt_news(kubevirt, next);
    if (news)
        event_record(events, &KIND_KUBEVIRT, kubevirt, EVENT_WARNING, REASON_INVALID, "%s", news);
    return 0;
}
