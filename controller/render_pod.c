/* SPDX-License-Identifier: Apache-2.0 */
/* The launcher's pod put together from its parts; see render_pod.h. */
#include "controller/render_pod.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/render_parts.h"
#include "openapi/machine.h"

enum {
    DEFAULT_GRACE_S = 30,
    POD_GRACE_EXTRA_S = 30,      /* the pod outlives the guest's own grace period */
    LAUNCHER_GRACE_EXTRA_S = 15, /* and the launcher ends before the kubelet kills it */
    SUFFIX_LEN = 5,
    GENERATED_BASE_MAX = 58, /* where the API server cuts a generateName */
    LABEL_MAX = 63,
};

char *vmi_hostname(const json_t *vmi)
{
    const char *hostname = jpath_str(vmi, "spec.hostname", "");
    if (hostname[0])
        return must_strdup(hostname);

    const char *name = meta_name(vmi);
    size_t len = strcspn(name, ".");
    return must_strndup(name, len < LABEL_MAX ? len : LABEL_MAX);
}

char *vmi_id_label(const json_t *vmi)
{
    const char *name = meta_name(vmi);
    if (strlen(name) <= LABEL_MAX)
        return must_strdup(name);

    char digest[SHA1_HEX_MAX];
    sha1_hex(name, strlen(name), digest);
    return must_asprintf("%.54s-%.8s", name, digest);
}

char *launcher_pod_name(const json_t *vmi)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    const char *uid = meta_uid(vmi);
    char digest[SHA256_HEX_MAX];
    char suffix[SUFFIX_LEN + 1] = "";

    sha256_hex(uid, strlen(uid), digest);
    digest[16] = '\0';
    unsigned long long n = strtoull(digest, NULL, 16);
    for (size_t i = 0; i < SUFFIX_LEN; i++, n /= sizeof(alphabet) - 1)
        suffix[i] = alphabet[n % (sizeof(alphabet) - 1)];

    scoped(free) char *base = must_asprintf("virt-launcher-%s-", meta_name(vmi));
    return must_asprintf("%.*s%s", GENERATED_BASE_MAX, base, suffix);
}

static json_int_t grace_seconds(const json_t *vmi)
{
    json_int_t s = jpath_int(vmi, "spec.terminationGracePeriodSeconds", DEFAULT_GRACE_S);
    if (s < 0)
        return 0;
    return s < 10000000 ? s : 10000000;
}

/* ---- metadata ---- */

static json_t *labels(const json_t *vmi)
{
    const json_t *own = jpath_obj(vmi, "metadata.labels");
    json_t *out = own ? must_copy(own) : json_object();
    scoped(free) char *hostname = vmi_hostname(vmi);
    scoped(free) char *id = vmi_id_label(vmi);
    const char *istio = meta_annotation(vmi, "sidecar.istio.io/inject");

    json_object_del(out, "kubevirt.io/nodeName"); /* put on when the node is known */
    must_set(out, "kubevirt.io", json_string("virt-launcher"));
    must_set(out, "kubevirt.io/created-by", json_string(meta_uid(vmi)));
    must_set(out, "vm.kubevirt.io/name", json_string(hostname));
    must_set(out, "vmi.kubevirt.io/id", json_string(id));
    if (istio)
        must_set(out, "sidecar.istio.io/inject", json_string(istio));
    return out;
}

static bool is_kept_off_pod(const char *annotation)
{
    static const char *const prefixes[] = { "kubectl.kubernetes.io",
                                            "kubevirt.io/storage-observed-api-version",
                                            "kubevirt.io/latest-observed-api-version" };
    for (size_t i = 0; i < countof(prefixes); i++)
        if (str_has_prefix(annotation, prefixes[i]))
            return true;
    return false;
}

static json_t *annotations(const struct pod_request *q)
{
    json_t *out = must_pack("{s:s}", "kubevirt.io/domain", meta_name(q->vmi));
    const char *key;
    json_t *v;
    json_object_foreach(jpath_obj(q->vmi, "metadata.annotations"), key, v) {
        if (!is_kept_off_pod(key))
            json_object_set(out, key, v);
    }
    scoped(free) char *overhead = must_asprintf("%lld", (long long)memory_overhead_bytes(q));
    const struct {
        const char *key, *value;
    } rows[] = {
        { "kubectl.kubernetes.io/default-container", "compute" },
        { "kubevirt.io/migrationTransportUnix", "true" },
        { "descheduler.alpha.kubernetes.io/request-evict-only", "" },
        { "kubevirt.io/memory-overhead-bytes", overhead },
    };
    for (size_t i = 0; i < countof(rows); i++)
        must_set(out, rows[i].key, json_string(rows[i].value));
    render_network_annotations(out, q->vmi);
    return out;
}

static json_t *metadata(const struct pod_request *q)
{
    const json_t *vmi = q->vmi;
    scoped(free) char *name = launcher_pod_name(vmi);
    scoped(free) char *generate = must_asprintf("virt-launcher-%s-", meta_name(vmi));

    return must_pack("{s:s, s:s, s:s, s:o, s:o, s:[{s:s, s:s, s:s, s:s, s:b, s:b}]}", //
                     "name", name, "generateName", generate,                          //
                     "namespace", meta_namespace(vmi),                                //
                     "labels", labels(vmi), "annotations", annotations(q),            //
                     "ownerReferences", "apiVersion", "kubevirt.io/v1",               //
                     "kind", "VirtualMachineInstance", "name", meta_name(vmi),        //
                     "uid", meta_uid(vmi), "controller", 1, "blockOwnerDeletion", 1);
}

/* ---- the compute container ---- */

static void arg(json_t *args, const char *flag, const char *value)
{
    must_append(args, json_string(flag));
    if (value)
        must_append(args, json_string(value));
}

static void arg_number(json_t *args, const char *flag, long long n, const char *unit)
{
    scoped(free) char *text = must_asprintf("%lld%s", n, unit);
    arg(args, flag, text);
}

static json_t *compute_args(const struct pod_request *q)
{
    const json_t *vmi = q->vmi;
    const struct settings *s = q->settings;
    json_t *args = json_array();

    arg_number(args, "--qemu-timeout", s->launcher_qemu_timeout_s + q->jitter_s, "s");
    arg(args, "--name", meta_name(vmi));
    arg(args, "--uid", meta_uid(vmi));
    arg(args, "--namespace", meta_namespace(vmi));
    arg(args, "--kubevirt-share-dir", s->share_dir);
    arg(args, "--ephemeral-disk-dir", s->ephemeral_disk_dir);
    arg(args, "--container-disk-dir", s->container_disk_dir);
    arg_number(args, "--grace-period-seconds", grace_seconds(vmi) + LAUNCHER_GRACE_EXTRA_S, "");
    arg(args, "--hook-sidecars", "0");
    arg(args, "--ovmf-path", cluster_config_ovmf_path(q->config, vmi_arch(vmi)));
    arg_number(args, "--disk-memory-limit", q->config->disk_verification_bytes, "");
    arg(args, "--hypervisor", "kvm");
    arg(args, "--run-as-nonroot", NULL);
    arg(args, "--image-volume", NULL);
    arg(args, "--upgrade-ordinal-ifaces", NULL);

    const char *filters = meta_annotation(vmi, "kubevirt.io/libvirt-log-filters");
    const char *keep = meta_annotation(vmi, "kubevirt.io/keep-launcher-alive-after-failure");
    if (filters)
        arg(args, "--libvirt-log-filters", filters);
    if (vmi_is_emulated(q))
        arg(args, "--allow-emulation", NULL);
    if (streq(keep, "true"))
        arg(args, "--keep-after-failure", NULL);
    return args;
}

static void env(json_t *list, const char *name, const char *value)
{
    must_append(list, must_pack("{s:s, s:s}", "name", name, "value", value));
}

static json_t *compute_env(const struct pod_request *q)
{
    json_t *list = json_array();
    const char *verbosity = meta_label(q->vmi, "logVerbosity");

    env(list, "XDG_CACHE_HOME", "/var/run/kubevirt-private");
    env(list, "XDG_CONFIG_HOME", "/var/run/kubevirt-private");
    env(list, "XDG_RUNTIME_DIR", "/var/run");
    if (verbosity) {
        env(list, "VIRT_LAUNCHER_LOG_VERBOSITY", verbosity);
    } else if (q->config->launcher_verbosity != 2) {
        scoped(free) char *text = must_asprintf("%d", q->config->launcher_verbosity);
        env(list, "VIRT_LAUNCHER_LOG_VERBOSITY", text);
    }
    if (streq(meta_label(q->vmi, "debugLogs"), "true"))
        env(list, "LIBVIRT_DEBUG_LOGS", "1");
    must_append(list, must_pack("{s:s, s:{s:{s:s}}}", "name", "POD_NAME", "valueFrom", "fieldRef",
                                "fieldPath", "metadata.name"));
    return list;
}

static json_t *compute_ports(const json_t *vmi)
{
    json_t *ports = json_array();
    size_t i;
    size_t j;
    json_t *nic;
    json_t *port;

    json_array_foreach(jpath_arr(vmi, "spec.domain.devices.interfaces"), i, nic) {
        json_array_foreach(jpath_arr(nic, "ports"), j, port) {
            const char *protocol = jpath_str(port, "protocol", "");
            const char *name = jpath_str(port, "name", "");
            json_t *out = must_pack("{s:I, s:s}", "containerPort", jpath_int(port, "port", 0),
                                    "protocol", protocol[0] ? protocol : "TCP");
            if (name[0])
                must_set(out, "name", json_string(name));
            must_append(ports, out);
        }
    }
    return ports;
}

static void set_if_any(json_t *object, const char *key, json_t *list /* taken */)
{
    if (json_array_size(list) > 0)
        must_set(object, key, list);
    else
        json_decref(list);
}

/* Nothing is added and everything dropped: what needs more is done by virt-handler from outside. */
static json_t *compute_security(void)
{
    return must_pack("{s:i, s:i, s:b, s:b, s:{s:[s]}}", "runAsUser", LAUNCHER_UID, "runAsGroup",
                     LAUNCHER_UID, "runAsNonRoot", 1, "allowPrivilegeEscalation", 0, "capabilities",
                     "drop", "ALL");
}

static json_t *compute(const struct pod_request *q, json_t *resources /* taken */,
                       const struct pod_volumes *volumes)
{
    json_t *c = must_pack("{s:s, s:s, s:s, s:[s], s:o, s:o, s:o, s:o, s:s}", //
                          "name", "compute", "image", q->settings->launcher_image,
                          "imagePullPolicy", q->config->image_pull_policy, //
                          "command", "/usr/bin/virt-launcher",             //
                          "args", compute_args(q), "env", compute_env(q),  //
                          "resources", resources, "securityContext", compute_security(),
                          "terminationMessagePolicy", "FallbackToLogsOnError");
    set_if_any(c, "ports", compute_ports(q->vmi));
    set_if_any(c, "volumeMounts", json_incref(volumes->mounts));
    set_if_any(c, "volumeDevices", json_incref(volumes->devices));

    static const char *const probes[] = { "livenessProbe", "readinessProbe" };
    for (size_t i = 0; i < countof(probes); i++) {
        json_t *probe = render_probe(q->vmi, jpath_obj(jpath_obj(q->vmi, "spec"), probes[i]));
        if (probe)
            must_set(c, probes[i], probe);
    }
    return c;
}

/* ---- the pod ---- */

static json_t *pod_security(const struct pod_request *q)
{
    const char *profile = q->config->seccomp_localhost_profile;
    const char *selinux = q->config->selinux_launcher_type;
    json_t *seccomp =
        profile ? must_pack("{s:s, s:s}", "type", "Localhost", "localhostProfile", profile)
                : must_pack("{s:s}", "type", "RuntimeDefault");
    json_t *out = must_pack("{s:i, s:i, s:I, s:b, s:o}", "runAsUser", LAUNCHER_UID, "runAsGroup",
                            LAUNCHER_UID, "fsGroup", (json_int_t)q->settings->launcher_gid,
                            "runAsNonRoot", 1, "seccompProfile", seccomp);
    if (selinux)
        jpath_set_str(out, "seLinuxOptions.type", selinux);
    return out;
}

/* Fields of the instance's spec that the pod takes over as they stand. */
static const char *const copied[] = {
    "subdomain",   "dnsPolicy",         "dnsConfig",      "schedulerName",
    "tolerations", "priorityClassName", "resourceClaims", "topologySpreadConstraints",
};

static void copy_fields(json_t *spec, const json_t *vmi)
{
    const json_t *from = jpath_obj(vmi, "spec");
    for (size_t i = 0; i < countof(copied); i++) {
        const json_t *v = json_object_get(from, copied[i]);
        if (v && !json_is_null(v))
            must_set(spec, copied[i], must_copy(v));
    }
}

static void set_service_account(json_t *spec, const json_t *vmi)
{
    const char *of_volume = vmi_service_account(vmi);
    const char *name = of_volume ? of_volume : jpath_str(vmi, "spec.serviceAccountName", "");
    bool wants_token = of_volume || streq(meta_annotation(vmi, "sidecar.istio.io/inject"), "true");

    if (name[0])
        must_set(spec, "serviceAccountName", json_string(name));
    must_set(spec, "automountServiceAccountToken", json_boolean(wants_token));
}

static json_t *pod_spec(const struct pod_request *q, json_t *resources /* taken */,
                        const struct pod_volumes *volumes)
{
    const json_t *vmi = q->vmi;
    scoped(free) char *hostname = vmi_hostname(vmi);
    json_t *spec = must_pack("{s:s, s:s, s:b, s:I, s:[{s:s}], s:o, s:o, s:[o], s:O}", //
                             "hostname", hostname, "restartPolicy", "Never",          //
                             "enableServiceLinks", 0, "terminationGracePeriodSeconds",
                             grace_seconds(vmi) + POD_GRACE_EXTRA_S, //
                             "readinessGates", "conditionType",
                             "kubevirt.io/virtual-machine-unpaused", //
                             "securityContext", pod_security(q),     //
                             "nodeSelector", render_node_selector(q), "containers",
                             compute(q, resources, volumes), //
                             "volumes", volumes->volumes);
    json_t *affinity = render_affinity(q);
    if (affinity)
        must_set(spec, "affinity", affinity);
    if (q->config->default_runtime_class)
        must_set(spec, "runtimeClassName", json_string(q->config->default_runtime_class));
    set_if_any(spec, "imagePullSecrets", render_pull_secrets(q));
    copy_fields(spec, vmi);
    set_service_account(spec, vmi);
    return spec;
}

int render_pod(json_t **ret, const struct pod_request *q, struct error *e)
{
    json_auto_t *list = json_array();
    json_auto_t *mounts = json_array();
    json_auto_t *devices = json_array();
    struct pod_volumes volumes = { list, mounts, devices };

    int r = render_volumes(&volumes, q, e);
    if (r < 0)
        return r;
    json_t *resources = NULL;
    r = render_resources(&resources, q, e);
    if (r < 0)
        return r;
    *ret = must_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "v1", "kind", "Pod", "metadata",
                     metadata(q), "spec", pod_spec(q, resources, &volumes));
    return 0;
}
