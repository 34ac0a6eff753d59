// SPDX-License-Identifier: Apache-2.0
/* Guest agent's answers; see guest.h. */
#include "launcher/guest.h"

#include <strings.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

/* How one member is called by the agent and by KubeVirt. */
struct rename {
    const char *agent, *kubevirt;
    json_type type;
};

static const struct rename os_members[] = {
    { "name", "name", JSON_STRING },
    { "kernel-release", "kernelRelease", JSON_STRING },
    { "version", "version", JSON_STRING },
    { "pretty-name", "prettyName", JSON_STRING },
    { "version-id", "versionId", JSON_STRING },
    { "kernel-version", "kernelVersion", JSON_STRING },
    { "machine", "machine", JSON_STRING },
    { "id", "id", JSON_STRING },
    { NULL, NULL, 0 },
};

static const struct rename user_members[] = {
    { "user", "userName", JSON_STRING },
    { "domain", "domain", JSON_STRING },
    { "login-time", "loginTime", JSON_REAL },
    { NULL, NULL, 0 },
};

static const struct rename filesystem_members[] = {
    { "name", "diskName", JSON_STRING },           { "mountpoint", "mountPoint", JSON_STRING },
    { "type", "fileSystemType", JSON_STRING },     { "used-bytes", "usedBytes", JSON_INTEGER },
    { "total-bytes", "totalBytes", JSON_INTEGER }, { NULL, NULL, 0 },
};

static const struct rename disk_members[] = {
    { "serial", "serial", JSON_STRING },
    { "bus-type", "busType", JSON_STRING },
    { NULL, NULL, 0 },
};

static const struct rename command_members[] = {
    { "name", "name", JSON_STRING },
    { "enabled", "enabled", JSON_TRUE },
    { NULL, NULL, 0 },
};

static bool is_of(const json_t *v, json_type type)
{
    switch (type) {
    case JSON_STRING:
        return json_is_string(v) && json_string_length(v) <= GUEST_TEXT_MAX;
    case JSON_REAL:
        return json_is_number(v);
    case JSON_INTEGER:
        return json_is_integer(v);
    case JSON_TRUE:
    case JSON_FALSE:
        return json_is_boolean(v);
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NULL:
        break;
    }
    return false;
}

static json_t *renamed(const json_t *from, const struct rename *rows)
{
    json_t *out = json_object();

    for (; rows->agent; rows++) {
        json_t *v = json_object_get(from, rows->agent);
        if (is_of(v, rows->type))
            must_set(out, rows->kubevirt, json_incref(v));
    }
    return out;
}

static json_t *renamed_list(const json_t *from, const struct rename *rows)
{
    json_t *out = json_array();
    size_t i;
    json_t *item;

    json_array_foreach(from, i, item) {
        if (i == GUEST_LIST_MAX)
            break;
        must_append(out, renamed(item, rows));
    }
    return out;
}

json_t *guest_agent(const json_t *answer)
{
    json_t *version = json_object_get(answer, "version");
    json_t *out = json_object();

    if (is_of(version, JSON_STRING))
        must_set(out, "version", json_incref(version));
    must_set(out, "supportedCommands",
             renamed_list(json_object_get(answer, "supported_commands"), command_members));
    return out;
}

json_t *guest_os(const json_t *answer)
{
    return renamed(answer, os_members);
}

json_t *guest_hostname(const json_t *answer)
{
    json_t *name = json_object_get(answer, "host-name");
    return is_of(name, JSON_STRING) ? json_incref(name) : json_string("");
}

json_t *guest_timezone(const json_t *answer)
{
    const char *zone = jpath_str(answer, "zone", "");
    json_int_t offset = jpath_int(answer, "offset", 0);

    scoped(free) char *text = must_asprintf("%.64s, %" JSON_INTEGER_FORMAT, zone, offset);
    json_t *out = json_string(text); /* NULL when the cut broke a character */
    return out ? out : json_string("");
}

json_t *guest_users(const json_t *answer)
{
    return renamed_list(answer, user_members);
}

json_t *guest_filesystems(const json_t *answer)
{
    json_t *out = renamed_list(answer, filesystem_members);
    size_t i;
    json_t *filesystem;

    json_array_foreach(out, i, filesystem) {
        const json_t *disks = json_object_get(json_array_get(answer, i), "disk");
        if (json_array_size(disks) > 0)
            must_set(filesystem, "disk", renamed_list(disks, disk_members));
    }
    return out;
}

static json_t *addresses_of(const json_t *interface)
{
    json_t *out = json_array();
    size_t i;
    json_t *row;

    json_array_foreach(json_object_get(interface, "ip-addresses"), i, row) {
        json_t *address = json_object_get(row, "ip-address");
        if (i == GUEST_LIST_MAX)
            break;
        /* Link-local IPv6 addresses help nobody outside. */
        if (is_of(address, JSON_STRING) && strncasecmp(json_string_value(address), "fe80:", 5) != 0)
            must_append(out, json_incref(address));
    }
    return out;
}

json_t *guest_interfaces(const json_t *answer)
{
    json_t *out = json_array();
    size_t i;
    json_t *row;

    json_array_foreach(answer, i, row) {
        json_t *name = json_object_get(row, "name");
        json_t *mac = json_object_get(row, "hardware-address");
        if (i == GUEST_LIST_MAX)
            break;
        if (!is_of(name, JSON_STRING) || !is_of(mac, JSON_STRING) ||
            streq(json_string_value(name), "lo"))
            continue;
        must_append(out, must_pack("{s:O,s:O,s:o}", "interfaceName", name, "mac", mac,
                                   "ipAddresses", addresses_of(row)));
    }
    return out;
}

static const json_t *by_mac(const json_t *list, const char *mac)
{
    size_t i;
    json_t *row;

    json_array_foreach(list, i, row)
        if (strcasecmp(jpath_str(row, "mac", ""), mac) == 0)
            return row;
    return NULL;
}

static void take_from_agent(json_t *interface, const json_t *agent)
{
    json_t *addresses = jpath_arr(agent, "ipAddresses");
    bool is_of_domain = jpath_has(interface, "infoSource");

    jpath_set_str(interface, "interfaceName", jpath_str(agent, "interfaceName", ""));
    if (json_array_size(addresses) > 0) {
        must_set(interface, "ipAddresses", json_incref(addresses));
        must_set(interface, "ipAddress", json_incref(json_array_get(addresses, 0)));
    }
    jpath_set_str(interface, "infoSource", is_of_domain ? "domain, guest-agent" : "guest-agent");
}

json_t *guest_merge_interfaces(const json_t *of_domain, const json_t *of_agent)
{
    json_t *out = json_array();
    size_t i;
    json_t *row;

    json_array_foreach(of_domain, i, row) {
        json_t *mine = must_copy(row);
        const json_t *agent = by_mac(of_agent, jpath_str(row, "mac", ""));
        if (agent)
            take_from_agent(mine, agent);
        must_append(out, mine);
    }
    json_array_foreach(of_agent, i, row) {
        const char *mac = jpath_str(row, "mac", "");
        if (by_mac(of_domain, mac))
            continue;
        json_t *mine = must_pack("{s:s}", "mac", mac);
        take_from_agent(mine, row);
        must_append(out, mine);
    }
    return out;
}
