/* SPDX-License-Identifier: Apache-2.0 */
/* create vm, instancetype, preference, clone: flags to manifests, against test/golden/create
 * (UPDATE=1 rewrites), and the flags that are refused. */
#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/create_type.h"
#include "cli/create_vm.h"
#include "kube/kubeconfig.h"
#include "kube/yaml.h"
#include "test/unit/rows.h"

enum { ARGS = 10 };

static const struct row {
    const char *name;
    const char *what; /* the command behind "create" */
    const char *args[ARGS];
    const char *golden; /* file; NULL: refused */
    const char *notice; /* a part of the warnings, or of the refusal */
} rows[] = {
    { "a machine of defaults", "vm", { "--name=vm" }, "vm-default.yaml", NULL },
    { "run strategy in any case, memory, grace period",
      "vm",
      { "--name=vm", "--run-strategy=halted", "--memory=1024Mi", "--termination-grace-period=0" },
      "vm-plain.yaml",
      NULL },
    { "instance type and preference with kinds",
      "vm",
      { "--name=vm", "--instancetype=VirtualMachineInstancetype/small", "--preference=fedora" },
      "vm-types.yaml",
      NULL },
    { "all simple volumes with a boot order",
      "vm",
      { "--name=vm", "--volume-containerdisk=src:img:1", "--volume-pvc=src:claim,bootorder:2",
        "--volume-sysprep=src:answers,type:Secret",
        "--volume-containerdisk=src:img:2,name:two,bootorder:1" },
      "vm-volumes.yaml",
      NULL },
    { "imports of each type",
      "vm",
      { "--name=vm", "--volume-import=type:blank,size:1Gi,name:a",
        "--volume-import=type:http,url:https://h/i,extraheaders:x=1;y=2,size:1Gi,name:b",
        "--volume-import=type:pvc,src:ns/p,name:c",
        "--volume-import=type:registry,url:docker://r/i,pullmethod:node,size:1Gi,name:d",
        "--volume-import=type:vddk,url:u,uuid:i,thumbprint:t,secretref:s,backingfile:f,size:2Gi,"
        "name:e",
        "--volume-import=type:ds,src:d,name:f", "--volume-import=type:snapshot,src:ns/s,name:g" },
      "vm-imports.yaml",
      NULL },
    { "older flags come before imports",
      "vm",
      { "--name=vm", "--volume-import=type:blank,size:1Gi,name:z", "--volume-blank=size:1Gi,name:y",
        "--volume-datasource=src:ds,name:x", "--infer-instancetype", "--infer-preference-from=x" },
      "vm-older.yaml",
      "--volume-datasource has been deprecated" },
    { "cloud-init of flags, keys by the guest agent",
      "vm",
      { "--name=vm", "--user=fedora", "--ssh-key=k1,k2", "--access-cred=src:keys",
        "--access-cred=type:password,src:words", "--cloud-init=ConfigDrive" },
      "vm-cloudinit.yaml",
      NULL },
    { "cloud-init data as it is",
      "vm",
      { "--name=vm", "--cloud-init-user-data=YQ==", "--cloud-init-network-data=Yg==" },
      "vm-cloudinit-data.yaml",
      NULL },
    { "an instance type of the cluster",
      "instancetype",
      { "--name=small", "--cpu=2", "--memory=2Gi", "--gpu=name:g,devicename:nvidia/a",
        "--hostdevice=name:h,devicename:v/d", "--iothreadspolicy=auto" },
      "instancetype.yaml",
      NULL },
    { "a preference of a namespace",
      "preference",
      { "--name=p", "-n=ns", "--volume-storage-class=fast", "--machine-type=q35",
        "--cpu-topology=cores" },
      "preference.yaml",
      NULL },
    { "a clone",
      "clone",
      { "--name=c", "--source-name=s", "--source-type=vmsnapshot", "--target-name=t",
        "--label-filter=*", "--template-annotation-filter=!a/b", "--new-mac-address=eth0:00-11",
        "--new-smbios-serial=n" },
      "clone.yaml",
      NULL },

    { "memory beside an instance type",
      "vm",
      { "--memory=1Gi", "--instancetype=a" },
      NULL,
      "exclude" },
    { "an unknown run strategy", "vm", { "--run-strategy=x" }, NULL, "invalid run strategy \"x\"" },
    { "an unknown parameter",
      "vm",
      { "--volume-pvc=src:a,foo:b" },
      NULL,
      "unknown param(s): foo:b" },
    { "a parameter without a colon", "vm", { "--volume-pvc=src" }, NULL, "at least one colon" },
    { "no source", "vm", { "--volume-pvc=name:a" }, NULL, "src must be specified" },
    { "a claim elsewhere",
      "vm",
      { "--volume-pvc=src:ns/a" },
      NULL,
      "not allowed to specify namespace" },
    { "two volumes of a name",
      "vm",
      { "--volume-pvc=src:a", "--volume-pvc=src:a" },
      NULL,
      "already a volume" },
    { "a boot order twice",
      "vm",
      { "--volume-pvc=src:a,bootorder:1", "--volume-pvc=src:b,bootorder:1" },
      NULL,
      "multiple times" },
    { "a boot order of 0", "vm", { "--volume-pvc=src:a,bootorder:0" }, NULL, "greater than 0" },
    { "an import without a size",
      "vm",
      { "--volume-import=type:blank" },
      NULL,
      "size must be specified" },
    { "an import of no known type",
      "vm",
      { "--volume-import=type:x" },
      NULL,
      "invalid volume import type \"x\"" },
    { "a registry twice",
      "vm",
      { "--volume-import=type:registry,url:a,imagestream:b,size:1Gi" },
      NULL,
      "exactly one of url or imagestream" },
    { "a claim to clone without its namespace",
      "vm",
      { "--volume-import=type:pvc,src:a" },
      NULL,
      "namespace of pvc \"a\"" },
    { "nothing to infer from", "vm", { "--infer-instancetype" }, NULL, "at least one volume" },
    { "infer from what tells nothing",
      "vm",
      { "--volume-containerdisk=src:i", "--infer-preference" },
      NULL,
      "tells no instance type" },
    { "keys by the guest agent without a user",
      "vm",
      { "--access-cred=src:a" },
      NULL,
      "user must be specified" },
    { "user data beside a user",
      "vm",
      { "--user=a", "--cloud-init-user-data=YQ==" },
      NULL,
      "excludes --user" },
    { "user data that is not base64", "vm", { "--cloud-init-user-data=!" }, NULL, "not base64" },
    { "an instance type without CPUs", "instancetype", { "--memory=1Gi" }, NULL, "greater than 0" },
    { "a device without its name",
      "instancetype",
      { "--cpu=1", "--memory=1Gi", "--gpu=name:a" },
      NULL,
      "devicename must be specified" },
    { "a clone of nothing", "clone", { "--name=a" }, NULL, "source-name" },
    { "a clone into a snapshot",
      "clone",
      { "--source-name=a", "--target-type=snapshot" },
      NULL,
      "not supported" },
    { "an address with colons",
      "clone",
      { "--source-name=a", "--new-mac-address=e:00:11" },
      NULL,
      "exactly one ':'" },
};

static int make(const struct row *c, struct cli *cli, json_t **ret, struct buf *notices,
                struct error *e)
{
    const char *namespace = cli_namespace_flag(cli);

    if (streq(c->what, "vm"))
        return create_vm(&cli->flags.create_vm, namespace, NULL, ret, notices, e);
    if (streq(c->what, "instancetype"))
        return create_instancetype(&cli->flags.create_type, namespace, ret, e);
    if (streq(c->what, "preference"))
        return create_preference(&cli->flags.create_type, namespace, ret, e);
    return create_clone(&cli->flags.create_clone, namespace, ret, e);
}

static void assert_golden(const char *file, const char *got)
{
    scoped(free) char *path = must_asprintf("test/golden/create/%s", file);
    scoped(free) char *want = NULL;
    struct error e;
    size_t len;

    if (getenv("UPDATE")) {
        FILE *out = fopen(path, "we");

        assert_non_null(out);
        assert_true(fputs(got, out) >= 0);
        assert_int_equal(fclose(out), 0);
    }
    if (kube_read_file(path, 1 << 20, &want, &len, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(got, want);
}

static void creates(void **state)
{
    const struct row *c = *state;
    const struct option *const tables[] = { create_vm_flags, create_instancetype_flags,
                                            create_preference_flags, create_clone_flags };
    static const char *const names[] = { "vm", "instancetype", "preference", "clone" };
    static struct cli cli;
    char *argv[ARGS + 2] = { (char *)"create" };
    struct option_program p = { .name = "create", .summary = "", .more = global_options };
    struct option_list args;
    scoped_buf notices = BUF_INIT(0);
    json_auto_t *obj = NULL;
    struct error e = { 0 };
    int argc = 1;

    for (size_t i = 0; i < countof(names); i++)
        if (streq(names[i], c->what))
            p.options = tables[i];
    for (size_t i = 0; i < ARGS && c->args[i]; i++)
        argv[argc++] = (char *)c->args[i];
    int r = options_parse(&p, &cli.flags, argc, argv, &args, &e);
    if (r == 0)
        r = make(c, &cli, &obj, &notices, &e);
    if (!c->golden) {
        assert_int_equal(r, -ERR_BAD_REQUEST);
        if (!strstr(e.msg, c->notice))
            fail_msg("\"%s\" without \"%s\"", e.msg, c->notice);
        return;
    }
    if (r < 0)
        fail_msg("%s", e.msg);
    if (c->notice && !(notices.data && strstr(notices.data, c->notice)))
        fail_msg("\"%s\" without \"%s\"", notices.data ? notices.data : "", c->notice);

    scoped(free) char *text = yaml_dump(obj);
    assert_golden(c->golden, text);
}

static void names_are_random(void **state)
{
    static struct cli cli;
    struct option_program p = {
        .name = "create", .summary = "", .options = create_clone_flags, .more = global_options
    };
    char *argv[] = { (char *)"create", (char *)"--source-name=s", NULL };
    struct option_list args;
    json_auto_t *one = NULL;
    json_auto_t *two = NULL;
    struct error e;

    assert_int_equal(options_parse(&p, &cli.flags, 2, argv, &args, &e), 0);
    assert_int_equal(create_clone(&cli.flags.create_clone, NULL, &one, &e), 0);
    assert_int_equal(create_clone(&cli.flags.create_clone, NULL, &two, &e), 0);
    assert_false(json_equal(one, two));
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(names_are_random) };

    return RUN_ROWS("create", rows, creates) +
           cmocka_run_group_tests_name("names", others, NULL, NULL);
}
