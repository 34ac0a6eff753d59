/* SPDX-License-Identifier: Apache-2.0 */
/* Which address ports are forwarded to: the machine's own pod's, whatever the guest claims. */
#include "subresources/pods.h"

#include "base/str.h"
#include "test/fake/kube.h"
#include "test/unit/rows.h"

#define VMI(more) \
    "{'metadata':{'namespace':'ns','name':'vm','uid':'u'},'status':{'nodeName':'n'" more "}}"
#define CLAIM(ip) ",'interfaces':[{'ipAddress':'" ip "'}]"
#define POD(uid, of, node, spec, status)                                                           \
    "{'metadata':{'namespace':'ns','uid':'" uid "','labels':{'kubevirt.io/created-by':'" of "'}}," \
    "'spec':{'nodeName':'" node "'" spec "},'status':{'hostIP':'10.9.9.9'," status "}}"
#define FINE POD("p", "u", "n", "", "'phase':'Running','podIP':'10.0.0.1'")
#define BOTH               \
    POD("p", "u", "n", "", \
        "'phase':'Running','podIP':'10.0.0.1','podIPs':[{'ip':'10.0.0.1'},{'ip':'fd00::1'}]")

static const struct row {
    const char *name, *vmi, *pods, *want;
    enum error_code code;
} rows[] = {
    { "the pod's address", VMI(CLAIM("10.0.0.1")), "[" FINE "]", .want = "10.0.0.1" },
    { "a claim of the guest's is never followed", VMI(CLAIM("10.96.0.1")), "[" FINE "]",
      .want = "10.0.0.1" },
    { "nor when the interface has none", VMI(",'interfaces':[{'name':'default'}]"), "[" FINE "]",
      .want = "10.0.0.1" },
    { "nor when it is no address", VMI(CLAIM("kubernetes.default")), "[" FINE "]",
      .want = "10.0.0.1" },
    { "no interfaces", VMI(""), "[" FINE "]", .code = ERR_BAD_REQUEST },
    { "an empty list of them", VMI(",'interfaces':[]"), "[" FINE "]", .code = ERR_BAD_REQUEST },
    { "the family of the first interface: 6", VMI(CLAIM("fd00::7")), "[" BOTH "]",
      .want = "fd00::1" },
    { "the family of the first interface: 4", VMI(CLAIM("1.2.3.4")), "[" BOTH "]",
      .want = "10.0.0.1" },
    { "the only family there is", VMI(CLAIM("fd00::7")), "[" FINE "]", .want = "10.0.0.1" },
    { "no pod", VMI(CLAIM("10.0.0.1")), "[]", .code = ERR_UNAVAILABLE },
    { "another machine's pod", VMI(CLAIM("10.0.0.1")),
      "[" POD("p", "other", "n", "", "'phase':'Running','podIP':'10.0.0.1'") "]",
      .code = ERR_UNAVAILABLE },
    { "a pod on another node, as while it migrates", VMI(CLAIM("10.0.0.1")),
      "[" POD("q", "u", "m", "", "'phase':'Running','podIP':'10.0.0.2'") "," FINE "]",
      .want = "10.0.0.1" },
    { "a pod that has ended", VMI(CLAIM("10.0.0.1")),
      "[" POD("q", "u", "n", "", "'phase':'Failed','podIP':'10.0.0.2'") "," FINE "]",
      .want = "10.0.0.1" },
    { "a pod without an address", VMI(CLAIM("10.0.0.1")),
      "[" POD("q", "u", "n", "", "'phase':'Pending'") "]", .code = ERR_UNAVAILABLE },
    { "a pod whose address is none", VMI(CLAIM("10.0.0.1")),
      "[" POD("q", "u", "n", "", "'phase':'Running','podIP':'here'") "]", .code = ERR_UNAVAILABLE },
    { "the active pod", VMI(CLAIM("10.0.0.1") ",'activePods':{'p':'n'}"), "[" FINE "]",
      .want = "10.0.0.1" },
    { "a pod with the label that nobody has started for it",
      VMI(CLAIM("10.0.0.1") ",'activePods':{'other':'n'}"), "[" FINE "]", .code = ERR_UNAVAILABLE },
    { "a pod on its node's network", VMI(CLAIM("10.0.0.1")),
      "[" POD("p", "u", "n", ",'hostNetwork':true", "'phase':'Running','podIP':'10.0.0.1'") "]",
      .code = ERR_UNAVAILABLE },
    { "a pod with its node's address", VMI(CLAIM("10.0.0.1")),
      "[" POD("p", "u", "n", "", "'phase':'Running','podIP':'10.9.9.9'") "]",
      .code = ERR_UNAVAILABLE },
    { "a pod with its node's other address", VMI(CLAIM("10.0.0.1")),
      "[" POD(
          "p", "u", "n", "",
          "'phase':'Running','podIP':'fd00::9','hostIPs':[{'ip':'10.9.9.9'},{'ip':'fd00::9'}]") "]",
      .code = ERR_UNAVAILABLE },
};

static void is_chosen(void **state)
{
    const struct row *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *pods = json_q(c->pods);
    char address[POD_ADDRESS_MAX] = "";
    struct error e = { 0 };

    assert_int_equal(pod_address(vmi, pods, address, &e), -(int)c->code);
    assert_string_equal(address, c->want ? c->want : "");
}

static void is_remembered_for_some_seconds(void **state)
{
    struct fake_kube *f = fake_kube_start();
    struct clock_fake clock;
    struct kube *k = fake_kube_client(f);
    json_auto_t *vmi = json_q(VMI(CLAIM("10.0.0.1")));
    json_auto_t *moved = json_q("{'metadata':{'namespace':'ns','name':'vm','uid':'u'},'status':"
                                "{'nodeName':'m','interfaces':[{}]}}");
    char address[POD_ADDRESS_MAX] = "";
    struct error e = { 0 };
    json_t *pod = json_q(FINE);

    clock_fake_init(&clock, 1000);
    struct pod_addresses *p = pod_addresses_new(&clock.clock);
    json_object_set_new(json_object_get(pod, "metadata"), "name", json_string("pod"));
    (void)fake_kube_put(f, &KIND_POD, pod);

    static const struct {
        int64_t after_ms;
        bool is_forgotten;
        size_t asked;
    } steps[] = { { 0, false, 1 }, { 4000, false, 1 }, { 1500, false, 2 }, { 0, true, 3 } };
    for (size_t i = 0; i < countof(steps); i++) {
        clock.now_ms += steps[i].after_ms;
        if (steps[i].is_forgotten)
            pod_addresses_forget(p, "u");
        assert_int_equal(pod_addresses_find(p, k, vmi, address, &e), 0);
        assert_string_equal(address, "10.0.0.1");
        assert_int_equal(fake_kube_asked(f, "/pods"), steps[i].asked);
    }
    /* It moved: what is remembered does not count. */
    assert_int_equal(pod_addresses_find(p, k, moved, address, &e), -ERR_UNAVAILABLE);
    fake_kube_fail(f, "/pods", 500, 1, -1);
    assert_true(pod_addresses_find(NULL, k, vmi, address, &e) < 0);
    assert_non_null(strstr(e.msg, "look for the machine's pod"));
    pod_addresses_free(p);
    fake_kube_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(is_remembered_for_some_seconds) };

    return RUN_ROWS("addresses", rows, is_chosen) +
           cmocka_run_group_tests_name("pods", tests, NULL, NULL);
}
