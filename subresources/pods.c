/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/pods.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <uthash.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/message.h"
#include "kube/client.h"
#include "openapi/machine.h"

#define LABEL_CREATED_BY "kubevirt.io/created-by"

enum { REMEMBERED_MS = 5 * 1000, REMEMBERED_MAX = 1024, UID_MAX = 64, NODE_MAX = 254 };

/* ---- which pod ---- */

static bool is_on_the_node_network(const json_t *pod)
{
    const char *address = jpath_str(pod, "status.podIP", "");

    return jpath_bool(pod, "spec.hostNetwork", false) ||
           streq(address, jpath_str(pod, "status.hostIP", NULL)) ||
           jarr_find(jpath_arr(pod, "status.hostIPs"), "ip", address);
}

static bool is_pod_of(const json_t *vmi, const json_t *pod)
{
    const json_t *active = jpath_obj(vmi, "status.activePods");

    return streq(meta_namespace(pod), meta_namespace(vmi)) &&
           streq(meta_label(pod, LABEL_CREATED_BY), meta_uid(vmi)) &&
           streq(jpath_str(pod, "spec.nodeName", ""), jpath_str(vmi, "status.nodeName", "")) &&
           !phase_is_final(jpath_str(pod, "status.phase", "")) &&
           (json_object_size(active) == 0 || json_object_get(active, meta_uid(pod)));
}

static bool is_address(const char *text, int family)
{
    struct in6_addr ignored;

    return strlen(text) < POD_ADDRESS_MAX && inet_pton(family, text, &ignored) == 1;
}

/* One of the pod's, of this family if there is one; NULL without any. */
static const char *address_of(const json_t *pod, int family)
{
    const char *any = jpath_str(pod, "status.podIP", "");
    size_t i;
    json_t *item;

    json_array_foreach(jpath_arr(pod, "status.podIPs"), i, item) {
        const char *ip = jpath_str(item, "ip", "");

        if (is_address(ip, family))
            return ip;
    }
    return is_address(any, AF_INET) || is_address(any, AF_INET6) ? any : NULL;
}

int pod_address(const json_t *vmi, const json_t *pods, char ret[POD_ADDRESS_MAX], struct error *e)
{
    const json_t *first = jpath(vmi, "status.interfaces[0]");
    int family = strchr(jpath_str(first, "ipAddress", ""), ':') ? AF_INET6 : AF_INET;
    bool is_bare = false;
    size_t i;
    json_t *pod;

    if (!first)
        return error_set(e, ERR_BAD_REQUEST, "no network interfaces are present");
    json_array_foreach(pods, i, pod) {
        const char *address = is_pod_of(vmi, pod) ? address_of(pod, family) : NULL;

        if (!address)
            continue;
        if (is_on_the_node_network(pod)) {
            is_bare = true;
            continue;
        }
        (void)snprintf(ret, POD_ADDRESS_MAX, "%s", address);
        return 0;
    }
    if (is_bare)
        return error_set(e, ERR_UNAVAILABLE,
                         "the machine's pod is on its node's network: no port is forwarded there");
    return error_set(e, ERR_UNAVAILABLE, "the machine has no pod with an address on node \"%s\"",
                     jpath_str(vmi, "status.nodeName", ""));
}

/* ---- what is remembered ---- */

struct remembered {
    UT_hash_handle hh;
    int64_t until_ms;
    bool is_v6; /* the family that was asked for */
    char node[NODE_MAX];
    char address[POD_ADDRESS_MAX];
    char uid[UID_MAX];
};

struct pod_addresses {
    const struct clock *clock;

    pthread_mutex_t lock;
    struct remembered *all; /* guarded by lock; insertion order is age */
};

struct pod_addresses *pod_addresses_new(const struct clock *clock)
{
    struct pod_addresses *p = must_calloc(1, sizeof(*p));

    p->clock = clock;
    must(pthread_mutex_init(&p->lock, NULL) == 0);
    return p;
}

/* With the lock held. */
static void forget(struct pod_addresses *p, struct remembered *r)
{
    if (!r)
        return;
    HASH_DEL(p->all, r);
    free(r);
}

void pod_addresses_free(struct pod_addresses *p)
{
    struct remembered *r, *next;

    if (!p)
        return;
    HASH_ITER(hh, p->all, r, next)
        forget(p, r);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

void pod_addresses_forget(struct pod_addresses *p, const char *vmi_uid)
{
    struct remembered *r;

    if (!p)
        return;
    (void)pthread_mutex_lock(&p->lock);
    HASH_FIND_STR(p->all, vmi_uid, r);
    forget(p, r);
    (void)pthread_mutex_unlock(&p->lock);
}

/* What makes a remembered address another one. */
static bool is_v6_wanted(const json_t *vmi)
{
    return strchr(jpath_str(vmi, "status.interfaces[0].ipAddress", ""), ':') != NULL;
}

static bool recall(struct pod_addresses *p, const json_t *vmi, char ret[POD_ADDRESS_MAX])
{
    struct remembered *r;

    if (!p || !jpath(vmi, "status.interfaces[0]"))
        return false;
    (void)pthread_mutex_lock(&p->lock);
    HASH_FIND_STR(p->all, meta_uid(vmi), r);
    bool is_known = r && r->until_ms > clock_mono_ms(p->clock) && r->is_v6 == is_v6_wanted(vmi) &&
                    streq(r->node, jpath_str(vmi, "status.nodeName", ""));
    if (is_known)
        memcpy(ret, r->address, POD_ADDRESS_MAX);
    (void)pthread_mutex_unlock(&p->lock);
    return is_known;
}

static void remember(struct pod_addresses *p, const json_t *vmi, const char *address)
{
    const char *node = jpath_str(vmi, "status.nodeName", "");
    struct remembered *fresh, *old;

    if (!p || strlen(meta_uid(vmi)) >= UID_MAX || strlen(node) >= NODE_MAX)
        return;
    fresh = must_calloc(1, sizeof(*fresh));
    fresh->until_ms = clock_mono_ms(p->clock) + REMEMBERED_MS;
    fresh->is_v6 = is_v6_wanted(vmi);
    (void)snprintf(fresh->node, sizeof(fresh->node), "%s", node);
    (void)snprintf(fresh->address, sizeof(fresh->address), "%s", address);
    (void)snprintf(fresh->uid, sizeof(fresh->uid), "%s", meta_uid(vmi));

    (void)pthread_mutex_lock(&p->lock);
    HASH_FIND_STR(p->all, fresh->uid, old);
    forget(p, old);
    while (HASH_COUNT(p->all) >= REMEMBERED_MAX)
        forget(p, p->all);
    HASH_ADD_STR(p->all, uid, fresh);
    (void)pthread_mutex_unlock(&p->lock);
}

int pod_addresses_find(struct pod_addresses *p, struct kube *k, const json_t *vmi,
                       char ret[POD_ADDRESS_MAX], struct error *e)
{
    json_auto_t *pods = NULL;

    if (recall(p, vmi, ret))
        return 0;
    scoped(free) char *uid = http_escape(meta_uid(vmi));
    scoped(free) char *query = must_asprintf("labelSelector=kubevirt.io%%2Fcreated-by%%3D%s", uid);
    int r = kube_list(k, &KIND_POD, meta_namespace(vmi), query, &pods, e);
    if (r < 0)
        return error_wrap(e, "look for the machine's pod");
    r = pod_address(vmi, pods, ret, e);
    if (r == 0)
        remember(p, vmi, ret);
    return r;
}
