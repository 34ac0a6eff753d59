/* SPDX-License-Identifier: Apache-2.0 */
/* The paths, and what is the same for all of them: decode, decide, answer. */
#include "webhooks/webhooks.h"

#include <stdatomic.h>
#include <strings.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/informer.h"
#include "webhooks/hooks.h"
#include "webhooks/instancetypes.h"
#include "webhooks/presets.h"

struct webhooks {
    struct cluster_config_store *config;
    struct presets *presets;
    struct instancetypes *instancetypes;
    struct informer *kubevirt;
    struct kube *kube;
    struct pool *workers;
    char *namespace;
};

/* A review that waits for a worker. */
struct job {
    struct webhooks *webhooks;
    const struct webhook *hook;
    struct http_call *call;
    json_t *body;
};

static void on_kubevirt(const json_t *old, const json_t *obj, void *ctx)
{
    struct webhooks *h = ctx;
    struct error e;

    if (cluster_config_store_set(h->config, obj, &e) < 0)
        log_error("the KubeVirt configuration is not usable, keeping the last good one", "error",
                  e.msg);
}

struct webhooks *webhooks_start(struct kube *k, struct http_watcher *w, struct pool *workers,
                                const char *namespace)
{
    struct webhooks *h = must_calloc(1, sizeof(*h));
    struct informer_options io = {
        .kind = &KIND_KUBEVIRT,
        .namespace = namespace,
        .on_event = on_kubevirt,
        .ctx = h,
        .may_be_absent = true,
    };

    h->kube = k;
    h->workers = workers;
    h->namespace = must_strdup(namespace);
    h->config = cluster_config_store_new();
    h->presets = presets_start(k, w);
    h->instancetypes = instancetypes_start(k, w);
    h->kubevirt = informer_start(k, w, &io);
    return h;
}

void webhooks_stop(struct webhooks *h)
{
    if (!h)
        return;
    informer_stop(h->kubevirt);
    instancetypes_stop(h->instancetypes);
    presets_stop(h->presets);
    cluster_config_store_free(h->config);
    free(h->namespace);
    free(h);
}

bool webhooks_is_synced(const struct webhooks *h)
{
    return informer_is_synced(h->kubevirt) && presets_is_synced(h->presets) &&
           instancetypes_is_synced(h->instancetypes);
}

struct cluster_config_store *webhooks_peek_config(struct webhooks *h)
{
    return h->config;
}

/* "application/json", parameters allowed. */
static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    size_t len = sizeof(json) - 1;

    return content_type && strncasecmp(content_type, json, len) == 0 &&
           (content_type[len] == '\0' || content_type[len] == ';' || content_type[len] == ' ');
}

static int decode(struct http_call *c, json_t **ret, struct error *e)
{
    /* Members of the request that no decision looks at. */
    static const char *const unread[] = { "kind", "requestKind", "requestResource", "options",
                                          NULL };
    size_t len;
    const void *body = http_call_body(c, &len);

    if (http_call_method(c) != HTTP_POST)
        return error_set(e, ERR_METHOD_NOT_ALLOWED, "a webhook is called with POST");
    if (!is_json(http_call_header(c, "Content-Type")))
        return error_set(e, ERR_UNSUPPORTED_MEDIA,
                         "Content-Type must be application/json for an AdmissionReview");
    if (len == 0)
        return error_set(e, ERR_BAD_REQUEST, "the body is empty: send an AdmissionReview");
    if (json_parse_but(ret, body, len, unread, e) < 0)
        return error_wrap(e, "the body is not an AdmissionReview");
    return 0;
}

/* What a decision leaves behind, beside the text: the changed object, or NULL. */
struct outcome {
    struct buf text;
    json_t *changed;
};

static int decide(struct webhooks *h, const struct webhook *hook, const json_t *body, bool may_ask,
                  struct outcome *ret, struct error *e)
{
    struct cluster_config *config = cluster_config_store_get(h->config);
    struct review rv = { .config = config,
                         .presets = h->presets,
                         .stored = instancetypes_find,
                         .stored_ctx = h->instancetypes,
                         .kube = may_ask ? h->kube : NULL,
                         .takes_deletion = streq(hook->operations, "DELETE"),
                         .installation = h->namespace };
    const struct kind *kind = hook->kind;

    findings_init(&rv.findings);
    if (!kind)
        kind = kind_find_plural(jpath_str(body, "request.resource.group", ""),
                                jpath_str(body, "request.resource.resource", ""));

    int r =
        kind ? review_read(&rv, body, kind, e)
             : error_set(e, ERR_BAD_REQUEST, "request.resource: not a kind that is reviewed here");
    if (r == 0) {
        hook->decide(&rv);
        review_answer(&rv, body, &ret->text);
    }
    ret->changed = TAKE(rv.changed);
    review_done(&rv);
    cluster_config_unref(config);
    return r;
}

/* The changed object, which is the caller's to free, or NULL. */
static json_t *answer(struct webhooks *h, const struct webhook *hook, struct http_call *c,
                      const json_t *body, bool may_ask)
{
    struct outcome outcome = { .text = BUF_INIT(0) };
    struct error e = { 0 };

    if (decide(h, hook, body, may_ask, &outcome, &e) < 0) {
        http_reply_error(c, &e, NULL);
    } else {
        const size_t len = outcome.text.len;

        http_reply_taken(c, 200, "application/json", buf_take(&outcome.text), len);
    }
    buf_done(&outcome.text);
    return outcome.changed;
}

static void free_value(void *value)
{
    json_decref(value);
}

/* On the loop.  Takes the body.  A tenth of a review is to free what it was made of: later. */
static void answer_now(struct webhooks *h, const struct webhook *hook, struct http_call *c,
                       json_t *body)
{
    json_t *changed = answer(h, hook, c, body, false);

    http_after_reply(c, free_value, body);
    if (changed)
        http_after_reply(c, free_value, changed);
}

static void job_free(struct job *j)
{
    json_decref(j->body);
    free(j);
}

/* On a worker thread. */
static void job_run(void *arg)
{
    struct job *j = arg;

    json_decref(answer(j->webhooks, j->hook, j->call, j->body, true));
    job_free(j);
}

/* Takes the body.  A review that can do without the API server is decided from memory when all
 * workers are taken. */
static void answer_later(struct webhooks *h, const struct webhook *hook, struct http_call *c,
                         json_t *body)
{
    struct job *j = must_calloc(1, sizeof(*j));
    struct error e = { 0 };

    *j = (struct job){ .webhooks = h, .hook = hook, .call = c, .body = body };
    http_keep(c);
    if (pool_run(h->workers, job_run, j))
        return;
    if (!(hook->flags & HOOK_ASKS)) {
        json_decref(answer(h, hook, c, body, false));
        job_free(j);
        return;
    }
    error_set(&e, ERR_TOO_MANY, "virt-api has too many requests in hand: try again in a second");
    http_call_set_header(c, "Retry-After", "1");
    http_reply_error(c, &e, NULL);
    job_free(j);
}

bool webhooks_serve(struct webhooks *h, struct http_call *c)
{
    const struct webhook *hook = webhook_find(http_call_path(c));
    json_auto_t *body = NULL;
    struct error e = { 0 };

    if (!hook)
        return false;
    if (decode(c, &body, &e) < 0)
        http_reply_error(c, &e, NULL);
    else if (webhook_asks(hook, body))
        answer_later(h, hook, c, TAKE(body));
    else
        answer_now(h, hook, c, TAKE(body));
    return true;
}
