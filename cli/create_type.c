/* SPDX-License-Identifier: Apache-2.0 */
/* create instancetype, create preference. */
#include "cli/create_type.h"

#include <stdint.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/params.h"
#include "kube/kind.h"

enum { SUFFIX = 5 };

// clang-format off
#define NAME_FLAGS \
    { "name", 0, OPTION_STRING, FLAG(create_type.name), .dflt = "", .arg = "NAME", .help = "Its name; a random one when not given." }, \
    { "namespaced", 0, OPTION_BOOL, FLAG(create_type.is_namespaced), .dflt = "false", .help = "Of one namespace instead of the whole cluster; also with -n." }

const struct option create_instancetype_flags[] = {
    NAME_FLAGS,
    { "cpu", 0, OPTION_INT, FLAG(create_type.cpu), .dflt = "0", .max = UINT32_MAX, .arg = "N", .help = "Number of virtual CPUs." },
    { "memory", 0, OPTION_STRING, FLAG(create_type.memory), .dflt = "", .arg = "QUANTITY", .help = "Memory of the guest." },
    { "gpu", 0, OPTION_STRINGS, FLAG(create_type.gpus), .arg = "PARAMS", .help = "A GPU: name:NAME,devicename:DEVICE." },
    { "hostdevice", 0, OPTION_STRINGS, FLAG(create_type.host_devices), .arg = "PARAMS", .help = "A host device: name:NAME,devicename:DEVICE." },
    { "iothreadspolicy", 0, OPTION_WORD, FLAG(create_type.iothreads_policy), .dflt = "", .arg = "auto|shared", .help = "Policy of IO threads." },
    { 0 },
};

const struct option create_preference_flags[] = {
    NAME_FLAGS,
    { "volume-storage-class", 0, OPTION_STRING, FLAG(create_type.volume_storage_class), .dflt = "", .arg = "NAME", .help = "Preferred storage class." },
    { "machine-type", 0, OPTION_STRING, FLAG(create_type.machine_type), .dflt = "", .arg = "TYPE", .help = "Preferred machine type." },
    { "cpu-topology", 0, OPTION_WORD, FLAG(create_type.cpu_topology), .dflt = "",
      .arg = "sockets|cores|threads|spread|any|preferSockets|preferCores|preferThreads|preferSpread|preferAny",
      .help = "Preferred topology of CPUs." },
    { 0 },
};
// clang-format on

/* The head of a manifest: kind, name, namespace. */
static json_t *make_head(const struct kube_kind *kind, const char *name, const char *prefix,
                         const char *namespace)
{
    char version[KUBE_API_VERSION_MAX];
    char suffix[SUFFIX + 1];

    random_suffix(suffix, SUFFIX);
    scoped(free) char *fallback = must_asprintf("%s-%s", prefix, suffix);
    json_t *obj =
        must_pack("{s:s, s:s, s:{s:s}, s:{}}", "apiVersion", kube_api_version(kind, version),
                  "kind", kind->kind, "metadata", "name", *name ? name : fallback, "spec");
    if (namespace)
        jpath_set_str(obj, "metadata.namespace", namespace);
    return obj;
}

static int add_devices(json_t *spec, const char *flag, const char *key,
                       const struct option_list *values, struct error *e)
{
    static const struct param rows[] = { { "name", PARAM_TEXT },
                                         { "devicename", PARAM_TEXT },
                                         { 0 } };

    for (size_t i = 0; i < values->len; i++) {
        json_auto_t *params = NULL;

        if (params_parse(flag, values->item[i], rows, NULL, &params, e) < 0)
            return -(int)e->code;
        const char *name = jpath_str(params, "name", "");
        const char *device = jpath_str(params, "devicename", "");
        if (!*name || !*device)
            return params_error(e, flag, "%s must be specified", *name ? "devicename" : "name");
        must_append(jpath_make_arr(spec, key),
                    must_pack("{s:s, s:s}", "deviceName", device, "name", name));
    }
    return 0;
}

int create_instancetype(const struct create_type_flags *f, const char *namespace, json_t **ret,
                        struct error *e)
{
    const bool is_local = f->is_namespaced || namespace;
    char canonical[QUANTITY_TEXT_MAX];
    struct quantity memory;

    if (f->cpu <= 0)
        return error_set(e, ERR_BAD_REQUEST, "--cpu: the number of CPUs must be greater than 0");
    if (!*f->memory)
        return error_set(e, ERR_BAD_REQUEST, "required flag(s) \"memory\" not set");
    if (quantity_parse(f->memory, &memory) < 0)
        return params_error(e, "memory", "\"%s\" is not a quantity such as 512Mi", f->memory);

    json_auto_t *obj =
        is_local ? make_head(&KIND_INSTANCETYPE, f->name, "instancetype", namespace)
                 : make_head(&KIND_CLUSTER_INSTANCETYPE, f->name, "clusterinstancetype", NULL);
    json_t *spec = jpath_obj(obj, "spec");
    jpath_set_int(spec, "cpu.guest", f->cpu);
    jpath_set_str(spec, "memory.guest", quantity_format(memory, canonical));
    if (*f->iothreads_policy)
        jpath_set_str(spec, "ioThreadsPolicy", f->iothreads_policy);
    if (add_devices(spec, "gpu", "gpus", &f->gpus, e) < 0 ||
        add_devices(spec, "hostdevice", "hostDevices", &f->host_devices, e) < 0)
        return -(int)e->code;
    *ret = TAKE(obj);
    return 0;
}

int create_preference(const struct create_type_flags *f, const char *namespace, json_t **ret,
                      struct error *e)
{
    const bool is_local = f->is_namespaced || namespace;
    json_t *obj = is_local
                      ? make_head(&KIND_PREFERENCE, f->name, "preference", namespace)
                      : make_head(&KIND_CLUSTER_PREFERENCE, f->name, "clusterpreference", NULL);

    if (*f->volume_storage_class)
        jpath_set_str(obj, "spec.volumes.preferredStorageClassName", f->volume_storage_class);
    if (*f->machine_type)
        jpath_set_str(obj, "spec.machine.preferredMachineType", f->machine_type);
    if (*f->cpu_topology)
        jpath_set_str(obj, "spec.cpu.preferredCPUTopology", f->cpu_topology);
    *ret = obj;
    return 0;
}

int run_create_instancetype(struct cli *c, const struct option_list *args, struct error *e)
{
    json_auto_t *obj = NULL;

    if (create_instancetype(&c->flags.create_type, cli_namespace_flag(c), &obj, e) < 0)
        return -(int)e->code;
    return document_print(obj, "yaml", 0, e);
}

int run_create_preference(struct cli *c, const struct option_list *args, struct error *e)
{
    json_auto_t *obj = NULL;

    if (create_preference(&c->flags.create_type, cli_namespace_flag(c), &obj, e) < 0)
        return -(int)e->code;
    return document_print(obj, "yaml", 0, e);
}
