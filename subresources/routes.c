/* SPDX-License-Identifier: Apache-2.0 */
/* The rows, and the one reader of paths. */
#include "subresources/routes.h"

#include <stdio.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "subresources/expand.h"
#include "subresources/link.h"
#include "subresources/options.h"
#include "subresources/portforward.h"
#include "subresources/vm.h"
#include "subresources/vmi.h"

const char *const subresource_versions[SUBRESOURCE_VERSION_COUNT] = { "v1", "v1alpha3" };

// clang-format off
const struct route subresource_routes[] = {
    { HTTP_PUT, ROUTE_VM,  "start",          ROUTE_CALL,   vm_start, &start_options,   NULL, "Start a machine; with paused, only up to its first instruction." },
    { HTTP_PUT, ROUTE_VM,  "stop",           ROUTE_CALL,   vm_stop, &stop_options,    NULL, "Stop a machine, giving the guest time to shut down." },
    { HTTP_PUT, ROUTE_VM,  "restart",        ROUTE_CALL,   vm_restart, &restart_options, NULL, "Stop a machine and start it again from its present template." },
    { HTTP_GET, ROUTE_VM,  "expand-spec",    ROUTE_CALL,   vm_expand_spec, NULL,         "VirtualMachine", "The machine with what its instance type and preference give." },
    { HTTP_PUT, ROUTE_VM_SPEC, "",           ROUTE_CALL,   vm_expand_given, NULL,        "VirtualMachine", "The machine that is sent, with what its instance type and preference give." },
    { HTTP_PUT, ROUTE_VMI, "pause",          ROUTE_CALL,   vmi_command, &pause_options,   NULL, "Stop the virtual CPUs; memory is kept." },
    { HTTP_PUT, ROUTE_VMI, "unpause",        ROUTE_CALL,   vmi_command, &pause_options,   NULL, "Let a paused instance go on." },
    { HTTP_PUT, ROUTE_VMI, "softreboot",     ROUTE_CALL,   vmi_command, NULL,            NULL, "Ask the guest to reboot, by its agent or the power button." },
    { HTTP_PUT, ROUTE_VMI, "link",           ROUTE_CALL,   vmi_link,    &link_options,    "VirtualMachineInstanceLink", "A link to the screen or console that works without kubeconfig, for a while." },
    { HTTP_PUT, ROUTE_VMI, "reset",          ROUTE_CALL,   vmi_command, NULL,            NULL, "Reset the virtual hardware at once." },
    { HTTP_GET, ROUTE_VMI, "console",        ROUTE_STREAM, vmi_console, NULL,            NULL, "Serial console, as a websocket of binary messages." },
    { HTTP_GET, ROUTE_VMI, "vnc",            ROUTE_STREAM, vmi_vnc,     NULL,            NULL, "Screen and input by the RFB protocol, as a websocket of binary messages." },
    { HTTP_GET, ROUTE_VMI, "usbredir",       ROUTE_STREAM, vmi_usbredir, NULL,           NULL, "A USB device of the client's for the guest, by the usbredir protocol in a websocket of binary messages." },
    { HTTP_GET, ROUTE_VMI, "vsock",          ROUTE_STREAM, vmi_vsock,   NULL,            NULL, "A VSOCK port of the guest, as a websocket of binary messages." },
    { HTTP_GET, ROUTE_VMI, "portforward",    ROUTE_TUNNEL, vmi_portforward, NULL,        NULL, "A TCP or UDP port of the guest, as a websocket of binary messages." },
    { HTTP_GET, ROUTE_VM,  "portforward",    ROUTE_TUNNEL, vm_portforward, NULL,         NULL, "A TCP or UDP port of the machine's running instance, as a websocket of binary messages." },
    { HTTP_GET, ROUTE_VMI, "vnc/screenshot", ROUTE_CALL,   vmi_command, NULL,            "PNG", "The screen as a PNG picture." },
    { HTTP_GET, ROUTE_VMI, "guestosinfo",    ROUTE_CALL,   vmi_command, NULL,            "VirtualMachineInstanceGuestAgentInfo", "What the guest agent says of its operating system." },
    { HTTP_GET, ROUTE_VMI, "userlist",       ROUTE_CALL,   vmi_command, NULL,            "VirtualMachineInstanceGuestOSUserList", "Who is logged in to the guest." },
    { HTTP_GET, ROUTE_VMI, "filesystemlist", ROUTE_CALL,   vmi_command, NULL,            "VirtualMachineInstanceFileSystemList", "The file systems that the guest has mounted." },
};
// clang-format on
const size_t subresource_routes_len = countof(subresource_routes);

static const struct {
    const char *plural, *kind, *singular;
} targets[] = {
    [ROUTE_VM] = { "virtualmachines", "VirtualMachine", "virtualmachine" },
    [ROUTE_VMI] = { "virtualmachineinstances", "VirtualMachineInstance", "virtualmachineinstance" },
    [ROUTE_VM_SPEC] = { "expand-vm-spec", "VirtualMachine", "virtualmachine" },
};

const char *route_plural(enum route_target t)
{
    return targets[t].plural;
}

const char *route_kind(enum route_target t)
{
    return targets[t].kind;
}

const char *route_singular(enum route_target t)
{
    return targets[t].singular;
}

char *route_resource(const struct route *r)
{
    return must_asprintf("%s%s%s", route_plural(r->target), *r->subresource ? "/" : "",
                         r->subresource);
}

const char *route_verb(const struct route *r)
{
    return r->method == HTTP_GET ? "get" : "update";
}

/* Take the next path segment, decoded and bounded; false at the end, or when it does not fit. */
static bool next_segment(const char **path, char *out, size_t size)
{
    const char *p = *path;
    size_t len = strcspn(p, "/");

    if (len == 0)
        return false;
    scoped(free) char *raw = must_strndup(p, len);
    scoped(free) char *decoded = str_percent_decode(raw);

    *path = p[len] == '/' ? p + len + 1 : p + len;
    return (size_t)snprintf(out, size, "%s", decoded) < size;
}

static const char *known_version(const char *version)
{
    for (size_t i = 0; i < SUBRESOURCE_VERSION_COUNT; i++)
        if (streq(subresource_versions[i], version))
            return subresource_versions[i];
    return NULL;
}

static bool known_target(const char *plural, enum route_target *ret)
{
    for (size_t i = 0; i < countof(targets); i++) {
        if (streq(targets[i].plural, plural)) {
            *ret = (enum route_target)i;
            return true;
        }
    }
    return false;
}

/* SUB[/SUB] up to the end of the path. */
static bool split_subresource(const char *path, struct route_match *ret)
{
    char part[64];
    size_t used = 0;

    while (*path && *path != '/') {
        if (!next_segment(&path, part, sizeof(part)))
            return false;
        used += (size_t)snprintf(ret->subresource + used, sizeof(ret->subresource) - used, "%s%s",
                                 used ? "/" : "", part);
        if (used >= sizeof(ret->subresource))
            return false;
    }
    return used > 0 && *path == '\0';
}

/* NAME/SUB[/SUB] up to the end of the path. */
static bool split_object(const char *path, struct route_match *ret)
{
    return next_segment(&path, ret->name, sizeof(ret->name)) && is_dns_subdomain(ret->name) &&
           split_subresource(path, ret);
}

/* .../namespaces/NS/RESOURCE[/NAME/SUB[/SUB]] into *ret. */
static bool split(const char *path, struct route_match *ret)
{
    char version[16], word[16], plural[32];

    if (!next_segment(&path, version, sizeof(version)) ||
        !next_segment(&path, word, sizeof(word)) || !streq(word, "namespaces") ||
        !next_segment(&path, ret->namespace, sizeof(ret->namespace)) ||
        !next_segment(&path, plural, sizeof(plural)))
        return false;

    ret->version = known_version(version);
    if (!ret->version || !known_target(plural, &ret->target) || !is_dns_label(ret->namespace))
        return false;
    if (ret->target == ROUTE_VM_SPEC)
        return *path == '\0' || streq(path, "/");
    return split_object(path, ret);
}

/* Is it this row's path?  Of a tunnel, with one or two words behind the subresource. */
static bool is_of_row(const struct route *r, const struct route_match *m)
{
    size_t len = strlen(r->subresource);

    if (r->target != m->target)
        return false;
    if (r->flow != ROUTE_TUNNEL)
        return streq(r->subresource, m->subresource);
    if (!str_has_prefix(m->subresource, r->subresource) || m->subresource[len] != '/')
        return false;
    const char *second = strchr(m->subresource + len + 1, '/');
    return !second || !strchr(second + 1, '/');
}

static void split_tail(const struct route *r, struct route_match *m)
{
    size_t len = strlen(r->subresource);

    (void)snprintf(m->tail, sizeof(m->tail), "%s", m->subresource + len + 1);
    m->subresource[len] = '\0';
}

int route_match(enum http_method method, const char *path, struct route_match *ret)
{
    static const char prefix[] = "/apis/" SUBRESOURCE_GROUP "/";
    const struct route *known = NULL;

    *ret = (struct route_match){ 0 };
    if (!str_has_prefix(path, prefix) || !split(path + sizeof(prefix) - 1, ret))
        return 0;

    for (size_t i = 0; i < subresource_routes_len; i++) {
        const struct route *r = &subresource_routes[i];

        if (!is_of_row(r, ret))
            continue;
        known = r;
        if (r->method == method)
            ret->route = r;
        (void)snprintf(ret->allow, sizeof(ret->allow), "%s", http_method_name(r->method));
    }
    if (known && known->flow == ROUTE_TUNNEL)
        split_tail(known, ret);
    return known ? 1 : 0;
}
