/* SPDX-License-Identifier: Apache-2.0 */
/* The KubeVirt object read into plain values; see cluster_config.h. */
#include "kube/cluster_config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum gate_state { GATE_GA, GATE_BETA, GATE_DEPRECATED, GATE_DISCONTINUED };

/* Alpha gates need no row: they are on when listed, like unknown names. */
static const struct gate_row {
    const char *name;
    enum gate_state state;
} gates[] = {
    { "ImageVolume", GATE_BETA },
    { "Snapshot", GATE_BETA },
    { "WorkloadEncryptionSEV", GATE_BETA },
    { "KubevirtSeccompProfile", GATE_BETA },
    { "NodeRestriction", GATE_BETA },
    { "GPUsWithDRA", GATE_BETA },
    { "HostDevicesWithDRA", GATE_BETA },
    { "DecentralizedLiveMigration", GATE_BETA },
    { "DeclarativeHotplugVolumes", GATE_BETA },
    { "PasstBinding", GATE_BETA },
    { "PodSecondaryInterfaceNamingUpgrade", GATE_BETA },
    { "ExternalNetResourceInjection", GATE_BETA },
    { "RebootPolicy", GATE_BETA },
    { "Template", GATE_BETA },
    { "OptOutRoleAggregation", GATE_BETA },
    { "LiveMigration", GATE_GA },
    { "SRIOVLiveMigration", GATE_GA },
    { "NonRoot", GATE_GA },
    { "PSA", GATE_GA },
    { "CPUNodeDiscovery", GATE_GA },
    { "NUMA", GATE_GA },
    { "CommonInstancetypesDeploymentGate", GATE_GA },
    { "GPU", GATE_GA },
    { "HotplugNICs", GATE_GA },
    { "BochsDisplayForEFIGuests", GATE_GA },
    { "VMLiveUpdateFeatures", GATE_GA },
    { "NetworkBindingPlugins", GATE_GA },
    { "DynamicPodInterfaceNaming", GATE_GA },
    { "VolumesUpdateStrategy", GATE_GA },
    { "VolumeMigration", GATE_GA },
    { "DisableCustomSELinuxPolicy", GATE_GA },
    { "AutoResourceLimitsGate", GATE_GA },
    { "ClusterProfiler", GATE_GA },
    { "VMPersistentState", GATE_GA },
    { "VMExport", GATE_GA },
    { "PersistentReservation", GATE_GA },
    { "InstancetypeReferencePolicy", GATE_GA },
    { "EnableVirtioFsConfigVolumes", GATE_GA },
    { "ExpandDisks", GATE_GA },
    { "PanicDevices", GATE_GA },
    { "LiveUpdateNADRef", GATE_GA },
    { "VideoConfig", GATE_GA },
    { "SecureExecution", GATE_GA },
    { "MigrationPriorityQueue", GATE_GA },
    { "VmiMemoryOverheadReport", GATE_GA },
    { "LibvirtHooksServerAndClient", GATE_GA },
    { "DockerSELinuxMCSWorkaround", GATE_DEPRECATED },
    { "MultiArchitecture", GATE_DEPRECATED },
    { "DisableMDEVConfiguration", GATE_DEPRECATED },
    { "HotplugVolumes", GATE_DEPRECATED },
    { "ExperimentalVirtiofsSupport", GATE_DISCONTINUED },
    { "Passt", GATE_DISCONTINUED },
    { "Macvtap", GATE_DISCONTINUED },
    { "PasstIPStackMigration", GATE_DISCONTINUED },
};

static const struct arch_row {
    const char *arch, *machine_type, *ovmf_path;
    const char *globs[3];
} arches[] = {
    { "amd64", "q35", "/usr/share/edk2/ovmf", { "q35*", "pc-q35*" } },
    { "arm64", "virt", "/usr/share/AAVMF", { "virt*" } },
    { "s390x", "s390-ccw-virtio", "", { "s390-ccw-virtio*" } },
};

static const struct arch_row *arch_find(const char *arch)
{
    for (size_t i = 0; i < countof(arches); i++)
        if (streq(arches[i].arch, arch))
            return &arches[i];
    return &arches[0];
}

/* ---- one reader a type: absent keeps the default, a wrong type or range is the fault ---- */

static int read_int(const json_t *from, const char *path, json_int_t min, json_int_t max, int *ret,
                    struct error *e)
{
    const json_t *v = jpath(from, path);
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
        return error_set(e, ERR_INVALID,
                         "spec.configuration.%s: must be a number from %lld to %lld", path,
                         (long long)min, (long long)max);
    *ret = (int)json_integer_value(v);
    return 0;
}

static int read_bool(const json_t *from, const char *path, bool *ret, struct error *e)
{
    const json_t *v = jpath(from, path);
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_boolean(v))
        return error_set(e, ERR_INVALID, "spec.configuration.%s: must be true or false", path);
    *ret = json_is_true(v);
    return 0;
}

static int read_str(const json_t *from, const char *path, const char **ret, struct error *e)
{
    const json_t *v = jpath(from, path);
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_string(v))
        return error_set(e, ERR_INVALID, "spec.configuration.%s: must be a string", path);
    if (json_string_length(v) > 0)
        *ret = json_string_value(v);
    return 0;
}

/* 1 when present, 0 when absent. */
static int read_quantity(const json_t *from, const char *path, struct quantity *ret,
                         struct error *e)
{
    const json_t *v = jpath(from, path);
    if (!v || json_is_null(v))
        return 0;
    struct quantity q;
    if (quantity_from_json(v, &q) < 0 || q.nano < 0)
        return error_set(e, ERR_INVALID, "spec.configuration.%s: must be a quantity", path);
    *ret = q;
    return 1;
}

static int read_developer(struct cluster_config *c, const json_t *from, struct error *e)
{
    struct quantity limit = quantity_from_bytes(c->disk_verification_bytes);
    int r = read_bool(from, "developerConfiguration.useEmulation", &c->use_emulation, e);
    if (r >= 0)
        r = read_int(from, "developerConfiguration.memoryOvercommit", 10, 100000,
                     &c->memory_overcommit, e);
    if (r >= 0)
        r = read_int(from, "developerConfiguration.cpuAllocationRatio", 1, 1000000,
                     &c->cpu_allocation_ratio, e);
    if (r >= 0)
        r = read_int(from, "developerConfiguration.logVerbosity.virtLauncher", 0, 10,
                     &c->launcher_verbosity, e);
    if (r >= 0)
        r = read_quantity(from, "developerConfiguration.diskVerification.memoryLimit", &limit, e);
    if (r < 0)
        return r;
    c->disk_verification_bytes = quantity_value(limit);
    c->node_selectors = jpath_obj(from, "developerConfiguration.nodeSelectors");
    return 0;
}

static int read_ratio(struct cluster_config *c, const json_t *from, struct error *e)
{
    const char *text = NULL;
    int r = read_str(from, "additionalGuestMemoryOverheadRatio", &text, e);
    if (r < 0 || !text)
        return r;
    char *end;
    double ratio = strtod(text, &end);
    if (*end || !(ratio > 0 && ratio < 1000))
        return error_set(e, ERR_INVALID,
                         "spec.configuration.additionalGuestMemoryOverheadRatio: \"%s\" is not a "
                         "positive number",
                         text);
    c->overhead_ratio = ratio;
    return 0;
}

static int read_rollout(struct cluster_config *c, const json_t *from, struct error *e)
{
    const char *rollout = "LiveUpdate";
    int r = read_str(from, "vmRolloutStrategy", &rollout, e);
    if (r < 0)
        return r;
    c->is_rollout_live = streq(rollout, "LiveUpdate");

    r = read_int(from, "liveUpdateConfiguration.maxHotplugRatio", 1, 1000, &c->max_hotplug_ratio,
                 e);
    if (r >= 0)
        r = read_int(from, "liveUpdateConfiguration.maxCpuSockets", 1, 512, &c->max_cpu_sockets, e);
    if (r < 0)
        return r;
    r = read_quantity(from, "liveUpdateConfiguration.maxGuest", &c->max_guest, e);
    c->has_max_guest = r > 0;
    return r;
}

static int read_seccomp(struct cluster_config *c, const json_t *from, struct error *e)
{
    static const char profile[] =
        "seccompConfiguration.virtualMachineInstanceProfile.customProfile.localhostProfile";
    int r = read_str(from, profile, &c->seccomp_localhost_profile, e);
    if (r >= 0)
        r = read_str(from, "selinuxLauncherType", &c->selinux_launcher_type, e);
    return r;
}

static int read_strings(struct cluster_config *c, const json_t *from, struct error *e)
{
    const struct {
        const char *path, **target;
    } rows[] = {
        { "imagePullPolicy", &c->image_pull_policy },
        { "evictionStrategy", &c->eviction_strategy },
        { "cpuModel", &c->cpu_model },
        { "defaultRuntimeClass", &c->default_runtime_class },
        { "network.defaultNetworkInterface", &c->default_network_interface },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        int r = read_str(from, rows[i].path, rows[i].target, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static void set_defaults(struct cluster_config *c)
{
    c->memory_overcommit = 100;
    c->cpu_allocation_ratio = 10;
    c->disk_verification_bytes = 2000LL * 1024 * 1024;
    c->launcher_verbosity = 2;
    c->image_pull_policy = "IfNotPresent";
    c->eviction_strategy = "None";
    c->cpu_request = quantity_from_milli(100);
    c->overhead_ratio = 1;
    c->mem_balloon_stats_period_s = 10;
    c->default_network_interface = "bridge";
    c->permits_bridge_on_pod_network = true;
    c->max_hotplug_ratio = 4;
}

static int read_all(struct cluster_config *c, const json_t *from, struct error *e)
{
    int r = read_developer(c, from, e);
    if (r >= 0)
        r = read_strings(c, from, e);
    if (r >= 0)
        r = read_ratio(c, from, e);
    if (r >= 0)
        r = read_rollout(c, from, e);
    if (r >= 0)
        r = read_seccomp(c, from, e);
    if (r >= 0)
        r = read_int(from, "memBalloonStatsPeriod", 0, 1000000, &c->mem_balloon_stats_period_s, e);
    if (r >= 0)
        r = read_bool(from, "network.permitBridgeInterfaceOnPodNetwork",
                      &c->permits_bridge_on_pod_network, e);
    if (r < 0)
        return r;
    r = read_quantity(from, "cpuRequest", &c->cpu_request, e);
    c->has_cpu_request = r > 0;
    return r < 0 ? r : 0;
}

static bool is_object_or_absent(const json_t *v, const char *path)
{
    const json_t *at = jpath(v, path);
    return !at || json_is_object(at);
}

int cluster_config_new(struct cluster_config **ret, const json_t *kubevirt, struct error *e)
{
    if (kubevirt && (!json_is_object(kubevirt) || !is_object_or_absent(kubevirt, "spec") ||
                     !is_object_or_absent(kubevirt, "spec.configuration")))
        return error_set(e, ERR_INVALID, "spec.configuration: must be an object");

    struct cluster_config *c = must_calloc(1, sizeof(*c));
    atomic_init(&c->refs, 1);
    /* The strings below point into this copy, so that they live as long as the value. */
    c->kubevirt = kubevirt ? must_copy(kubevirt) : json_object();
    c->spec = jpath_make_obj(c->kubevirt, "spec");
    c->configuration = jpath_make_obj(c->kubevirt, "spec.configuration");
    set_defaults(c);

    int r = read_all(c, c->configuration, e);
    if (r < 0) {
        cluster_config_unref(c);
        return r;
    }
    *ret = c;
    return 0;
}

struct cluster_config *cluster_config_ref(struct cluster_config *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void cluster_config_unref(struct cluster_config *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    json_decref(c->kubevirt);
    free(c);
}

static bool is_listed(const struct cluster_config *c, const char *path, const char *gate)
{
    const json_t *list = jpath_arr(c->configuration, path);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (streq(json_string_value(item), gate))
            return true;
    }
    return false;
}

bool cluster_config_lists(const struct cluster_config *c, const char *gate)
{
    return is_listed(c, "developerConfiguration.featureGates", gate);
}

static const struct gate_row *gate_find(const char *gate)
{
    for (size_t i = 0; i < countof(gates); i++)
        if (gates[i].name[0] == gate[0] && streq(gates[i].name, gate)) /* most differ at once */
            return &gates[i];
    return NULL;
}

bool cluster_config_gate(const struct cluster_config *c, const char *gate)
{
    const struct gate_row *row = gate_find(gate);

    if (row && row->state == GATE_GA)
        return true;
    if (cluster_config_lists(c, gate))
        return !row || row->state != GATE_DISCONTINUED;
    if (!row || row->state != GATE_BETA)
        return false;
    return !is_listed(c, "developerConfiguration.disabledFeatureGates", gate);
}

const char *cluster_config_gate_warning(const char *gate)
{
    const struct gate_row *row = gate_find(gate);

    if (!row)
        return NULL;
    switch (row->state) {
    case GATE_GA:
        return "is always on: it need not be listed";
    case GATE_DEPRECATED:
        return "is deprecated and will be removed";
    case GATE_DISCONTINUED:
        return "is discontinued: listing it has no effect";
    case GATE_BETA:
        return NULL;
    }
    return NULL;
}

const char *cluster_config_machine_type(const struct cluster_config *c, const char *arch)
{
    const struct arch_row *row = arch_find(arch);
    json_t *of_arch = jpathf(c->configuration, "architectureConfiguration.%s", row->arch);
    const char *type = jpath_str(of_arch, "machineType", "");
    if (!type[0] && row == &arches[0])
        type = jpath_str(c->configuration, "machineType", ""); /* deprecated, amd64 only */
    return type[0] ? type : row->machine_type;
}

const char *cluster_config_ovmf_path(const struct cluster_config *c, const char *arch)
{
    const struct arch_row *row = arch_find(arch);
    json_t *of_arch = jpathf(c->configuration, "architectureConfiguration.%s", row->arch);
    const char *path = jpath_str(of_arch, "ovmfPath", "");
    if (!path[0] && row == &arches[0])
        path = jpath_str(c->configuration, "ovmfPath", "");
    return path[0] ? path : row->ovmf_path;
}

json_t *cluster_config_machine_globs(const struct cluster_config *c, const char *arch)
{
    const struct arch_row *row = arch_find(arch);
    json_t *of_arch = jpathf(c->configuration, "architectureConfiguration.%s", row->arch);
    const json_t *globs = jpath_arr(of_arch, "emulatedMachines");
    if (json_array_size(globs) == 0 && row == &arches[0])
        globs = jpath_arr(c->configuration, "emulatedMachines");
    if (json_array_size(globs) > 0)
        return must_copy(globs);

    json_t *dflt = json_array();
    for (size_t i = 0; i < countof(row->globs) && row->globs[i]; i++)
        must_append(dflt, json_string(row->globs[i]));
    return dflt;
}

const char *cluster_config_default_arch(const struct cluster_config *c)
{
    const char *arch =
        jpath_str(c->configuration, "architectureConfiguration.defaultArchitecture", "");
    if (!arch[0])
        arch = jpath_str(c->kubevirt, "status.defaultArchitecture", "");
    return arch[0] ? arch : "amd64";
}

/* ---- the value that is current ---- */

/*
 * Each thread keeps what it got last, and asks for the lock only when there is a newer one: reviews
 * on different threads have nothing to wait for.  Versions are never the same in two stores.
 */
struct cluster_config_store {
    _Atomic uint64_t version; /* of current; changed under lock */
    pthread_mutex_t lock;
    struct cluster_config *current; /* guarded by lock */
};

static _Atomic uint64_t versions;

static _Thread_local struct {
    uint64_t version;
    struct cluster_config *config;
} got_last;

/* Frees got_last with its thread. */
static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static void on_thread_end(void *config)
{
    cluster_config_unref(config);
}

static void make_thread_end(void)
{
    must(pthread_key_create(&thread_end, on_thread_end) == 0);
}

/* Takes the reference. */
static void keep_for_thread(struct cluster_config *config, uint64_t version)
{
    cluster_config_unref(got_last.config);
    got_last.config = config;
    got_last.version = version;
    (void)pthread_once(&thread_end_once, make_thread_end);
    must(pthread_setspecific(thread_end, config) == 0);
}

struct cluster_config_store *cluster_config_store_new(void)
{
    struct cluster_config_store *s = must_calloc(1, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    struct error e;
    must(cluster_config_new(&s->current, NULL, &e) == 0);
    s->version = ++versions;
    return s;
}

void cluster_config_store_free(struct cluster_config_store *s)
{
    if (!s)
        return;
    cluster_config_unref(s->current);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int cluster_config_store_set(struct cluster_config_store *s, const json_t *kubevirt,
                             struct error *e)
{
    struct cluster_config *fresh = NULL;
    int r = cluster_config_new(&fresh, kubevirt, e);
    if (r < 0)
        return r;
    pthread_mutex_lock(&s->lock);
    struct cluster_config *old = s->current;
    s->current = fresh;
    s->version = ++versions;
    pthread_mutex_unlock(&s->lock);
    cluster_config_unref(old);
    return 0;
}

struct cluster_config *cluster_config_store_get(struct cluster_config_store *s)
{
    if (got_last.version != s->version) {
        pthread_mutex_lock(&s->lock);
        struct cluster_config *config = cluster_config_ref(s->current);
        const uint64_t version = s->version;
        pthread_mutex_unlock(&s->lock);
        keep_for_thread(config, version);
    }
    return cluster_config_ref(got_last.config);
}
