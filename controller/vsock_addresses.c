/* SPDX-License-Identifier: Apache-2.0 */
/* Context ids on their way into status; see vsock_addresses.h. */
#include "controller/vsock_addresses.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/machine.h"

static const char cid_path[] = "status.VSOCKCID";

struct given {
    char *uid;
    uint32_t cid;
    UT_hash_handle by_uid;
    UT_hash_handle by_cid;
};

struct vsock_addresses {
    pthread_mutex_t lock;
    struct given *uids; /* guarded by lock: two views of the same entries */
    struct given *cids;
};

struct vsock_addresses *vsock_addresses_new(void)
{
    struct vsock_addresses *a = must_calloc(1, sizeof(*a));
    must(pthread_mutex_init(&a->lock, NULL) == 0);
    return a;
}

static struct given *find(struct vsock_addresses *a, const char *uid)
{
    struct given *g = NULL;
    HASH_FIND(by_uid, a->uids, uid, strlen(uid), g);
    return g;
}

static void drop(struct vsock_addresses *a, struct given *g)
{
    HASH_DELETE(by_uid, a->uids, g);
    HASH_DELETE(by_cid, a->cids, g);
    free(g->uid);
    free(g);
}

void vsock_addresses_free(struct vsock_addresses *a)
{
    if (!a)
        return;
    while (a->uids)
        drop(a, a->uids);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

bool vmi_lacks_vsock_address(const json_t *vmi)
{
    return jpath_bool(vmi, "spec.domain.devices.autoattachVSOCK", false) && !vmi_is_final(vmi) &&
           !meta_is_deleting(vmi) && !jpath_str(vmi, "status.nodeName", "")[0] &&
           jpath_int(vmi, cid_path, 0) < VSOCK_CID_FIRST;
}

static uint32_t next_of(uint32_t cid)
{
    return cid < VSOCK_CID_FIRST || cid >= VSOCK_CID_LAST ? VSOCK_CID_FIRST : cid + 1;
}

static void put(struct vsock_addresses *a, const char *uid, uint32_t cid)
{
    struct given *g = must_calloc(1, sizeof(*g));
    g->uid = must_strdup(uid);
    g->cid = cid;
    HASH_ADD_KEYPTR(by_uid, a->uids, g->uid, strlen(g->uid), g);
    HASH_ADD(by_cid, a->cids, cid, sizeof(g->cid), g);
}

/* Give `cid` to the instance unless another has it; an instance that has one keeps it.  What it has
 * now, 0 for none. */
static uint32_t claim(struct vsock_addresses *a, const char *uid, uint32_t cid)
{
    struct given *taken = NULL;
    pthread_mutex_lock(&a->lock);
    const struct given *own = find(a, uid);
    if (own)
        cid = own->cid;
    else
        HASH_FIND(by_cid, a->cids, &cid, sizeof(cid), taken);
    if (!own && !taken)
        put(a, uid, cid);
    pthread_mutex_unlock(&a->lock);
    return taken ? 0 : cid;
}

/* Claimed first and looked up then: another's may leave this list only once the informer shows it,
 * so one of the two knows of it at any time.  There are fewer instances than numbers: this ends. */
uint32_t vsock_addresses_take(struct vsock_addresses *a, const char *uid, uint32_t random,
                              vsock_used_fn *used, void *ctx)
{
    uint32_t wanted =
        random < VSOCK_CID_FIRST || random > VSOCK_CID_LAST ? VSOCK_CID_FIRST : random;
    for (;; wanted = next_of(wanted)) {
        uint32_t cid = claim(a, uid, wanted);
        if (cid && !used(cid, ctx))
            return cid;
        if (cid) {
            vsock_addresses_forget(a, uid);
            wanted = cid;
        }
    }
}

void vsock_addresses_forget(struct vsock_addresses *a, const char *uid)
{
    pthread_mutex_lock(&a->lock);
    struct given *g = find(a, uid);
    if (g)
        drop(a, g);
    pthread_mutex_unlock(&a->lock);
}

char *index_vmi_by_vsock(const json_t *vmi)
{
    json_int_t cid = jpath_int(vmi, cid_path, 0);
    return cid >= VSOCK_CID_FIRST ? must_asprintf("%lld", (long long)cid) : NULL;
}
