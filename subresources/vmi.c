/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to a running instance: check its state here (the rules are
 * rows), let its virt-handler do it.
 */
#include "subresources/vmi.h"

#include <stdint.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "subresources/call.h"

/* One thing that must hold before a subresource is used. */
typedef bool state_fn(const json_t *vmi, const json_t *vm);

static bool is_running(const json_t *vmi, const json_t *vm)
{
    return vmi_is_running(vmi);
}

static bool is_not_failed(const json_t *vmi, const json_t *vm)
{
    return !streq(jpath_str(vmi, "status.phase", ""), "Failed");
}

static bool has_console(const json_t *vmi, const json_t *vm)
{
    return jpath_bool(vmi, "spec.domain.devices.autoattachSerialConsole", true);
}

static bool has_screen(const json_t *vmi, const json_t *vm)
{
    return jpath_bool(vmi, "spec.domain.devices.autoattachGraphicsDevice", true);
}

static bool can_redirect(const json_t *vmi, const json_t *vm)
{
    return !streq(jpath_str(vmi, "spec.architecture", ""), "s390x");
}

static bool has_redirection(const json_t *vmi, const json_t *vm)
{
    return jpath_has(vmi, "spec.domain.devices.clientPassthrough");
}

static bool has_vsock(const json_t *vmi, const json_t *vm)
{
    return jpath_bool(vmi, "spec.domain.devices.autoattachVSOCK", false);
}

static bool has_paused(const json_t *vmi, const json_t *vm)
{
    return condition_find(vmi, "Paused") != NULL;
}

static bool has_not_paused(const json_t *vmi, const json_t *vm)
{
    return !has_paused(vmi, vm);
}

static bool is_not_paused(const json_t *vmi, const json_t *vm)
{
    return !condition_is_true(vmi, "Paused");
}

static bool is_not_probed(const json_t *vmi, const json_t *vm)
{
    return !jpath_has(vmi, "spec.livenessProbe") ||
           jpath_has(vmi, "spec.livenessProbe.guestAgentPing");
}

static bool is_not_in_snapshot(const json_t *vmi, const json_t *vm)
{
    return !jpath_has(vm, "status.snapshotInProgress");
}

static bool can_soft_reboot(const json_t *vmi, const json_t *vm)
{
    return condition_find(vmi, "AgentConnected") ||
           jpath_bool(vmi, "spec.domain.features.acpi.enabled", true);
}

static bool has_agent(const json_t *vmi, const json_t *vm)
{
    return condition_find(vmi, "AgentConnected") != NULL;
}

/* In the order in which they are checked; the first that does not hold is the answer. */
static const struct state_rule {
    const char *subresource;
    state_fn *holds;
    enum error_code code;
    const char *message;
} rules[] = {
    // clang-format off
    { "console",        has_console,        ERR_BAD_REQUEST, "No serial consoles are present." },
    { "console",        is_not_failed,      ERR_CONFLICT,    "VMI is in failed status" },
    { "console",        is_running,         ERR_BAD_REQUEST, "VMI is not running" },
    { "vnc",            has_screen,         ERR_BAD_REQUEST, "No graphics devices are present." },
    { "vnc",            is_running,         ERR_BAD_REQUEST, "VMI is not running" },
    { "vnc/screenshot", has_screen,         ERR_BAD_REQUEST, "No graphics devices are present." },
    { "vnc/screenshot", is_running,         ERR_BAD_REQUEST, "VMI is not running" },
    { "usbredir",       can_redirect,       ERR_CONFLICT,    "USB redirection is not there on s390x" },
    { "usbredir",       has_redirection,    ERR_CONFLICT,    "Not configured with USB Redirection" },
    { "usbredir",       is_running,         ERR_BAD_REQUEST, "VMI is not running" },
    { "vsock",          has_vsock,          ERR_BAD_REQUEST, "VSOCK is not attached." },
    { "vsock",          is_running,         ERR_BAD_REQUEST, "VMI is not running" },
    { "portforward",    has_not_paused,     ERR_CONFLICT,    "VMI is paused" },
    { "pause",          is_running,         ERR_CONFLICT,    "VM is not running" },
    { "pause",          is_not_probed,      ERR_FORBIDDEN,   "a paused VMI fails its liveness probe and would be killed: remove spec.livenessProbe or probe by guestAgentPing" },
    { "pause",          has_not_paused,     ERR_CONFLICT,    "VMI is already paused" },
    { "unpause",        is_not_in_snapshot, ERR_CONFLICT,    "VM snapshot is in progress" },
    { "unpause",        is_running,         ERR_CONFLICT,    "VMI is not running" },
    { "unpause",        has_paused,         ERR_CONFLICT,    "VMI is not paused" },
    { "softreboot",     is_running,         ERR_CONFLICT,    "VM is not running" },
    { "softreboot",     is_not_paused,      ERR_CONFLICT,    "VMI is paused" },
    { "softreboot",     can_soft_reboot,    ERR_CONFLICT,    "VMI neither have the agent connected nor the ACPI feature enabled" },
    { "guestosinfo",    is_running,         ERR_CONFLICT,    "VMI is not running" },
    { "guestosinfo",    has_agent,          ERR_CONFLICT,    "VMI does not have guest agent connected" },
    { "userlist",       is_running,         ERR_CONFLICT,    "VMI is not running" },
    { "userlist",       has_agent,          ERR_CONFLICT,    "VMI does not have guest agent connected" },
    { "filesystemlist", is_running,         ERR_CONFLICT,    "VMI is not running" },
    { "filesystemlist", has_agent,          ERR_CONFLICT,    "VMI does not have guest agent connected" },
    // clang-format on
};

int vmi_allows(const char *subresource, const json_t *vmi, const json_t *vm, struct error *e)
{
    for (size_t i = 0; i < countof(rules); i++)
        if (streq(rules[i].subresource, subresource) && !rules[i].holds(vmi, vm))
            return error_set(e, rules[i].code, "%s", rules[i].message);
    return 0;
}

/* The instance, if the rules let it be used; NULL: the call has been answered. */
static json_t *checked_vmi(struct sub_call *c)
{
    struct error e = { 0 };
    json_auto_t *vmi = NULL;
    json_auto_t *vm = NULL;

    int r = sub_get_vmi(c, &vmi, &e);
    if (r == 0 && streq(c->match.subresource, "unpause")) {
        r = sub_get_vm(c, &vm, &e);
        if (r == -ERR_NOT_FOUND)
            r = 0;
    }
    if (r == 0) {
        r = vmi_allows(c->match.subresource, vmi, vm, &e);
        if (r == -ERR_CONFLICT) {
            struct error why = e;

            sub_conflict(c, ROUTE_VMI, &e, why.msg);
        }
    }
    if (r < 0) {
        sub_reply_error(c, &e);
        return NULL;
    }
    return json_incref(vmi);
}

void vmi_command(struct sub_call *c)
{
    json_auto_t *vmi = checked_vmi(c);

    if (!vmi)
        return;
    if (c->is_dry_run)
        sub_reply_empty(c, 200);
    else
        sub_forward(c, vmi, c->match.subresource, 200);
}

/* As Go reads booleans, which upstream's clients write; what is unreadable is false. */
static bool is_true(const char *text)
{
    static const char *const words[] = { "1", "t", "T", "true", "TRUE", "True" };

    for (size_t i = 0; i < countof(words); i++)
        if (streq(text, words[i]))
            return true;
    return false;
}

static bool is_false(const char *text)
{
    static const char *const words[] = { "0", "f", "F", "false", "FALSE", "False" };

    for (size_t i = 0; i < countof(words); i++)
        if (streq(text, words[i]))
            return true;
    return false;
}

char *vmi_session_path(const char *subresource, const struct session_wish *w)
{
    return must_asprintf(
        "%s?preserveSession=%s%s%s%s", subresource, is_true(w->preserve_session) ? "true" : "false",
        is_true(w->shared) ? "&shared=true" : "", is_true(w->observe) ? "&observe=true" : "",
        is_true(w->take_over) ? "&takeOver=true" : "");
}

char *vmi_vsock_path(const char *port, const char *tls, struct error *e)
{
    long long number;

    if (!port || !*port) {
        error_set(e, ERR_BAD_REQUEST, "target port is not specified: add port=N to the query");
        return NULL;
    }
    /* The last one stands for any. */
    if (str_to_int(port, 1, UINT32_MAX - 1, &number) < 0) {
        error_set(e, ERR_BAD_REQUEST, "port: \"%.40s\" is not a VSOCK port (1 to %u)", port,
                  UINT32_MAX - 1);
        return NULL;
    }
    if (tls && *tls && !is_true(tls) && !is_false(tls)) {
        error_set(e, ERR_BAD_REQUEST, "tls: \"%.40s\" is neither true nor false", tls);
        return NULL;
    }
    return must_asprintf("vsock?port=%lld&tls=%s", number, tls && is_false(tls) ? "false" : "true");
}

static void open_session(struct sub_call *c)
{
    json_auto_t *vmi = checked_vmi(c);

    if (!vmi)
        return;
    const struct session_wish wish = { http_call_query(c->http, "preserveSession"),
                                       http_call_query(c->http, "shared"),
                                       http_call_query(c->http, "observe"),
                                       http_call_query(c->http, "takeOver") };
    scoped(free) char *path = vmi_session_path(c->match.subresource, &wish);
    sub_stream(c, vmi, path);
}

void vmi_console(struct sub_call *c)
{
    open_session(c);
}

void vmi_vnc(struct sub_call *c)
{
    open_session(c);
}

void vmi_usbredir(struct sub_call *c)
{
    json_auto_t *vmi = checked_vmi(c);

    if (vmi)
        sub_stream(c, vmi, "usbredir");
}

void vmi_vsock(struct sub_call *c)
{
    json_auto_t *vmi = checked_vmi(c);
    struct error e;

    if (!vmi)
        return;
    scoped(free) char *path =
        vmi_vsock_path(http_call_query(c->http, "port"), http_call_query(c->http, "tls"), &e);
    if (path)
        sub_stream(c, vmi, path);
    else
        sub_reply_error(c, &e);
}
