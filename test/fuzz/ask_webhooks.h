/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The webhooks asked as virt-api's handler asks them, through webhooks_serve(), without a network:
 * the program that includes this (one file of it) brings its own call, informers, worker and
 * API server, which the linker takes in place of the archives' objects.  One thread.
 */
#ifndef TEST_FUZZ_ASK_WEBHOOKS_H
#define TEST_FUZZ_ASK_WEBHOOKS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"
#include "kube/informer.h"
#include "kube/kind.h"
#include "webhooks/hooks.h"
#include "webhooks/webhooks.h"

struct http_call {
    const char *path;
    const char *body; /* NUL-terminated past len, as the server's */
    size_t len;

    int replies;
    int status;
    struct buf answer;
};

enum http_method http_call_method(const struct http_call *c)
{
    return HTTP_POST;
}

const char *http_call_path(const struct http_call *c)
{
    return c->path;
}

const char *http_call_header(const struct http_call *c, const char *name)
{
    return streq(name, "Content-Type") ? "application/json" : NULL;
}

const void *http_call_body(const struct http_call *c, size_t *ret_len)
{
    *ret_len = c->len;
    return c->body;
}

void http_call_set_header(struct http_call *c, const char *name, const char *value)
{
}

void http_keep(struct http_call *c)
{
}

void http_reply(struct http_call *c, int status, const char *content_type, const void *data,
                size_t len)
{
    c->replies++;
    c->status = status;
    (void)buf_add(&c->answer, data, len);
}

void http_reply_taken(struct http_call *c, int status, const char *content_type, char *data,
                      size_t len)
{
    http_reply(c, status, content_type, data, len);
    free(data);
}

void http_after_reply(struct http_call *c, void (*fn)(void *arg), void *arg)
{
    fn(arg);
}

void http_reply_error(struct http_call *c, const struct error *err, const json_t *details)
{
    json_auto_t *status = error_status(err, details);
    scoped(free) char *text = must_dumps(status, 0);

    http_reply(c, error_http(err->code), "application/json", text, strlen(text));
}

bool pool_run(struct pool *p, pool_fn *fn, void *arg)
{
    fn(arg);
    return true;
}

/* Stands for the API server, which the functions below answer for. */
struct kube {
    bool is_there;
};
static struct kube api_server = { true };

/* ---- the cluster: gates that open more rules, a preset, an instance of whatever name ---- */

static json_t *object_of(const char *text)
{
    json_error_t why;
    json_t *v = json_loads(text, 0, &why);

    must(v != NULL);
    return v;
}

struct informer *informer_start(struct kube *k, struct http_watcher *w,
                                const struct informer_options *o)
{
    json_auto_t *kubevirt = object_of(
        "{\"metadata\":{\"name\":\"kubevirt\"},\"spec\":{\"configuration\":{"
        "\"developerConfiguration\":{\"featureGates\":[\"HostDisk\",\"HostDevices\",\"Sidecar\","
        "\"NUMA\",\"CPUManager\",\"DownwardMetrics\",\"VirtIOFSConfigVolumesGate\","
        "\"WorkloadEncryptionSEV\",\"PanicDevices\",\"VideoConfig\",\"GPUsWithDRA\"]}}}}");

    if (o->on_event)
        o->on_event(NULL, kubevirt, o->ctx);
    return NULL;
}

void informer_stop(struct informer *i)
{
}

bool informer_is_synced(const struct informer *i)
{
    return true;
}

/* The one stored preset, made at first use and kept. */
static json_t *preset(void)
{
    static json_t *stored;

    if (!stored)
        stored = object_of("{\"apiVersion\":\"kubevirt.io/v1\","
                           "\"kind\":\"VirtualMachineInstancePreset\","
                           "\"metadata\":{\"name\":\"small\",\"namespace\":\"ns\"},"
                           "\"spec\":{\"selector\":{\"matchLabels\":{\"size\":\"small\"}},"
                           "\"domain\":{\"cpu\":{\"cores\":3},\"devices\":{\"watchdog\":"
                           "{\"name\":\"w\",\"i6300esb\":{\"action\":\"reset\"}}}}}}");
    return json_incref(stored);
}

json_t *informer_by_index(struct informer *i, const char *index, const char *value)
{
    json_t *presets = json_array();

    must_append(presets, preset());
    return presets;
}

json_t *informer_get(struct informer *i, const char *key)
{
    return object_of(
        "{\"metadata\":{\"name\":\"m\"},\"spec\":{\"cpu\":{\"guest\":2},"
        "\"memory\":{\"guest\":\"2Gi\",\"overcommitPercent\":10},"
        "\"gpus\":[{\"name\":\"g\",\"deviceName\":\"v/g\"}],\"annotations\":{\"a\":\"1\"},"
        "\"devices\":{\"preferredDiskBus\":\"virtio\",\"preferredRng\":{}},"
        "\"firmware\":{\"preferredEfi\":{\"secureBoot\":false}},"
        "\"requirements\":{\"memory\":{\"guest\":\"2Gi\"}}}}");
}

char *index_by_namespace(const json_t *obj)
{
    return NULL;
}

char *kube_path(const struct kube_kind *kind, const char *ns, const char *name, const char *sub)
{
    return must_strdup("/");
}

int kube_get(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
             json_t **ret, struct error *e)
{
    *ret = object_of("{\"metadata\":{\"name\":\"m\",\"namespace\":\"ns\",\"uid\":\"u\","
                     "\"labels\":{\"kubevirt.io\":\"virt-launcher\"},\"annotations\":"
                     "{\"kubevirt.io/domain\":\"m\"}},\"spec\":{\"evictionStrategy\":"
                     "\"LiveMigrate\",\"domain\":{}},\"status\":{\"phase\":\"Running\","
                     "\"nodeName\":\"n\",\"conditions\":[{\"type\":\"LiveMigratable\","
                     "\"status\":\"True\"}]}}");
    return 0;
}

int kube_list(struct kube *k, const struct kube_kind *kind, const char *ns, const char *query,
              json_t **ret, struct error *e)
{
    *ret = json_array();
    return 0;
}

int kube_patch(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
               const char *sub, enum kube_patch type, const json_t *patch, const char *query,
               json_t **ret, struct error *e)
{
    return 0;
}

int kube_raw(struct kube *k, enum http_method method, const char *path, const json_t *body,
             json_t **ret, struct error *e)
{
    if (ret)
        *ret = object_of("{\"items\":[]}");
    return 0;
}

/* Ask once; the answer is c->answer, to be freed with buf_done. */
static void ask(struct webhooks *h, const char *path, const void *body, size_t len,
                struct http_call *ret)
{
    scoped(free) char *text = must_malloc(len + 1);

    if (len > 0)
        memcpy(text, body, len);
    text[len] = '\0';
    *ret = (struct http_call){ .path = path, .body = text, .len = len };
    must(webhooks_serve(h, ret));
    must(ret->replies == 1);
    ret->body = NULL;
}

#endif
