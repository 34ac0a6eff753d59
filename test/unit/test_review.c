/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a review, answering it, and reviews that are meant to hurt. */
#include "base/buf.h"
#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "webhooks/mutators.h"
#include "webhooks/review.h"
#include "webhooks/validators.h"

#define REQUEST(members) "{'kind':'AdmissionReview','request':{" members "}}"
#define RESOURCE "'resource':{'group':'kubevirt.io','resource':'virtualmachineinstances'}"

// clang-format off
static const struct read_case {
    const char *name, *body;
    const char *fault; /* part of the message; NULL: fine */
} reads[] = {
    { "a creation", REQUEST("'uid':'u','operation':'CREATE','object':{}," RESOURCE), NULL },
    { "an update", REQUEST("'uid':'u','operation':'UPDATE','object':{},'oldObject':{}," RESOURCE), NULL },
    { "a list", "[]", "not an AdmissionReview" },
    { "no request", "{'kind':'AdmissionReview'}", "with a request" },
    { "request is text", "{'kind':'AdmissionReview','request':'x'}", "with a request" },
    { "another kind", "{'kind':'Pod','request':{}}", "not an AdmissionReview" },
    { "no uid", REQUEST("'operation':'CREATE','object':{}," RESOURCE), "request.uid" },
    { "a deletion", REQUEST("'uid':'u','operation':'DELETE','oldObject':{}," RESOURCE), "request.operation" },
    { "object is a list", REQUEST("'uid':'u','operation':'CREATE','object':[]," RESOURCE), "request.object" },
    { "an update without the old object", REQUEST("'uid':'u','operation':'UPDATE','object':{}," RESOURCE), "request.oldObject" },
    { "a pod", REQUEST("'uid':'u','operation':'CREATE','object':{},'resource':{'group':'','resource':'pods'}"), "request.resource" },
    { "no resource", REQUEST("'uid':'u','operation':'CREATE','object':{}"), "request.resource" },
};
// clang-format on

static void is_read(void **state)
{
    const struct read_case *c = *state;
    json_auto_t *body = json_q(c->body);
    struct review rv = { .installation = "kubevirt" };
    struct error e = { 0 };

    assert_int_equal(review_read(&rv, body, &kind_vmi, &e), c->fault ? -ERR_BAD_REQUEST : 0);
    if (c->fault)
        assert_non_null(strstr(e.msg, c->fault));
}

/* ---- answers ---- */

static json_t *answer_of(const struct review *rv, const json_t *body)
{
    scoped_buf text = BUF_INIT(0);
    json_error_t why;

    review_answer(rv, body, &text);
    json_t *answer = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &why);
    assert_non_null(answer);
    return answer;
}

static void allowed_with_the_uid(void **state)
{
    json_auto_t *body = json_q("{'apiVersion':'admission.k8s.io/v1'}");
    json_auto_t *want =
        json_loads("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\","
                   "\"response\":{\"uid\":\"a\\\"\\\\\\u0001\\u00e9\",\"allowed\":true}}",
                   0, NULL);
    struct review rv = { .uid = "a\"\\\x01\xc3\xa9" };
    json_auto_t *got = answer_of(&rv, body);

    assert_json(got, want);
}

static void refused_with_causes(void **state)
{
    json_auto_t *body = json_q("{}");
    struct review rv = { .uid = "u" };

    findings_init(&rv.findings);
    findings_add(&rv.findings, CAUSE_INVALID, "spec.a", "is wrong");
    json_auto_t *got = answer_of(&rv, body);

    assert_false(jpath_bool(got, "response.allowed", true));
    assert_int_equal(jpath_int(got, "response.status.code", 0), 422);
    assert_string_equal(jpath_str(got, "response.status.reason", ""), "Invalid");
    assert_string_equal(jpath_str(got, "response.status.message", ""), "spec.a: is wrong");
    assert_string_equal(jpath_str(got, "response.status.details.causes[0].field", ""), "spec.a");
    review_done(&rv);
}

static void refused_with_text_that_is_not_utf8(void **state)
{
    json_auto_t *body = json_q("{}");
    struct review rv = { .uid = "u" };

    (void)error_set(&rv.denied, ERR_BAD_REQUEST, "bad \xff byte");
    json_auto_t *got = answer_of(&rv, body);

    assert_int_equal(jpath_int(got, "response.status.code", 0), 400);
    assert_string_equal(jpath_str(got, "response.status.message", ""), "bad ? byte");
}

static void patch_makes_the_new_object(void **state)
{
    json_auto_t *body = json_q("{}");
    json_t *object = json_q("{'spec':{'a':1,'b':[1,2]}}");
    struct review rv = { .uid = "u",
                         .object = object,
                         .changed = json_q("{'spec':{'a':2,'b':[1,2,3],'c':{}}}") };
    json_auto_t *got = answer_of(&rv, body);
    size_t len;
    scoped(free) char *text = str_unbase64(jpath_str(got, "response.patch", ""), &len);
    json_auto_t *patch = json_loadb(text, len, 0, NULL);
    struct error e;

    assert_string_equal(jpath_str(got, "response.patchType", ""), "JSONPatch");
    assert_int_equal(jpatch_apply(&object, patch, &e), 0);
    assert_json(object, rv.changed);
    json_decref(object);
    review_done(&rv);
}

static void warnings_are_given(void **state)
{
    json_auto_t *body = json_q("{}");
    struct review rv = { .uid = "u" };

    for (int i = 0; i < 20; i++)
        review_warn(&rv, "w%d", i);
    json_auto_t *got = answer_of(&rv, body);

    assert_int_equal(json_array_size(jpath_arr(got, "response.warnings")), 16);
    review_done(&rv);
}

/* The cut falls into a character of two bytes. */
static void a_long_warning_is_cut_and_given(void **state)
{
    json_auto_t *body = json_q("{}");
    struct review rv = { .uid = "u" };
    char text[401] = "x";

    for (size_t i = 1; i + 1 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[399] = '\0';
    review_warn(&rv, "x%s", text);
    json_auto_t *got = answer_of(&rv, body);
    const char *given = jpath_str(got, "response.warnings[0]", "");

    assert_in_range(strlen(given), 200, 255);
    assert_true(str_is_utf8(given));
    review_done(&rv);
}

/* ---- objects that are meant to hurt: every value of a good one, replaced by every bad one ---- */

static const char rich_vmi[] =
    "{'metadata':{'name':'m','labels':{'a':'b'},'annotations':{'c':'d'},'finalizers':['f']},"
    "'spec':{'architecture':'amd64','hostname':'h','evictionStrategy':'None','startStrategy':'Paused',"
    "'networks':[{'name':'n','pod':{}},{'name':'x','multus':{'networkName':'y','default':true}}],"
    "'volumes':[{'name':'v','containerDisk':{'image':'i','path':'/a'}},{'name':'c','cloudInitNoCloud':"
    "{'userDataBase64':'YQ==','networkDataSecretRef':{'name':'s'}}},{'name':'h','hostDisk':{'path':'/a',"
    "'type':'Disk','capacity':'1Gi'}}],'accessCredentials':[{'sshPublicKey':{'source':{'secret':"
    "{'secretName':'s'}},'propagationMethod':{'qemuGuestAgent':{'users':['u']}}}}],"
    "'resourceClaims':[{'name':'k','resourceClaimName':'r'}],'livenessProbe':{'httpGet':{'port':80}},"
    "'dnsPolicy':'None','dnsConfig':{'nameservers':['1.1.1.1'],'searches':['a.b'],'options':[{'name':'o'}]},"
    "'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{}]}}},"
    "'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'k','whenUnsatisfiable':'DoNotSchedule',"
    "'labelSelector':{'matchLabels':{'a':'b'}}}],'serviceAccountName':'s',"
    "'domain':{'cpu':{'cores':2,'sockets':1,'threads':1,'maxSockets':4,'dedicatedCpuPlacement':true,"
    "'features':[{'name':'vmx','policy':'require'}],'realtime':{},'numa':{'guestMappingPassthrough':{}}},"
    "'memory':{'guest':'1Gi','maxGuest':'4Gi','hugepages':{'pageSize':'2Mi'}},"
    "'resources':{'requests':{'memory':'1Gi','cpu':'2'},'limits':{'memory':'1Gi','cpu':'2'}},"
    "'firmware':{'bootloader':{'efi':{'secureBoot':false}},'kernelBoot':{'kernelArgs':'q','container':"
    "{'image':'i','kernelPath':'/k'}},'acpi':{'slicNameRef':'v'}},'launchSecurity':{'sev':{}},"
    "'clock':{'utc':{},'timer':{'hpet':{'present':true}}},'ioThreadsPolicy':'auto','machine':{'type':'q35'},"
    "'features':{'acpi':{},'smm':{},'hyperv':{'evmcs':{},'spinlocks':{'spinlocks':8191}}},"
    "'devices':{'disks':[{'name':'v','disk':{'bus':'virtio','pciAddress':'0000:81:01.0'},'bootOrder':1,"
    "'blockSize':{'custom':{'logical':512,'physical':4096}},'serial':'s','dedicatedIOThread':true}],"
    "'filesystems':[{'name':'c','virtiofs':{}}],'interfaces':[{'name':'n','masquerade':{},'macAddress':"
    "'02:00:00:00:00:01','ports':[{'port':80,'name':'a'}],'portRanges':[{'protocol':'TCP','start':1,'end':2}],"
    "'dhcpOptions':{'ntpServers':['1.1.1.1'],'privateOptions':[{'option':240,'value':'v'}]},'state':'up'}],"
    "'inputs':[{'name':'i','type':'tablet','bus':'usb'}],'gpus':[{'name':'g','claimName':'k','requestName':'r'}],"
    "'hostDevices':[{'name':'d','deviceName':'e'}],'watchdog':{'name':'w','i6300esb':{}},'video':{'type':'vga'},"
    "'sound':{'name':'s'},'panicDevices':[{'model':'isa'}],'rng':{}}}},"
    "'status':{'phase':'Pending','nodeName':'n','volumeStatus':[{'name':'v','target':'t'}]}}";

static const char *const bad_values[] = {
    "null",
    "true",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "0.5",
    "\"\"",
    "\"x\"",
    "\"9E\"",
    "\"-1\"",
    "[]",
    "[null]",
    "[[]]",
    "[{}]",
    "{}",
    "{\"\":null}",
    "{\"a\":{\"b\":[]}}",
    "\"170141183460469231731687303715884105727\"",
    "\"\\u00e9/../\\\\\"",
};

static struct cluster_config *config;

static void try_all(const json_t *object, const struct kind *kind, review_fn *const *fns)
{
    for (; *fns; fns++) {
        for (int is_update = 0; is_update < 2; is_update++) {
            json_auto_t *body = must_pack(
                "{s:s, s:{s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:O, s:O}}", "kind", "AdmissionReview",
                "request", "uid", "u", "operation", is_update ? "UPDATE" : "CREATE", "userInfo",
                "username", "system:serviceaccount:kubevirt:kubevirt-controller", "resource",
                "group", kind->group, "resource", kind->plural, "object", object, "oldObject",
                object);
            struct review rv = { .installation = "kubevirt", .config = config };
            scoped_buf out = BUF_INIT(0);
            struct error e;

            findings_init(&rv.findings);
            assert_int_equal(review_read(&rv, body, kind, &e), 0);
            (*fns)(&rv);
            review_answer(&rv, body, &out);
            json_auto_t *answer = json_loadb(out.data, out.len, 0, NULL);
            assert_non_null(answer);
            review_done(&rv);
        }
    }
}

static void mutate_vmi_alone(struct review *rv)
{
    mutate_vmi_with(rv, NULL);
}

static void judge(const json_t *vmi)
{
    static review_fn *const of_vmi[] = { mutate_vmi_alone, validate_vmi_create, validate_vmi_update,
                                         NULL };
    static review_fn *const of_vm[] = { mutate_vm, validate_vm, NULL };
    static review_fn *const of_rs[] = { validate_vmirs, NULL };
    static review_fn *const of_preset[] = { validate_preset, NULL };
    const json_t *spec = json_object_get(vmi, "spec");
    json_auto_t *vm = must_pack("{s:{s:s}, s:{s:s, s:{s:O?, s:O?}}}", "metadata", "name", "m",
                                "spec", "runStrategy", "Always", "template", "metadata",
                                json_object_get(vmi, "metadata"), "spec", spec);
    json_auto_t *rs = must_pack("{s:{s:{}, s:{s:O?, s:O?}}}", "spec", "selector", "template",
                                "metadata", json_object_get(vmi, "metadata"), "spec", spec);
    json_auto_t *preset = must_pack("{s:{s:{}, s:O?}}", "spec", "selector", "domain",
                                    json_object_get(spec, "domain"));

    try_all(vmi, &kind_vmi, of_vmi);
    try_all(vm, &kind_vm, of_vm);
    try_all(rs, &kind_vmirs, of_rs);
    try_all(preset, &kind_preset, of_preset);
}

static void hurt_below(json_t *whole, json_t *v, const json_t *bad);

/* Put `bad` into the place, look, put the old value back. */
static void hurt_member(json_t *whole, json_t *object, const char *key, const json_t *bad)
{
    json_auto_t *kept = json_incref(json_object_get(object, key));

    must_set(object, key, must_copy(bad));
    judge(whole);
    must_set(object, key, json_incref(kept));
    hurt_below(whole, kept, bad);
}

static void hurt_below(json_t *whole, json_t *v, const json_t *bad)
{
    void *next;
    const char *key;
    json_t *item;

    json_object_foreach_safe(v, next, key, item)
        hurt_member(whole, v, key, bad);
    for (size_t i = 0; i < json_array_size(v); i++) {
        json_auto_t *kept = json_incref(json_array_get(v, i));

        must(json_array_set_new(v, i, must_copy(bad)) == 0);
        judge(whole);
        must(json_array_set(v, i, kept) == 0);
        hurt_below(whole, kept, bad);
    }
}

static void no_value_hurts(void **state)
{
    struct error e;

    assert_int_equal(cluster_config_new(&config, NULL, &e), 0);
    for (size_t i = 0; i < countof(bad_values); i++) {
        json_auto_t *vmi = json_q(rich_vmi);
        json_auto_t *bad = json_loads(bad_values[i], JSON_DECODE_ANY, NULL);

        assert_non_null(bad);
        hurt_below(vmi, vmi, bad);
    }
    cluster_config_unref(config);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_with_the_uid),
        cmocka_unit_test(refused_with_causes),
        cmocka_unit_test(refused_with_text_that_is_not_utf8),
        cmocka_unit_test(patch_makes_the_new_object),
        cmocka_unit_test(warnings_are_given),
        cmocka_unit_test(a_long_warning_is_cut_and_given),
        cmocka_unit_test(no_value_hurts),
    };

    return RUN_ROWS("review_read", reads, is_read) +
           cmocka_run_group_tests_name("review", tests, NULL, NULL);
}
