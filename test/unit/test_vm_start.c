/* SPDX-License-Identifier: Apache-2.0 */
/* The instance and the revision that a start makes; when a change asks for a restart. */
#include "controller/vm_start.h"

#include "base/jpath.h"
#include "rows.h"

#define NOW_MS 1767225600000LL

static struct cluster_config *config_of(const char *kubevirt)
{
    struct cluster_config *config = NULL;
    struct error e;
    json_auto_t *v = json_q(kubevirt);
    assert_int_equal(cluster_config_new(&config, v, &e), 0);
    return config;
}

static const struct make_case {
    const char *name, *kubevirt, *spec; /* of the template */
    bool paused;
    const char *path, *want; /* in the instance */
} make_cases[] = {
    { "the template's spec", NULL, "{'hostname':'h'}", false, "spec.hostname", "'h'" },
    { "a firmware UUID of the name", NULL, "{}", false, "spec.domain.firmware.uuid",
      "'d633a622-2335-5606-93ae-d432b7c7f2d2'" },
    { "the user's firmware UUID", NULL, "{'domain':{'firmware':{'uuid':'u'}}}", false,
      "spec.domain.firmware.uuid", "'u'" },
    { "paused when asked for", NULL, "{}", true, "spec.startStrategy", "'Paused'" },
    { "a disk for a volume without one", NULL, "{'volumes':[{'name':'v','emptyDisk':{}}]}", false,
      "spec.domain.devices.disks", "[{'name':'v'}]" },
    { "no disk for a volume with a file system", NULL,
      "{'volumes':[{'name':'v'}],'domain':{'devices':{'filesystems':[{'name':'v'}]}}}", false,
      "spec.domain.devices.disks", NULL },
    { "the default network", NULL, "{}", false, "spec.domain.devices.interfaces",
      "[{'name':'default','bridge':{}}]" },
    { "the configured network",
      "{'spec':{'configuration':{'network':{'defaultNetworkInterface':'masquerade'}}}}", "{}",
      false, "spec.domain.devices.interfaces", "[{'name':'default','masquerade':{}}]" },
    { "no network when refused", NULL, "{'domain':{'devices':{'autoattachPodInterface':false}}}",
      false, "spec.networks", NULL },
    { "the user's network", NULL, "{'networks':[{'name':'n','pod':{}}]}", false, "spec.networks",
      "[{'name':'n','pod':{}}]" },
    { "a default input when asked for", NULL,
      "{'domain':{'devices':{'autoattachInputDevice':true}}}", false, "spec.domain.devices.inputs",
      "[{'name':'default-0','bus':'usb','type':'tablet'}]" },
    { "annotations: the template's and ours", NULL, "{}", false, "metadata.annotations",
      "{'note':'x','kubevirt.io/vm-generation':'3','kubevirt.io/latest-observed-api-version':'v1',"
      "'kubevirt.io/storage-observed-api-version':'v1'}" },
    { "labels of the template", NULL, "{}", false, "metadata.labels", "{'l':'1'}" },
    { "a finalizer of the machine's", NULL, "{}", false, "metadata.finalizers",
      "['kubevirt.io/virtualMachineControllerFinalize']" },
    { "the revision's name", NULL, "{}", false, "status.virtualMachineRevisionName",
      "'revision-start-vm-m-3'" },
};

static json_t *vm_of(const char *spec)
{
    json_t *vm =
        json_q("{'metadata':{'name':'vm','namespace':'ns','uid':'m','generation':3},'spec':"
               "{'template':{'metadata':{'labels':{'l':'1'},'annotations':{'note':'x'}}}}}");
    jpath_set(vm, "spec.template.spec", json_q(spec));
    return vm;
}

static void makes(void **state)
{
    const struct make_case *c = *state;
    struct cluster_config *config = config_of(c->kubevirt);
    json_auto_t *vm = vm_of(c->spec);
    json_auto_t *before = must_copy(vm);
    json_auto_t *vmi = vmi_from_vm(vm, config, c->paused, NOW_MS);
    json_auto_t *want = json_q(c->want);
    cluster_config_unref(config);

    assert_json(vm, before);
    assert_json(jpath(vmi, c->path), want);
}

static void revision_holds_the_spec(void **state)
{
    json_auto_t *vm = vm_of("{'hostname':'h'}");
    json_auto_t *revision = start_revision(vm);
    assert_string_equal(meta_name(revision), "revision-start-vm-m-3");
    assert_string_equal(jpath_str(meta_controller(revision), "uid", ""), "m");
    assert_int_equal(jpath_int(revision, "revision", 0), 3);
    assert_json(jpath(revision, "data.spec"), jpath(vm, "spec"));
    assert_true(template_is_unchanged(vm, revision));
}

static const struct restart_case {
    const char *name, *then, *now;
    bool want, want_staged; /* with vmRolloutStrategy Stage */
} restart_cases[] = {
    { "nothing changed", "{'hostname':'h'}", "{'hostname':'h'}", false, false },
    { "a field that is set at start", "{'hostname':'h'}", "{'hostname':'i'}", true, true },
    { "cores", "{}", "{'domain':{'cpu':{'cores':2}}}", true, true },
    { "sockets", "{'domain':{'cpu':{'cores':2}}}", "{'domain':{'cpu':{'cores':2,'sockets':2}}}",
      false, true },
    { "sockets alone", "{'domain':{}}", "{'domain':{'cpu':{'sockets':2}}}", false, true },
    { "guest memory", "{'domain':{'memory':{'guest':'1Gi'}}}",
      "{'domain':{'memory':{'guest':'2Gi'}}}", false, true },
    { "node selector, affinity, tolerations", "{}",
      "{'nodeSelector':{'a':'b'},'affinity':{},'tolerations':[]}", false, true },
    { "a firmware UUID that was filled in", "{'domain':{}}", "{'domain':{'firmware':{'uuid':'u'}}}",
      false, false },
    { "a hotplugged volume", "{'domain':{'devices':{}}}",
      "{'domain':{'devices':{'disks':[{'name':'h'}]}},'volumes':[{'name':'h','persistentVolumeClaim':"
      "{'hotpluggable':true}}]}",
      false, true },
    { "another volume", "{}", "{'volumes':[{'name':'v','emptyDisk':{}}]}", true, true },
};

static void asks_for_restart(void **state)
{
    const struct restart_case *c = *state;
    json_auto_t *then = vm_of(c->then);
    json_auto_t *now = vm_of(c->now);
    json_auto_t *revision = start_revision(then);
    struct cluster_config *live = config_of(NULL);
    struct cluster_config *staged =
        config_of("{'spec':{'configuration':{'vmRolloutStrategy':'Stage'}}}");

    assert_int_equal(restart_is_required(now, revision, live), c->want);
    assert_int_equal(restart_is_required(now, revision, staged), c->want_staged);
    cluster_config_unref(live);
    cluster_config_unref(staged);
}

static void another_type_asks_for_restart(void **state)
{
    struct cluster_config *config = config_of(NULL);
    json_auto_t *then = vm_of("{}");
    jpath_set_str(then, "spec.instancetype.name", "small");
    json_auto_t *now = must_copy(then);
    json_auto_t *revision = start_revision(then);

    assert_true(template_is_unchanged(now, revision));
    assert_false(restart_is_required(now, revision, config));
    jpath_set_str(now, "spec.instancetype.name", "large");
    assert_false(template_is_unchanged(now, revision));
    assert_true(restart_is_required(now, revision, config));
    cluster_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(revision_holds_the_spec),
                                        cmocka_unit_test(another_type_asks_for_restart) };
    int failed = cmocka_run_group_tests_name("vm_start", tests, NULL, NULL);
    failed += RUN_ROWS("vm_start instance", make_cases, makes);
    failed += RUN_ROWS("vm_start restart", restart_cases, asks_for_restart);
    return failed;
}
