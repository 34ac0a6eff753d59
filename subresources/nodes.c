/* SPDX-License-Identifier: Apache-2.0 */
/* The virt-handler pods, indexed by node; about a kilobyte a node. */
#include "subresources/nodes.h"

#include <stdio.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/str.h"
#include "kube/informer.h"
#include "openapi/machine.h"

/* Subject common name that every virt-handler serves with (spec 08). */
static const char handler_cn[] = "kubevirt.io:system:node:virt-handler";

struct nodes {
    struct informer *pods;
    struct tls_keys *keys;
    int port;
    bool is_externally_managed;
};

static void trim_pod(json_t *pod)
{
    json_t *small = must_pack("{s:s, s:s?, s:O?}", "podIP", jpath_str(pod, "status.podIP", ""),
                              "phase", jpath_str(pod, "status.phase", NULL), "conditions",
                              jpath_arr(pod, "status.conditions"));
    json_t *spec = must_pack("{s:s}", "nodeName", jpath_str(pod, "spec.nodeName", ""));

    must_set(pod, "status", small);
    must_set(pod, "spec", spec);
}

struct nodes *nodes_start(struct kube *k, struct http_watcher *w, const struct nodes_options *o)
{
    struct nodes *n = must_calloc(1, sizeof(*n));
    struct informer_options io = {
        .kind = &KIND_POD,
        .namespace = o->namespace,
        .label_selector = "kubevirt.io=virt-handler",
        .trim = trim_pod,
        .index = { { "node", index_by_node } },
    };

    n->keys = tls_keys_ref(o->keys);
    n->port = o->port;
    n->is_externally_managed = o->is_externally_managed;
    n->pods = informer_start(k, w, &io);
    return n;
}

void nodes_stop(struct nodes *n)
{
    if (!n)
        return;
    informer_stop(n->pods);
    tls_keys_unref(n->keys);
    free(n);
}

bool nodes_is_synced(const struct nodes *n)
{
    return informer_is_synced(n->pods);
}

/* A pod that is on its way out may still be the one that answers; a ready one is better. */
static const json_t *best_pod(const json_t *pods)
{
    const json_t *best = NULL;
    size_t i;
    json_t *pod;

    json_array_foreach(pods, i, pod) {
        bool has_ended = phase_is_final(jpath_str(pod, "status.phase", ""));
        bool is_better = !best || (condition_is_true(pod, "Ready") && !meta_is_deleting(pod));

        /* An evicted pod keeps its address, which may be another's by now. */
        if (*jpath_str(pod, "status.podIP", "") && !has_ended && is_better)
            best = pod;
    }
    return best;
}

int nodes_find(struct nodes *n, const json_t *vmi, struct node_target *ret, struct error *e)
{
    const char *phase = jpath_str(vmi, "status.phase", "");
    const char *node = jpath_str(vmi, "status.nodeName", "");

    if (!streq(phase, "Running") && !streq(phase, "Scheduled"))
        return error_set(e, ERR_BAD_REQUEST,
                         "unable to connect to a VMI in phase \"%s\": it must be Running or "
                         "Scheduled",
                         phase);

    json_auto_t *pods = informer_by_index(n->pods, "node", node);
    const json_t *pod = best_pod(pods);
    if (!pod)
        return error_set(e, ERR_UNAVAILABLE,
                         "no virt-handler on node \"%s\": look at the virt-handler DaemonSet",
                         node);

    *ret = (struct node_target){ .port = n->port, .keys = n->keys };
    (void)snprintf(ret->host, sizeof(ret->host), "%s", jpath_str(pod, "status.podIP", ""));
    ret->policy.peer = TLS_PEER_REQUIRED;
    if (!n->is_externally_managed) {
        ret->policy.cn[0] = handler_cn;
        ret->policy.cn_len = 1;
    }
    return 0;
}
