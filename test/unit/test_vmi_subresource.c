/* SPDX-License-Identifier: Apache-2.0 */
/* In which state of an instance each subresource may be used (spec 01, "Stream validations" and
 * section 6). */
#include "subresources/vmi.h"

#include <stdio.h>

#include "base/str.h"
#include "test/unit/rows.h"

#define RUNNING "{'status':{'phase':'Running'}}"
#define SCHEDULED "{'status':{'phase':'Scheduled'}}"
#define FAILED "{'status':{'phase':'Failed'}}"
#define WITH(type, status) \
    "{'status':{'phase':'Running','conditions':[{'type':'" type "','status':'" status "'}]}}"
#define NO_SERIAL \
    "{'spec':{'domain':{'devices':{'autoattachSerialConsole':false}}},'status':{'phase':'Failed'}}"
#define NO_SCREEN "{'spec':{'domain':{'devices':{'autoattachGraphicsDevice':false}}}}"
#define NO_ACPI \
    "{'spec':{'domain':{'features':{'acpi':{'enabled':false}}}},'status':{'phase':'Running'"

#define WITH_USB(phase) \
    "{'spec':{'domain':{'devices':{'clientPassthrough':{}}}},'status':{'phase':'" phase "'}}"

static const struct row {
    const char *name, *subresource, *vmi, *vm;
    enum error_code code;
    const char *says; /* a part of the message */
} rows[] = {
    { "console of a running one", "console", .vmi = RUNNING },
    { "console: absence is told before the state", "console", NO_SERIAL, NULL, ERR_BAD_REQUEST,
      "No serial consoles are present." },
    { "console: failed", "console", FAILED, NULL, ERR_CONFLICT, "VMI is in failed status" },
    { "console: not yet running", "console", SCHEDULED, NULL, ERR_BAD_REQUEST,
      "VMI is not running" },
    { "vnc of a running one", "vnc", .vmi = RUNNING },
    { "vnc without a screen", "vnc", NO_SCREEN, NULL, ERR_BAD_REQUEST,
      "No graphics devices are present." },
    { "vnc: not running", "vnc", FAILED, NULL, ERR_BAD_REQUEST, "VMI is not running" },
    { "screenshot of a running one", "vnc/screenshot", .vmi = RUNNING },
    { "screenshot without a screen", "vnc/screenshot", NO_SCREEN, NULL, ERR_BAD_REQUEST,
      "No graphics" },
    { "screenshot: not running", "vnc/screenshot", SCHEDULED, NULL, ERR_BAD_REQUEST,
      "VMI is not running" },

    { "usbredir", "usbredir", .vmi = WITH_USB("Running") },
    { "usbredir: not asked for", "usbredir", RUNNING, NULL, ERR_CONFLICT,
      "Not configured with USB Redirection" },
    { "usbredir: not running", "usbredir", WITH_USB("Scheduled"), NULL, ERR_BAD_REQUEST,
      "VMI is not running" },
    { "usbredir: an architecture without, before all else", "usbredir",
      "{'spec':{'architecture':'s390x'}}", NULL, ERR_CONFLICT, "s390x" },
    { "vsock", "vsock",
      .vmi =
          "{'spec':{'domain':{'devices':{'autoattachVSOCK':true}}},'status':{'phase':'Running'}}" },
    { "vsock: not attached", "vsock", RUNNING, NULL, ERR_BAD_REQUEST, "VSOCK is not attached." },
    { "portforward, in any phase", "portforward", .vmi = SCHEDULED },
    { "portforward: paused, whatever the condition's status", "portforward",
      WITH("Paused", "False"), NULL, ERR_CONFLICT, "VMI is paused" },

    { "pause", "pause", .vmi = RUNNING },
    { "pause: not running", "pause", SCHEDULED, NULL, ERR_CONFLICT, "VM is not running" },
    { "pause: paused, whatever the condition's status", "pause", WITH("Paused", "False"), NULL,
      ERR_CONFLICT, "VMI is already paused" },
    { "pause: watched by a probe", "pause",
      "{'spec':{'livenessProbe':{'tcpSocket':{'port':1}}},'status':{'phase':'Running'}}", NULL,
      ERR_FORBIDDEN, "livenessProbe" },
    { "pause: watched by the agent", "pause",
      .vmi = "{'spec':{'livenessProbe':{'guestAgentPing':{}}},'status':{'phase':'Running'}}" },
    { "unpause", "unpause", .vmi = WITH("Paused", "True") },
    { "unpause with a machine", "unpause", WITH("Paused", "True"), .vm = "{'status':{}}" },
    { "unpause: a snapshot is told before the state", "unpause", SCHEDULED,
      "{'status':{'snapshotInProgress':'s'}}", ERR_CONFLICT, "VM snapshot is in progress" },
    { "unpause: not running", "unpause", FAILED, NULL, ERR_CONFLICT, "VMI is not running" },
    { "unpause: not paused", "unpause", RUNNING, NULL, ERR_CONFLICT, "VMI is not paused" },

    { "softreboot by the power button", "softreboot", .vmi = RUNNING },
    { "softreboot: not running", "softreboot", FAILED, NULL, ERR_CONFLICT, "VM is not running" },
    { "softreboot: paused", "softreboot", WITH("Paused", "True"), NULL, ERR_CONFLICT,
      "VMI is paused" },
    { "softreboot: not paused any more", "softreboot", .vmi = WITH("Paused", "False") },
    { "softreboot: neither agent nor power button", "softreboot", NO_ACPI "}}", NULL, ERR_CONFLICT,
      "neither" },
    { "softreboot by the agent", "softreboot",
      .vmi = NO_ACPI ",'conditions':[{'type':'AgentConnected','status':'True'}]}}" },
    { "reset is for virt-handler to refuse", "reset", .vmi = SCHEDULED },

    { "guestosinfo", "guestosinfo", .vmi = WITH("AgentConnected", "True") },
    { "guestosinfo: not running", "guestosinfo", FAILED, NULL, ERR_CONFLICT, "VMI is not running" },
    { "guestosinfo: no agent", "guestosinfo", RUNNING, NULL, ERR_CONFLICT, "guest agent" },
    { "userlist: no agent", "userlist", RUNNING, NULL, ERR_CONFLICT, "guest agent" },
    { "userlist: not running", "userlist", SCHEDULED, NULL, ERR_CONFLICT, "VMI is not running" },
    { "filesystemlist: no agent", "filesystemlist", RUNNING, NULL, ERR_CONFLICT, "guest agent" },
    { "filesystemlist", "filesystemlist", .vmi = WITH("AgentConnected", "True") },
    { "values of the wrong type count as absent", "console",
      .vmi = "{'spec':{'domain':[]},'status':{'phase':7}}", NULL, ERR_BAD_REQUEST, "not running" },
};

static void allows(void **state)
{
    const struct row *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *vm = json_q(c->vm);
    struct error e = { 0 };

    assert_int_equal(vmi_allows(c->subresource, vmi, vm, &e), -(int)c->code);
    if (c->says && !strstr(e.msg, c->says))
        fail_msg("\"%s\" does not say \"%s\"", e.msg, c->says);
}

static const struct session_row {
    const char *name, *subresource;
    struct session_wish wish;
    const char *path;
} sessions[] = {
    { "nothing asked for", "vnc", .path = "vnc?preserveSession=false" },
    { "upstream's only wish", "vnc", { .preserve_session = "true" }, "vnc?preserveSession=true" },
    { "as Go writes true", "vnc", { .preserve_session = "1" }, "vnc?preserveSession=true" },
    { "what is not true is false",
      "vnc",
      { .preserve_session = "yes", .shared = "" },
      "vnc?preserveSession=false" },
    { "ours",
      "console",
      { .shared = "true", .observe = "T", .take_over = "TRUE" },
      "console?preserveSession=false&shared=true&observe=true&takeOver=true" },
    { "nothing else comes through",
      "console",
      { .shared = "true&x=y" },
      "console?preserveSession=false" },
};

static void session_is_asked_for(void **state)
{
    const struct session_row *c = *state;
    scoped(free) char *path = vmi_session_path(c->subresource, &c->wish);

    assert_string_equal(path, c->path);
}

static const struct vsock_row {
    const char *name, *port, *tls, *path;
    const char *says;
} vsocks[] = {
    { "a port", "22", NULL, .path = "vsock?port=22&tls=true" },
    { "without TLS", "22", "false", .path = "vsock?port=22&tls=false" },
    { "with TLS, as Go may write it", "22", "1", .path = "vsock?port=22&tls=true" },
    { "an empty wish for TLS", "22", "", .path = "vsock?port=22&tls=true" },
    { "the last port", "4294967294", NULL, .path = "vsock?port=4294967294&tls=true" },
    { "no port", NULL, NULL, .says = "target port is not specified" },
    { "an empty port", "", NULL, .says = "target port is not specified" },
    { "port 0", "0", NULL, .says = "VSOCK port" },
    { "any port", "4294967295", NULL, .says = "VSOCK port" },
    { "a word for a port", "22&tls=false", NULL, .says = "VSOCK port" },
    { "an unreadable wish for TLS", "22", "perhaps", .says = "neither true nor false" },
};

static void vsock_is_asked_for(void **state)
{
    const struct vsock_row *c = *state;
    struct error e = { 0 };
    scoped(free) char *path = vmi_vsock_path(c->port, c->tls, &e);

    if (c->path)
        assert_string_equal(path, c->path);
    else
        assert_null(path);
    assert_true(!c->says || (e.code == ERR_BAD_REQUEST && strstr(e.msg, c->says)));
}

int main(void)
{
    return RUN_ROWS("vmi_subresource", rows, allows) +
           RUN_ROWS("sessions", sessions, session_is_asked_for) +
           RUN_ROWS("vsock", vsocks, vsock_is_asked_for);
}
