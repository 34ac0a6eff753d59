/* SPDX-License-Identifier: Apache-2.0 */
/* What a node reports of its machines.  Pure. */
#include "handler/vmi_status.h"

#include <string.h>

#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/decide.h"

static void set_str_if(json_t *o, const char *key, const char *value)
{
    if (value && *value)
        must_set(o, key, json_string(value));
}

static json_t *find_or_append(json_t *array, const char *name)
{
    json_t *found = jarr_find(array, "name", name);

    if (!found) {
        found = must_pack("{s:s}", "name", name);
        must_append(array, found);
    }
    return found;
}

/* ---- phase ---- */

static void write_phase(json_t *vmi, const struct vmi_report *r)
{
    if (!r->phase || !*r->phase || streq(r->phase, jpath_str(vmi, "status.phase", "")))
        return;
    jpath_set_str(vmi, "status.phase", r->phase);

    json_t *times = jpath_make_arr(vmi, "status.phaseTransitionTimestamps");
    if (!jarr_find(times, "phase", r->phase))
        must_append(times,
                    must_pack("{s:s, s:s}", "phase", r->phase, "phaseTransitionTimestamp", r->now));
}

/* ---- interfaces ---- */

static bool is_of_pod_network(const json_t *vmi, const char *name)
{
    return jpath_has(jarr_find(jpath_arr(vmi, "spec.networks"), "name", name), "pod");
}

/* Behind masquerade the world sees the pod's addresses, not the guest's. */
static void write_addresses(json_t *out, const json_t *vmi, const json_t *interface,
                            const json_t *seen, const json_t *pod_ips)
{
    bool is_masqueraded = jpath_has(interface, "masquerade") &&
                          is_of_pod_network(vmi, jpath_str(interface, "name", ""));
    const json_t *ips = is_masqueraded ? pod_ips : jpath_arr(seen, "ipAddresses");

    if (json_array_size(ips) == 0)
        return;
    must_set(out, "ipAddresses", must_copy(ips));
    must_set(out, "ipAddress", must_copy(json_array_get(ips, 0)));
}

/* "domain, guest-agent" of the launcher, then what the controller knows. */
static void write_source(json_t *out, const json_t *seen)
{
    const char *own = jpath_str(seen, "infoSource", "domain");
    const char *was = jpath_str(out, "infoSource", "");

    if (strstr(was, "multus-status") && !strstr(own, "multus-status")) {
        scoped(free) char *both = must_asprintf("%s, multus-status", own);

        must_set(out, "infoSource", json_string(both));
        return;
    }
    must_set(out, "infoSource", json_string(own));
}

static void write_interfaces(json_t *vmi, const struct vmi_report *r)
{
    size_t i;
    json_t *interface;

    json_array_foreach(jpath_arr(vmi, "spec.domain.devices.interfaces"), i, interface) {
        const char *name = jpath_str(interface, "name", "");
        const json_t *seen = jarr_find(jpath_arr(r->domain, "interfaces"), "name", name);

        if (!seen)
            continue;
        json_t *out = find_or_append(jpath_make_arr(vmi, "status.interfaces"), name);
        set_str_if(out, "mac", jpath_str(seen, "mac", NULL));
        set_str_if(out, "interfaceName", jpath_str(seen, "interfaceName", NULL));
        set_str_if(out, "linkState", jpath_str(seen, "linkState", "up"));
        if (is_of_pod_network(vmi, name) && !jpath_has(out, "podInterfaceName"))
            must_set(out, "podInterfaceName", json_string("eth0"));
        must_set(out, "queueCount", json_integer(jpath_int(seen, "queueCount", 1)));
        write_source(out, seen);
        write_addresses(out, vmi, interface, seen, r->pod_ips);
    }
}

/* ---- conditions ---- */

static void set_or_remove(json_t *vmi, bool is_wanted, const char *type, const char *reason,
                          const char *message, const char *now)
{
    if (is_wanted)
        condition_set(vmi, type, "True", reason, message, now);
    else
        condition_remove(vmi, type);
}

/* Only these reasons of a pause are told to the user; others are passing. */
static const struct pause_reason {
    const char *of_domain, *reason, *message;
} pause_reasons[] = {
    { "User", "PausedByUser", "VMI was paused by user" },
    { "IOError", "PausedIOError", "VMI was paused, IO error" },
};

static void write_paused(json_t *vmi, const struct vmi_report *r)
{
    bool is_paused = streq(jpath_str(r->domain, "state", ""), "Paused");
    const char *why = jpath_str(r->domain, "reason", "");

    for (size_t i = 0; is_paused && i < countof(pause_reasons); i++) {
        if (streq(why, pause_reasons[i].of_domain)) {
            condition_set(vmi, "Paused", "True", pause_reasons[i].reason, pause_reasons[i].message,
                          r->now);
            return;
        }
    }
    if (!is_paused)
        condition_remove(vmi, "Paused");
}

static const char *const agent_commands[] = {
    "guest-ping",
    "guest-get-time",
    "guest-info",
    "guest-shutdown",
    "guest-network-get-interfaces",
    "guest-get-fsinfo",
    "guest-get-host-name",
    "guest-get-users",
    "guest-get-timezone",
    "guest-get-osinfo",
};

static bool agent_lacks_commands(const json_t *domain)
{
    const json_t *known = jpath_arr(domain, "guestAgent.supportedCommands");

    if (json_array_size(known) == 0)
        return false;
    for (size_t i = 0; i < countof(agent_commands); i++) {
        if (!jpath_bool(jarr_find(known, "name", agent_commands[i]), "enabled", false))
            return true;
    }
    return false;
}

static void write_agent(json_t *vmi, const struct vmi_report *r)
{
    bool is_connected = jpath_bool(r->domain, "agentConnected", false);

    set_or_remove(vmi, is_connected, "AgentConnected", NULL, NULL, r->now);
    set_or_remove(vmi, is_connected && agent_lacks_commands(r->domain), "AgentVersionNotSupported",
                  "AgentCommandsMissing", "the guest agent lacks required commands", r->now);

    const json_t *os = jpath_obj(r->domain, "osInfo");
    if (is_connected && os && json_object_size(os) > 0)
        jpath_set(vmi, "status.guestOSInfo", must_copy(os));
}

/* ---- migration ---- */

static const json_t *volume_of(const json_t *vmi, size_t i)
{
    return json_array_get(jpath_arr(vmi, "spec.volumes"), i);
}

static bool is_shared_claim(const json_t *vmi, const char *volume)
{
    const json_t *status = jarr_find(jpath_arr(vmi, "status.volumeStatus"), "name", volume);
    size_t i;
    json_t *mode;

    json_array_foreach(jpath_arr(status, "persistentVolumeClaimInfo.accessModes"), i, mode) {
        if (streq(json_string_value(mode), "ReadWriteMany"))
            return true;
    }
    return false;
}

static bool disks_hinder(const json_t *vmi)
{
    for (size_t i = 0; i < json_array_size(jpath_arr(vmi, "spec.volumes")); i++) {
        const json_t *v = volume_of(vmi, i);
        bool is_claim = jpath_has(v, "persistentVolumeClaim") || jpath_has(v, "dataVolume");

        if (is_claim && !is_shared_claim(vmi, jpath_str(v, "name", "")))
            return true;
        if (jpath_has(v, "hostDisk") && !jpath_bool(v, "hostDisk.shared", false))
            return true;
    }
    return false;
}

static bool interfaces_hinder(const json_t *vmi)
{
    size_t i;
    json_t *interface;

    if (meta_annotation(vmi, "kubevirt.io/allow-pod-bridge-network-live-migration"))
        return false;
    json_array_foreach(jpath_arr(vmi, "spec.domain.devices.interfaces"), i, interface) {
        if (jpath_has(interface, "bridge") &&
            is_of_pod_network(vmi, jpath_str(interface, "name", "")))
            return true;
    }
    return false;
}

static bool host_devices_hinder(const json_t *vmi)
{
    return json_array_size(jpath_arr(vmi, "spec.domain.devices.hostDevices")) > 0 ||
           json_array_size(jpath_arr(vmi, "spec.domain.devices.gpus")) > 0;
}

static bool sev_hinders(const json_t *vmi)
{
    return jpath_has(vmi, "spec.domain.launchSecurity.sev") ||
           jpath_has(vmi, "spec.domain.launchSecurity.snp");
}

static bool tdx_hinders(const json_t *vmi)
{
    return jpath_has(vmi, "spec.domain.launchSecurity.tdx");
}

static bool hyperv_hinders(const json_t *vmi)
{
    return jpath_bool(vmi, "spec.domain.features.hypervPassthrough.enabled", false);
}

/* In upstream's order: the first that applies is the reason. */
static const struct hindrance {
    bool (*applies)(const json_t *vmi);
    const char *reason, *message;
} hindrances[] = {
    { interfaces_hinder, "InterfaceNotLiveMigratable",
      "cannot migrate VMI which does not use masquerade to connect to the pod network" },
    { host_devices_hinder, "HostDeviceNotLiveMigratable", "VMI uses host devices" },
    { sev_hinders, "SEVNotLiveMigratable", "VMI uses SEV" },
    { tdx_hinders, "TDXNotLiveMigratable", "VMI uses TDX" },
    { hyperv_hinders, "HypervPassthroughNotLiveMigratable", "VMI uses hyperv passthrough" },
    { disks_hinder, "DisksNotLiveMigratable",
      "cannot migrate VMI: a volume is not shared between nodes" },
};

const char *vmi_migration_hindrance(const json_t *vmi, const char **ret_message)
{
    for (size_t i = 0; i < countof(hindrances); i++) {
        if (hindrances[i].applies(vmi)) {
            *ret_message = hindrances[i].message;
            return hindrances[i].reason;
        }
    }
    return NULL;
}

/* Any volume that lives on this node only has to be copied along. */
static bool needs_block_migration(const json_t *vmi)
{
    static const char *const shared[] = {
        "persistentVolumeClaim", "dataVolume", "configMap", "secret",
        "serviceAccount",        "downwardAPI"
    };

    for (size_t i = 0; i < json_array_size(jpath_arr(vmi, "spec.volumes")); i++) {
        bool is_shared = false;

        for (size_t k = 0; k < countof(shared); k++)
            is_shared = is_shared || jpath_has(volume_of(vmi, i), shared[k]);
        if (!is_shared)
            return true;
    }
    return false;
}

static void write_migratable(json_t *vmi, const struct vmi_report *r)
{
    const char *message = NULL;
    const char *reason = vmi_migration_hindrance(vmi, &message);

    condition_set(vmi, "LiveMigratable", reason ? "False" : "True", reason, message, r->now);
    bool is_storage = streq(reason, "DisksNotLiveMigratable");
    condition_set(vmi, "StorageLiveMigratable", is_storage ? "False" : "True",
                  is_storage ? "NotMigratable" : NULL, is_storage ? message : NULL, r->now);
    jpath_set_str(vmi, "status.migrationMethod",
                  needs_block_migration(vmi) ? "BlockMigration" : "LiveMigration");
    if (!jpath_has(vmi, "status.migrationTransport"))
        jpath_set_str(vmi, "status.migrationTransport", "Unix");
}

/* ---- machine, memory, volumes ---- */

static void write_targets(json_t *vmi, const struct vmi_report *r)
{
    size_t i;
    json_t *status;

    json_array_foreach(jpath_arr(vmi, "status.volumeStatus"), i, status) {
        const json_t *disk =
            jarr_find(jpath_arr(r->domain, "disks"), "name", jpath_str(status, "name", ""));

        set_str_if(status, "target", jpath_str(disk, "target", NULL));
    }
}

static void write_machine(json_t *vmi, const struct vmi_report *r)
{
    const char *machine = jpath_str(r->domain, "machine", "");
    const json_t *guest = jpath(vmi, "spec.domain.memory.guest");

    if (*machine)
        jpath_set_str(vmi, "status.machine.type", machine);
    if (!guest)
        guest = jpath(vmi, "spec.domain.resources.requests.memory");
    if (guest && !jpath_has(vmi, "status.memory.guestAtBoot"))
        jpath_set(vmi, "status.memory.guestAtBoot", must_copy(guest));
    if (guest) {
        jpath_set(vmi, "status.memory.guestCurrent", must_copy(guest));
        jpath_set(vmi, "status.memory.guestRequested", must_copy(guest));
    }
    if (jpath_has(vmi, "spec.domain.cpu") && !jpath_has(vmi, "status.currentCPUTopology")) {
        static const char *const parts[] = { "cores", "sockets", "threads" };
        json_t *topology = json_object();

        for (size_t i = 0; i < countof(parts); i++)
            must_set(topology, parts[i],
                     json_integer(jpath_int(jpath(vmi, "spec.domain.cpu"), parts[i], 1)));
        jpath_set(vmi, "status.currentCPUTopology", topology);
    }
}

static void write_synchronized(json_t *vmi, const struct vmi_report *r)
{
    if (r->sync_message) {
        scoped(free) char *text =
            must_asprintf("server error. command SyncVMI failed: %.400s", r->sync_message);

        condition_set(vmi, "Synchronized", "False", "Synchronizing with the Domain failed.", text,
                      r->now);
        return;
    }
    if (streq(jpath_str(condition_find(vmi, "Synchronized"), "reason", ""),
              "Synchronizing with the Domain failed."))
        condition_remove(vmi, "Synchronized");
}

void vmi_status_write(json_t *vmi, const struct vmi_report *r)
{
    write_phase(vmi, r);
    write_synchronized(vmi, r);
    if (!r->domain)
        return;
    if (!domain_is_alive(r->domain)) {
        condition_remove(vmi, "Paused");
        condition_remove(vmi, "AgentConnected");
        return;
    }
    write_interfaces(vmi, r);
    write_paused(vmi, r);
    write_agent(vmi, r);
    write_machine(vmi, r);
    write_targets(vmi, r);
    write_migratable(vmi, r);
}

json_t *vmi_status_patch(const json_t *before, const json_t *after)
{
    json_auto_t *changes = jpatch_make(before, after);
    json_t *patch = NULL;

    if (json_array_size(changes) == 0)
        return NULL;
    patch = json_array();
    jpatch_test(patch, "/metadata/resourceVersion",
                json_string(jpath_str(before, "metadata.resourceVersion", "")));
    must(json_array_extend(patch, changes) == 0);
    return patch;
}
