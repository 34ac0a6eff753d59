/* SPDX-License-Identifier: Apache-2.0 */
/* When a subresource of an instance may be used (spec 01, "Stream validations" and section 6). */
#include "subresources/vmi.h"

#include "test/unit/rows.h"

#define DEVICES(d) "{'spec':{'domain':{'devices':{" d "}}},'status':{'phase':'Running'}}"
#define PHASE(p) "{'spec':{},'status':{'phase':'" p "'}}"
#define WITH(cond) \
    "{'spec':{},'status':{'phase':'Running','conditions':[{'type':'" cond "','status':'True'}]}}"

static const struct row {
    const char *name, *subresource, *vmi, *vm;
    enum error_code code;
} rows[] = {
    { "console of a running one", "console", PHASE("Running"), NULL, ERR_NONE },
    { "console of a failed one", "console", PHASE("Failed"), NULL, ERR_CONFLICT },
    { "console before it runs: may be asked again", "console", PHASE("Scheduled"), NULL,
      ERR_BAD_REQUEST },
    { "console where there is none", "console", DEVICES("'autoattachSerialConsole':false"), NULL,
      ERR_BAD_REQUEST },
    { "screen of a running one", "vnc", PHASE("Running"), NULL, ERR_NONE },
    { "screen where there is none", "vnc", DEVICES("'autoattachGraphicsDevice':false"), NULL,
      ERR_BAD_REQUEST },
    { "screenshot of one that does not run", "vnc/screenshot", PHASE("Pending"), NULL,
      ERR_BAD_REQUEST },
    { "pause", "pause", PHASE("Running"), NULL, ERR_NONE },
    { "pause of one that does not run", "pause", PHASE("Scheduled"), NULL, ERR_CONFLICT },
    { "pause twice", "pause", WITH("Paused"), NULL, ERR_CONFLICT },
    { "pause of a probed one", "pause",
      "{'spec':{'livenessProbe':{'tcpSocket':{'port':1}}},'status':{'phase':'Running'}}", NULL,
      ERR_FORBIDDEN },
    { "pause of one that is probed by its agent", "pause",
      "{'spec':{'livenessProbe':{'guestAgentPing':{}}},'status':{'phase':'Running'}}", NULL,
      ERR_NONE },
    { "unpause", "unpause", WITH("Paused"), NULL, ERR_NONE },
    { "unpause of one that is not paused", "unpause", PHASE("Running"), NULL, ERR_CONFLICT },
    { "unpause during a snapshot", "unpause", WITH("Paused"),
      "{'status':{'snapshotInProgress':'s'}}", ERR_CONFLICT },
    { "soft reboot by ACPI", "softreboot", PHASE("Running"), NULL, ERR_NONE },
    { "soft reboot of a paused one", "softreboot", WITH("Paused"), NULL, ERR_CONFLICT },
    { "soft reboot without agent and ACPI", "softreboot",
      "{'spec':{'domain':{'features':{'acpi':{'enabled':false}}}},'status':{'phase':'Running'}}",
      NULL, ERR_CONFLICT },
    { "soft reboot by the agent alone", "softreboot",
      "{'spec':{'domain':{'features':{'acpi':{'enabled':false}}}},'status':{'phase':'Running',"
      "'conditions':[{'type':'AgentConnected','status':'True'}]}}",
      NULL, ERR_NONE },
    { "reset asks nothing", "reset", PHASE("Scheduled"), NULL, ERR_NONE },
    { "guest information without agent", "guestosinfo", PHASE("Running"), NULL, ERR_CONFLICT },
    { "guest information with agent", "guestosinfo", WITH("AgentConnected"), NULL, ERR_NONE },
    { "users with agent", "userlist", WITH("AgentConnected"), NULL, ERR_NONE },
    { "file systems of one that does not run", "filesystemlist", PHASE("Failed"), NULL,
      ERR_CONFLICT },
};

static void allows(void **state)
{
    const struct row *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *vm = json_q(c->vm);
    struct error e = { 0 };

    assert_int_equal(vmi_allows(c->subresource, vmi, vm, &e), -(int)c->code);
    assert_true(c->code == ERR_NONE || e.msg[0] != '\0');
}

int main(void)
{
    return RUN_ROWS("vmi_allows", rows, allows);
}
