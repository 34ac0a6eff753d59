/* SPDX-License-Identifier: Apache-2.0 */
/* What a node writes into a VMI's status. */
#include "handler/vmi_status.h"

#include "base/jpatch.h"
#include "base/jpath.h"
#include "test/unit/rows.h"

#define NOW "2026-01-01T00:00:00Z"
#define SPEC                                                                               \
    "'metadata':{'name':'a','namespace':'ns','resourceVersion':'7'},'spec':{'networks':[{" \
    "'name':'default','pod':{}}],'domain':{'memory':{'guest':'256Mi'},'devices':{"         \
    "'interfaces':[{'name':'default','masquerade':{}}]}},'volumes':[{'name':'root',"       \
    "'containerDisk':{'image':'x'}}]}"
#define VMI(status) "{" SPEC ",'status':{" status "}}"

static const struct write_case {
    const char *name, *vmi, *domain, *phase, *sync_message;
    const char *path, *want; /* JSON; NULL: absent */
} writes[] = {
    { "phase and its first time", VMI("'phase':'Scheduled'"), NULL, "Running", NULL,
      "status.phaseTransitionTimestamps",
      "[{'phase':'Running','phaseTransitionTimestamp':'" NOW "'}]" },
    { "the first time of a phase stays",
      VMI("'phase':'Scheduled','phaseTransitionTimestamps':[{'phase':'Running','phaseTransitionTimestamp':'x'}]"),
      NULL, "Running", NULL, "status.phaseTransitionTimestamps[0].phaseTransitionTimestamp",
      "'x'" },
    { "masquerade shows the pod's address", VMI(""),
      "{'state':'Running','interfaces':[{'name':'default','mac':'02:00','ipAddress':'10.0.2.2',"
      "'ipAddresses':['10.0.2.2'],'interfaceName':'eth0','infoSource':'domain, guest-agent'}]}",
      NULL, NULL, "status.interfaces",
      "[{'name':'default','mac':'02:00','interfaceName':'eth0','linkState':'up','queueCount':1,"
      "'podInterfaceName':'eth0','infoSource':'domain, guest-agent','ipAddresses':['10.244.0.5'],"
      "'ipAddress':'10.244.0.5'}]" },
    { "what the controller knows of an interface stays",
      VMI("'interfaces':[{'name':'default','infoSource':'multus-status','podInterfaceName':'net0'}]"),
      "{'state':'Running','interfaces':[{'name':'default','infoSource':'domain'}]}", NULL, NULL,
      "status.interfaces[0].infoSource", "'domain, multus-status'" },
    { "paused by the user", VMI(""), "{'state':'Paused','reason':'User'}", NULL, NULL,
      "status.conditions[0].reason", "'PausedByUser'" },
    { "a passing pause is not told", VMI(""), "{'state':'Paused','reason':'StartingUp'}", NULL,
      NULL, "status.conditions[0].type", "'LiveMigratable'" },
    { "running again", VMI("'conditions':[{'type':'Paused','status':'True'}]"),
      "{'state':'Running'}", NULL, NULL, "status.conditions[0].type", "'LiveMigratable'" },
    { "what the guest says of itself", VMI(""),
      "{'state':'Running','agentConnected':true,'osInfo':{'id':'debian'}}", NULL, NULL,
      "status.guestOSInfo", "{'id':'debian'}" },
    { "machine type", VMI(""), "{'state':'Running','machine':'pc-q35-7.2'}", NULL, NULL,
      "status.machine", "{'type':'pc-q35-7.2'}" },
    { "memory", VMI(""), "{'state':'Running'}", NULL, NULL, "status.memory",
      "{'guestAtBoot':'256Mi','guestCurrent':'256Mi','guestRequested':'256Mi'}" },
    { "disk targets", VMI("'volumeStatus':[{'name':'root','target':''}]"),
      "{'state':'Running','disks':[{'name':'root','target':'vda'}]}", NULL, NULL,
      "status.volumeStatus[0].target", "'vda'" },
    { "a disk of this node is copied along", VMI(""), "{'state':'Running'}", NULL, NULL,
      "status.migrationMethod", "'BlockMigration'" },
    { "a failed sync", VMI(""), NULL, NULL, "no such disk", "status.conditions[0].status",
      "'False'" },
    { "a later sync that succeeds",
      VMI("'conditions':[{'type':'Synchronized','status':'False','reason':'Synchronizing with the Domain failed.'}]"),
      NULL, NULL, NULL, "status.conditions[0]", NULL },
    { "another's Synchronized stays",
      VMI("'conditions':[{'type':'Synchronized','status':'False','reason':'FailedCreate'}]"), NULL,
      NULL, NULL, "status.conditions[0].reason", "'FailedCreate'" },
};

static void writes_status(void **state)
{
    const struct write_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *domain = json_q(c->domain);
    json_auto_t *want = json_q(c->want);
    json_auto_t *ips = json_q("['10.244.0.5']");
    const struct vmi_report r = { .phase = c->phase,
                                  .domain = domain,
                                  .pod_ips = ips,
                                  .sync_message = c->sync_message,
                                  .now = NOW };

    vmi_status_write(vmi, &r);
    assert_json(jpath(vmi, c->path), want);

    json_auto_t *again = must_copy(vmi);
    vmi_status_write(again, &r);
    assert_null(vmi_status_patch(vmi, again));
}

static const struct hindrance_case {
    const char *name, *spec, *reason;
} hindrances[] = {
    { "nothing", "{}", NULL },
    { "bridge on the pod network",
      "{'networks':[{'name':'a','pod':{}}],'domain':{'devices':{'interfaces':[{'name':'a','bridge':{}}]}}}",
      "InterfaceNotLiveMigratable" },
    { "a host device", "{'domain':{'devices':{'hostDevices':[{'name':'x'}]}}}",
      "HostDeviceNotLiveMigratable" },
    { "a claim that one node has",
      "{'volumes':[{'name':'a','persistentVolumeClaim':{'claimName':'c'}}]}",
      "DisksNotLiveMigratable" },
    { "the interface comes before the disk",
      "{'networks':[{'name':'a','pod':{}}],'domain':{'devices':{'interfaces':[{'name':'a','bridge':{}}]}},"
      "'volumes':[{'name':'a','hostDisk':{'path':'/x'}}]}",
      "InterfaceNotLiveMigratable" },
};

static void hinders(void **state)
{
    const struct hindrance_case *c = *state;
    json_auto_t *vmi = json_object();
    const char *message = NULL;

    must_set(vmi, "spec", json_q(c->spec));
    const char *reason = vmi_migration_hindrance(vmi, &message);
    if (c->reason)
        assert_string_equal(reason, c->reason);
    else
        assert_null(reason);
}

static void the_patch_is_guarded(void **state)
{
    json_auto_t *before = json_q(VMI("'phase':'Scheduled'"));
    json_auto_t *after = must_copy(before);
    json_auto_t *stale = must_copy(before);
    struct error e;

    jpath_set_str(after, "status.phase", "Running");
    json_auto_t *patch = vmi_status_patch(before, after);
    assert_int_equal(json_array_size(patch), 2);
    assert_string_equal(jpath_str(json_array_get(patch, 0), "op", ""), "test");

    jpath_set_str(stale, "metadata.resourceVersion", "8");
    json_t *doc = must_copy(stale);
    assert_int_equal(jpatch_apply(&doc, patch, &e), -ERR_CONFLICT);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest single[] = { cmocka_unit_test(the_patch_is_guarded) };
    int failed = RUN_ROWS("vmi_status", writes, writes_status);

    failed += RUN_ROWS("hindrances", hindrances, hinders);
    return failed + cmocka_run_group_tests_name("patch", single, NULL, NULL);
}
