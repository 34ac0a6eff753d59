/* SPDX-License-Identifier: Apache-2.0 */
/* The metric rows of virt-controller and where their values come from; see vmi_metrics.h. */
#include "controller/vmi_metrics.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/names.h"
#include "controller/vm_decide.h"
#include "openapi/machine.h"

// clang-format off
#define PHASE_BUCKETS                                                                              \
    { 0.5, 1, 2, 5, 10, 20, 30, 40, 50, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600 }
// clang-format on

static struct metric sync_total = {
    .name = "kubevirt_vmi_sync_total",
    .type = METRIC_COUNTER,
    .help = "Times that an instance was looked at.",
    .labels = { "namespace", "name" },
};
static struct metric phase_time = {
    .name = "kubevirt_vmi_phase_transition_time_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "Time between two phases of an instance.",
    .labels = { "phase", "last_phase" },
    .buckets = PHASE_BUCKETS,
};
static struct metric creation_time = {
    .name = "kubevirt_vmi_phase_transition_time_from_creation_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "Time from an instance's creation to a phase.",
    .labels = { "phase" },
    .buckets = PHASE_BUCKETS,
};
static struct metric deletion_time = {
    .name = "kubevirt_vmi_phase_transition_time_from_deletion_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "Time from an instance's deletion to its final phase.",
    .labels = { "phase" },
    .buckets = PHASE_BUCKETS,
};
static struct metric ready_status = {
    .name = "kubevirt_virt_controller_ready_status",
    .type = METRIC_GAUGE,
    .help = "1 when this process could take over.",
};
static struct metric leading_status = {
    .name = "kubevirt_virt_controller_leading_status",
    .type = METRIC_GAUGE,
    .help = "1 when this process holds the lease.",
};

void controller_metrics_ready(bool is_ready)
{
    metric_set(&ready_status, is_ready);
}

void controller_metrics_leading(bool is_leading)
{
    metric_set(&leading_status, is_leading);
}

void vmi_metrics_synced(const json_t *vmi)
{
    metric_add(&sync_total, 1, meta_namespace(vmi), meta_name(vmi));
}

void vmi_metrics_forget(const char *key)
{
    char ns[254];
    char name[254];
    if (key_split(key, ns, name) == 0)
        metric_remove(&sync_total, ns, name);
}

/* ---- phase transitions ---- */

static double seconds_between(const char *from, const char *to)
{
    int64_t a;
    int64_t b;
    if (!from || !to || rfc3339_parse(from, &a) < 0 || rfc3339_parse(to, &b) < 0 || b < a)
        return 0;
    return (double)(b - a) / 1000;
}

static const char *reached_at(const json_t *vmi, const char *phase)
{
    const json_t *entry =
        jarr_find(jpath_arr(vmi, "status.phaseTransitionTimestamps"), "phase", phase);
    return jpath_str(entry, "phaseTransitionTimestamp", NULL);
}

void vmi_metrics_on_vmi(const json_t *old, const json_t *obj)
{
    /* An object that is first seen tells nothing: it may have got there long ago. */
    if (!old || !obj)
        return;
    const char *phase = jpath_str(obj, "status.phase", "");
    const char *last = jpath_str(old, "status.phase", "");
    const char *at = reached_at(obj, phase);
    const char *created = jpath_str(obj, "metadata.creationTimestamp", NULL);
    if (streq(phase, last) || !at)
        return;

    metric_observe(&creation_time, seconds_between(created, at), phase);
    const char *last_at = reached_at(obj, last);
    if (last_at)
        metric_observe(&phase_time, seconds_between(last_at, at), phase, last);
    if (vmi_is_final(obj) && meta_is_deleting(obj))
        metric_observe(&deletion_time,
                       seconds_between(jpath_str(obj, "metadata.deletionTimestamp", NULL), at),
                       phase);
}

void controller_metrics_register(void)
{
    static struct metric *const rows[] = { &sync_total,    &phase_time,   &creation_time,
                                           &deletion_time, &ready_status, &leading_status };
    for (size_t i = 0; i < countof(rows); i++)
        metric_register(rows[i]);
}
