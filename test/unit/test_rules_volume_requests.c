/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for volumes in a machine's status, by whichever way they are written. */
#include "reviews.h"

#define VM(volumes, disks, status)                                                                  \
    "{'metadata':{'name':'m','namespace':'ns'},'spec':{'runStrategy':'Always','template':{'spec':{" \
    "'domain':{'devices':{'disks':[" disks "]},'memory':{'guest':'1Gi'}},'volumes':[" volumes       \
    "]}}},'status':{" status "}}"
#define REQUESTS(list) VM("", "", "'volumeRequests':[" list "]")
#define ON_CLAIM(claim, list)                                            \
    VM("{'name':'v','persistentVolumeClaim':{'claimName':'" claim "'}}", \
       "{'name':'v','disk':{'bus':'scsi'}}", "'volumeRequests':[" list "]")
#define ADD(name, disk)                                   \
    "{'addVolumeOptions':{'name':'" name "','disk':" disk \
    ",'volumeSource':{'persistentVolumeClaim':{'claimName':'c'}}}}"
#define REMOVE(name) "{'removeVolumeOptions':{'name':'" name "'}}"
#define SCSI "{'disk':{'bus':'scsi'}}"
#define AT "FieldValueInvalid status.volumeRequests"

// clang-format off
static const struct request_case {
    const char *name, *object;
    const char *old; /* NULL: one without requests */
    const char *want;
} cases[] = {
    { "none", REQUESTS(""), NULL, "" },
    { "one to add", REQUESTS(ADD("v", SCSI)), NULL, "" },
    { "one on virtio", REQUESTS(ADD("v", "{'disk':{'bus':'virtio'},'dedicatedIOThread':true}")), NULL, "" },
    { "one as lun", REQUESTS(ADD("v", "{'lun':{'bus':'scsi'}}")), NULL, "" },
    { "one to take away", ON_CLAIM("c", REMOVE("v")), NULL, "" },
    { "neither", REQUESTS("{}"), NULL, AT "[0]" },
    { "both", REQUESTS("{'addVolumeOptions':{'name':'v','disk':" SCSI ",'volumeSource':{}},'removeVolumeOptions':{'name':'v'}}"), NULL, AT "[0]" },
    { "text", REQUESTS("{'addVolumeOptions':'v'}"), NULL, "FieldValueTypeInvalid status.volumeRequests[0].addVolumeOptions" },
    { "no device", REQUESTS("{'addVolumeOptions':{'name':'v','volumeSource':{'dataVolume':{'name':'d'}}}}"), NULL, "FieldValueRequired status.volumeRequests[0].addVolumeOptions.disk" },
    { "a CD-ROM", REQUESTS(ADD("v", "{'cdrom':{'bus':'sata'}}")), NULL, AT "[0].addVolumeOptions.disk" },
    { "a disk on sata", REQUESTS(ADD("v", "{'disk':{'bus':'sata'}}")), NULL, AT "[0].addVolumeOptions.disk" },
    { "a disk on nothing", REQUESTS(ADD("v", "{'disk':{}}")), NULL, AT "[0].addVolumeOptions.disk" },
    { "a lun on virtio", REQUESTS(ADD("v", "{'lun':{'bus':'virtio'}}")), NULL, AT "[0].addVolumeOptions.disk" },
    { "a thread on scsi", REQUESTS(ADD("v", "{'disk':{'bus':'scsi'},'dedicatedIOThread':true}")), NULL, AT "[0].addVolumeOptions.disk" },
    { "twice added", REQUESTS(ADD("v", SCSI) "," ADD("v", SCSI)), NULL, AT "[1]" },
    { "twice taken away", ON_CLAIM("c", REMOVE("v") "," REMOVE("v")), NULL, AT "[1]" },
    { "taken away and added", ON_CLAIM("c", REMOVE("v") "," ADD("v", SCSI)), NULL, "" },
    { "there already", ON_CLAIM("c", ADD("v", SCSI)), NULL, "" },
    { "another is there", ON_CLAIM("other", ADD("v", SCSI)), NULL, AT "[0]" },
    { "a name that volumes cannot have", REQUESTS(ADD("V!", SCSI)), NULL, "FieldValueInvalid spec.template.spec.domain.devices.disks[0].name..." },
    { "no source", REQUESTS("{'addVolumeOptions':{'name':'v','disk':" SCSI ",'volumeSource':{}}}"), NULL, "FieldValueInvalid spec.template.spec.volumes[0]" },
    { "as before", REQUESTS("{}"), REQUESTS("{}"), "" },
};

/* What a snapshot or a restore holds still, by the way of the status as well. */
static const struct request_case held[] = {
    { "volumes during a snapshot", VM("{'name':'v','persistentVolumeClaim':{'claimName':'c'}}", "{'name':'v'}", ""),
      VM("", "", "'snapshotInProgress':'s'"), "FieldValueNotSupported spec" },
    { "nothing changes during a snapshot", VM("", "", ""), VM("", "", "'snapshotInProgress':'s'"), "" },
    { "an unknown field", "{'metadata':{'name':'m'},'spec':{'runStrategy':'Always','template':{'spec':{'domain':{'devices':{}}}},'x':1}}", VM("", "", ""),
      "FieldValueForbidden spec.x" },
};
// clang-format on

static void by_both_ways(void **state)
{
    const struct request_case *c = *state;
    const char *old = c->old ? c->old : REQUESTS("");
    const struct question by_object = { "/virtualmachines-validate", .object = c->object,
                                        .old = old };
    const struct question by_status = { "/status-validate", .object = c->object, .old = old,

                                        .request = "{'subResource':'status'}" };
    scoped(free) char *got = decision_of(&by_object, NULL);
    scoped(free) char *also = decision_of(&by_status, NULL);

    assert_decision(got, c->want);
    assert_decision(also, c->want);
}

int main(void)
{
    return RUN_ROWS("volume requests", cases, by_both_ways) +
           RUN_ROWS("held still", held, by_both_ways);
}
