/* SPDX-License-Identifier: Apache-2.0 */
/* Which virt-handler is in charge of an instance. */
#include "subresources/nodes.h"

#include <stdio.h>

#include "base/jpath.h"
#include "base/str.h"
#include "http/client.h"
#include "test/fake/kube.h"
#include "test/unit/rows.h"

#define ON_A "'spec':{'nodeName':'a'}"
#define READY(ip) \
    "'status':{'podIP':'" ip "','phase':'Running','conditions':[{'type':'Ready','status':'True'}]}"
#define UNREADY(ip) \
    "'status':{'podIP':'" ip "','phase':'Running','conditions':[{'type':'Ready','status':'False'}]}"
#define VMI(phase) "{'status':{'phase':'" phase "','nodeName':'a'}}"

enum { PODS = 3 };

/* A pod is what stands behind its metadata. */
static const struct row {
    const char *name;
    const char *vmi;
    const char *pods[PODS];
    enum error_code code;
    const char *want; /* address, or a part of the message */
    bool is_externally_managed;
} rows[] = {
    { "running", .vmi = VMI("Running"), .pods = { ON_A "," READY("10.0.0.1") },
      .want = "10.0.0.1" },
    { "scheduled", .vmi = VMI("Scheduled"), .pods = { ON_A "," READY("10.0.0.1") },
      .want = "10.0.0.1" },
    { "certificates of another installer", .vmi = VMI("Running"),
      .pods = { ON_A "," READY("10.0.0.1") }, .want = "10.0.0.1", .is_externally_managed = true },
    { "an IPv6 address, without brackets", .vmi = VMI("Running"),
      .pods = { ON_A "," READY("fd00::1") }, .want = "fd00::1" },
    { "pending", .vmi = VMI("Pending"), .pods = { ON_A "," READY("10.0.0.1") },
      .code = ERR_BAD_REQUEST, .want = "\"Pending\"" },
    { "ended", .vmi = VMI("Succeeded"), .pods = { ON_A "," READY("10.0.0.1") },
      .code = ERR_BAD_REQUEST, .want = "\"Succeeded\"" },
    { "no phase", .vmi = "{}", .code = ERR_BAD_REQUEST, .want = "\"\"" },
    { "no node", .vmi = "{'status':{'phase':'Running'}}",
      .pods = { "'spec':{}," READY("10.0.0.1") }, .code = ERR_UNAVAILABLE,
      .want = "no virt-handler" },
    { "no pod", .vmi = VMI("Running"), .code = ERR_UNAVAILABLE, .want = "node \"a\"" },
    { "a pod on another node", .vmi = VMI("Running"),
      .pods = { "'spec':{'nodeName':'b'}," READY("10.0.0.1") }, .code = ERR_UNAVAILABLE,
      .want = "no virt-handler" },
    { "a pod without an address", .vmi = VMI("Running"), .pods = { ON_A ",'status':{}" },
      .code = ERR_UNAVAILABLE, .want = "no virt-handler" },
    { "not ready, but alone", .vmi = VMI("Running"), .pods = { ON_A "," UNREADY("10.0.0.1") },
      .want = "10.0.0.1" },
    { "of two, the ready one", .vmi = VMI("Running"),
      .pods = { ON_A "," UNREADY("10.0.0.1"), ON_A "," READY("10.0.0.2"),
                ON_A "," UNREADY("10.0.0.3") },
      .want = "10.0.0.2" },
    { "one that was evicted is not asked", .vmi = VMI("Running"),
      .pods = { ON_A ",'status':{'podIP':'10.0.0.1','phase':'Failed'}",
                ON_A "," UNREADY("10.0.0.2"),
                ON_A ",'status':{'podIP':'10.0.0.3','phase':'Succeeded'}" },
      .want = "10.0.0.2" },
    { "nor when there is no other", .vmi = VMI("Running"),
      .pods = { ON_A ",'status':{'podIP':'10.0.0.1','phase':'Failed'}" }, .code = ERR_UNAVAILABLE,
      .want = "no virt-handler" },
};

static bool is_synced(void *ctx)
{
    return nodes_is_synced(ctx);
}

static void put_pod(struct fake_kube *f, size_t i, const char *rest)
{
    scoped(free) char *text =
        must_asprintf("{'metadata':{'name':'h%zu','namespace':'kubevirt','labels':{'kubevirt.io':"
                      "'virt-handler'}},%s}",
                      i, rest);

    (void)fake_kube_put(f, &KIND_POD, json_q(text));
}

static void finds(void **state)
{
    const struct row *c = *state;
    struct fake_kube *fake = fake_kube_start();
    struct http_watcher *watcher = http_watcher_new("watch");
    struct tls_keys *keys = tls_keys_new();
    struct nodes_options o = { .namespace = "kubevirt",
                               .port = 8186,
                               .keys = keys,
                               .is_externally_managed = c->is_externally_managed };
    json_auto_t *vmi = json_q(c->vmi);
    struct node_target t;
    struct error e = { 0 };

    for (size_t i = 0; i < PODS && c->pods[i]; i++)
        put_pod(fake, i, c->pods[i]);
    /* A pod of something else on the same node. */
    (void)fake_kube_put(
        fake, &KIND_POD,
        json_q("{'metadata':{'name':'x','namespace':'kubevirt'}," ON_A "," READY("10.9.9.9") "}"));
    struct nodes *nodes = nodes_start(fake_kube_client(fake), watcher, &o);
    assert_true(fake_wait(is_synced, nodes, FAKE_PATIENCE_MS));

    int r = nodes_find(nodes, vmi, &t, &e);
    assert_int_equal(r, -(int)c->code);
    if (r < 0) {
        if (!strstr(e.msg, c->want))
            fail_msg("\"%s\" does not say \"%s\"", e.msg, c->want);
    } else {
        assert_string_equal(t.host, c->want);
        assert_int_equal(t.port, 8186);
        assert_ptr_equal(t.keys, keys);
        assert_int_equal(t.policy.peer, TLS_PEER_REQUIRED);
        assert_int_equal(t.policy.cn_len, c->is_externally_managed ? 0 : 1);
        if (t.policy.cn_len)
            assert_string_equal(t.policy.cn[0], "kubevirt.io:system:node:virt-handler");
    }
    nodes_stop(nodes);
    http_watcher_free(watcher);
    tls_keys_unref(keys);
    fake_kube_free(fake);
}

int main(void)
{
    return RUN_ROWS("nodes_find", rows, finds);
}
