/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the cluster that this node can run machines. */
#include "handler/node.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/thread.h"
#include "handler/podfs.h"
#include "kube/client.h"

enum {
    BEAT_MS = 60 * 1000, /* times 1 to 2.2 */
    RETRY_MS = 5 * 1000, /* after a beat that did not arrive */
    FIRST_WAIT_MS = 10 * 1000,
    LOOK_MS = 100,
    STATE_BYTES_MAX = 1024 * 1024,
};

/* What Debian's and upstream's QEMU know under these names on x86-64. */
static const char *const machine_types[] = { "q35", "pc", "pc-q35-7.2", "pc-i440fx-7.2" };

struct node_heart {
    struct node_options o;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping; /* guarded by lock */
    bool is_due;      /* guarded by lock */
};

json_t *node_patch(bool is_schedulable, bool has_cpu_manager, bool wants_labels, const char *now)
{
    json_t *labels =
        must_pack("{s:s, s:s, s:s}", "kubevirt.io/schedulable", is_schedulable ? "true" : "false",
                  "cpumanager", has_cpu_manager ? "true" : "false", "kubevirt.io/cpumanager",
                  has_cpu_manager ? "true" : "false");

    for (size_t i = 0; wants_labels && i < countof(machine_types); i++) {
        scoped(free) char *key =
            must_asprintf("machine-type.node.kubevirt.io/%s", machine_types[i]);

        must_set(labels, key, json_string("true"));
    }
    return must_pack("{s:{s:o, s:{s:s}}}", "metadata", "labels", labels, "annotations",
                     "kubevirt.io/heartbeat", now);
}

bool cpu_manager_is_static(const char *state_text)
{
    json_auto_t *state = NULL;
    struct error e;

    return json_parse(&state, state_text, strlen(state_text), &e) == 0 &&
           streq(jpath_str(state, "policyName", ""), "static");
}

static bool has_cpu_manager(const struct node_heart *h)
{
    struct error e;
    scoped(free) char *text = NULL;
    scoped_fd int root = open(h->o.kubelet_root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return root >= 0 &&
           podfs_read_in_root(root, "cpu_manager_state", STATE_BYTES_MAX, &text, &e) == 0 &&
           cpu_manager_is_static(text);
}

static int beat(struct node_heart *h, bool is_schedulable)
{
    char now[RFC3339_MAX];
    struct error e;
    json_auto_t *patch = node_patch(is_schedulable, has_cpu_manager(h), h->o.wants_labels,
                                    rfc3339(clock_wall_ms(h->o.clock), now));
    int r = kube_patch(h->o.kube, &KIND_NODE, NULL, h->o.node, NULL, KUBE_PATCH_STRATEGIC, patch,
                       NULL, NULL, &e);

    if (r < 0)
        log_warn("heartbeat did not arrive, again in 5 s", "node", h->o.node, "why", e.msg);
    return r;
}

/* Wait until somebody wakes us or ms are over; false when it is time to stop. */
static bool rest(struct node_heart *h, int64_t ms)
{
    struct timespec until;

    must(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&h->lock);
    while (!h->is_stopping && !h->is_due &&
           pthread_cond_timedwait(&h->wake, &h->lock, &until) == 0) {
    }
    h->is_due = false;
    bool goes_on = !h->is_stopping;
    pthread_mutex_unlock(&h->lock);
    return goes_on;
}

static int64_t next_beat_ms(void)
{
    uint16_t dice;

    random_bytes(&dice, sizeof(dice));
    return BEAT_MS + (int64_t)BEAT_MS * 12 / 10 * dice / UINT16_MAX;
}

static void *run(void *arg)
{
    struct node_heart *h = arg;
    int64_t since = clock_mono_ms(h->o.clock);

    (void)beat(h, false);
    while (!h->o.is_ready(h->o.ctx) && clock_mono_ms(h->o.clock) - since < FIRST_WAIT_MS) {
        if (!rest(h, LOOK_MS))
            return NULL;
    }
    for (;;) {
        int r = beat(h, h->o.is_ready(h->o.ctx));

        if (!rest(h, r < 0 ? RETRY_MS : next_beat_ms()))
            return NULL;
    }
}

struct node_heart *node_heart_start(const struct node_options *o)
{
    struct node_heart *h = must_calloc(1, sizeof(*h));
    pthread_condattr_t attr;

    h->o = *o;
    must(pthread_mutex_init(&h->lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&h->wake, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    thread_start(&h->thread, "heartbeat", run, h);
    return h;
}

static void wake(struct node_heart *h, bool *flag)
{
    pthread_mutex_lock(&h->lock);
    *flag = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

void node_heart_beat(struct node_heart *h)
{
    wake(h, &h->is_due);
}

void node_heart_stop(struct node_heart *h)
{
    if (!h)
        return;
    wake(h, &h->is_stopping);
    must(pthread_join(h->thread, NULL) == 0);
    (void)beat(h, false);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
