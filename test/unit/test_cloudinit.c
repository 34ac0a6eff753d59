// SPDX-License-Identifier: Apache-2.0
/* Meta-data that the guest reads. */
#include "launcher/cloudinit.h"

#include "test/unit/rows.h"

static const struct metadata_case {
    const char *name;
    enum cloudinit_kind kind;
    const char *vmi, *keys, *want;
} cases[] = {
    { "NoCloud: uuid and name", CLOUDINIT_NO_CLOUD,
      "{'metadata':{'name':'vm','namespace':'ns','uid':'u'},"
      "'spec':{'domain':{'firmware':{'uuid':'f'}}}}",
      NULL, "{'instance-id':'f','local-hostname':'vm'}" },
    { "NoCloud: without a firmware uuid the UID stands in", CLOUDINIT_NO_CLOUD,
      "{'metadata':{'name':'vm','namespace':'ns','uid':'u'},'spec':{}}", NULL,
      "{'instance-id':'u','local-hostname':'vm'}" },
    { "NoCloud: hostname, cluster instance type first, keys", CLOUDINIT_NO_CLOUD,
      "{'metadata':{'name':'vm','namespace':'ns','uid':'u','annotations':{"
      "'kubevirt.io/instancetype-name':'small','kubevirt.io/cluster-instancetype-name':'u1'}},"
      "'spec':{'hostname':'web','domain':{'firmware':{'uuid':'f'}}}}",
      "['ssh-ed25519 A','ssh-rsa B']",
      "{'instance-type':'u1','instance-id':'f','local-hostname':'web',"
      "'public-keys':{'0':'ssh-ed25519 A','1':'ssh-rsa B'}}" },
    { "config drive: its own names", CLOUDINIT_CONFIG_DRIVE,
      "{'metadata':{'name':'vm','namespace':'ns','uid':'u','annotations':{"
      "'kubevirt.io/instancetype-name':'small'}},'spec':{'domain':{'firmware':{'uuid':'f'}}}}",
      "['k']",
      "{'instance_type':'small','instance_id':'vm.ns','hostname':'vm','uuid':'f',"
      "'public_keys':{'0':'k'}}" },
};

static void metadata(void **state)
{
    const struct metadata_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *keys = json_q(c->keys);
    json_auto_t *want = json_q(c->want);
    json_auto_t *got = cloudinit_metadata(c->kind, vmi, keys);

    assert_json(got, want);
}

int main(void)
{
    return RUN_ROWS("cloudinit", cases, metadata);
}
