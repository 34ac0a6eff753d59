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

int main(void)
{
    return RUN_ROWS("vmi_subresource", rows, allows);
}
