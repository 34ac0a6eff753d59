/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the KubeVirt object says about the whole cluster, read once into plain
 * values with upstream's defaults filled in (spec.configuration, all of it
 * optional).  A pure function of JSON; a value is immutable once made, counted,
 * and may be read by any thread.
 *
 * The store holds the value that is current.  An object that does not make
 * sense is refused with the path of the fault, and the last good value stays.
 */
#ifndef KUBE_CLUSTER_CONFIG_H
#define KUBE_CLUSTER_CONFIG_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/quantity.h"

struct cluster_config {
    /* developerConfiguration */
    bool use_emulation;
    int memory_overcommit;    /* percent: the guest's memory x 100 / this is requested */
    int cpu_allocation_ratio; /* vCPUs that share one requested CPU */
    int64_t disk_verification_bytes;
    int launcher_verbosity;
    const json_t *node_selectors; /* object or NULL */

    const char *image_pull_policy;
    const char *eviction_strategy;
    const char *cpu_model;             /* NULL: none configured */
    const char *default_runtime_class; /* NULL: none configured */
    struct quantity cpu_request;       /* what a machine asks for that says nothing */
    bool has_cpu_request;              /* configured, not the default of 100m */
    double overhead_ratio;             /* additionalGuestMemoryOverheadRatio, 1 by default */
    bool is_rollout_live;              /* vmRolloutStrategy LiveUpdate, the default */
    int mem_balloon_stats_period_s;

    /* network */
    const char *default_network_interface; /* "bridge" or "masquerade" */
    bool permits_bridge_on_pod_network;

    /* liveUpdateConfiguration */
    int max_hotplug_ratio;
    int max_cpu_sockets; /* 0: none configured */
    bool has_max_guest;
    struct quantity max_guest;

    /* seccompConfiguration.virtualMachineInstanceProfile.customProfile */
    const char *seccomp_localhost_profile; /* NULL: RuntimeDefault */
    const char *selinux_launcher_type;     /* NULL: none configured */

    const json_t
        *configuration; /* spec.configuration as it stands, an object; for what is not above */
    const json_t *spec; /* the whole spec */

    atomic_int refs;  /* private */
    json_t *kubevirt; /* private */
};

/* `kubevirt` (borrowed) may be NULL: upstream's defaults.  -ERR_INVALID names the path of the
 * fault. */
int cluster_config_new(struct cluster_config **ret, const json_t *kubevirt, struct error *e);
struct cluster_config *cluster_config_ref(struct cluster_config *c);
void cluster_config_unref(struct cluster_config *c);

/*
 * Is a feature gate on?  GA gates always are; Beta ones unless listed in
 * disabledFeatureGates; Alpha and deprecated ones when listed in featureGates.
 * An explicit enable wins over a disable.  Unknown names: only when listed.
 */
bool cluster_config_gate(const struct cluster_config *c, const char *gate);

/* Does it stand among the enabled ones, whatever that does? */
bool cluster_config_lists(const struct cluster_config *c, const char *gate);

/* Why a gate should not be listed among the enabled ones ("is deprecated ..."), or NULL. */
const char *cluster_config_gate_warning(const char *gate);

/* By architecture ("amd64", "arm64", "s390x"; anything else is taken for amd64).  Borrowed. */
const char *cluster_config_machine_type(const struct cluster_config *c, const char *arch);
const char *cluster_config_ovmf_path(const struct cluster_config *c, const char *arch);
/* Globs of the machine types that may be used: a new array of strings. */
json_t *cluster_config_machine_globs(const struct cluster_config *c, const char *arch);
/* The architecture of a machine that names none. */
const char *cluster_config_default_arch(const struct cluster_config *c);

struct cluster_config_store;

struct cluster_config_store *cluster_config_store_new(void); /* holds the defaults */
void cluster_config_store_free(struct cluster_config_store *s);
/* From an informer's event; NULL (no such object any more) brings the defaults back. */
int cluster_config_store_set(struct cluster_config_store *s, const json_t *kubevirt,
                             struct error *e);
/* A new reference, never NULL. */
struct cluster_config *cluster_config_store_get(struct cluster_config_store *s);

#endif
