/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of kube/client.h, all by way of kube_do. */
#include "kube/client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/bucket.h"
#include "kube/request.h"

struct kube {
    struct kube_config *config; /* borrowed */
    struct http_client *http;   /* of the config */
    int64_t timeout_ms;
    atomic_llong answered_ms; /* monotonic */

    pthread_mutex_t lock;
    /* guarded by lock */
    struct bucket limit; /* per_second 0: none */
};

struct kube *kube_new(struct kube_config *config)
{
    struct kube *k = must_calloc(1, sizeof(*k));

    k->config = config;
    k->http = kube_config_client(config);
    must(pthread_mutex_init(&k->lock, NULL) == 0);
    return k;
}

void kube_free(struct kube *k)
{
    if (!k)
        return;
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

struct kube_config *kube_peek_config(struct kube *k)
{
    return k->config;
}

struct http_client *kube_peek_http(struct kube *k)
{
    return k->http;
}

void kube_set_limits(struct kube *k, double per_second, double burst)
{
    pthread_mutex_lock(&k->lock);
    k->limit = bucket_make(per_second, burst, clock_mono_ms(&clock_real));
    pthread_mutex_unlock(&k->lock);
}

void kube_set_timeout(struct kube *k, int64_t timeout_ms)
{
    k->timeout_ms = timeout_ms;
}

void kube_note_answer(struct kube *k)
{
    atomic_store_explicit(&k->answered_ms, clock_mono_ms(&clock_real), memory_order_relaxed);
}

int64_t kube_answered_ms(const struct kube *k)
{
    return atomic_load_explicit(&k->answered_ms, memory_order_relaxed);
}

/* ---- paths ---- */

static void add_segment(struct buf *path, const char *segment)
{
    scoped(free) char *escaped = http_escape(segment);

    (void)buf_addf(path, "/%s", escaped);
}

char *kube_path(const struct kube_kind *kind, const char *ns, const char *name, const char *sub)
{
    scoped_buf path = BUF_INIT(0);

    (void)buf_addf(&path, kind->group[0] ? "/apis/%s/%s" : "/api%s/%s", kind->group, kind->version);
    if (!kind->is_cluster_scoped && ns && *ns) {
        (void)buf_adds(&path, "/namespaces");
        add_segment(&path, ns);
    }
    add_segment(&path, kind->plural);
    if (name && *name)
        add_segment(&path, name);
    if (sub && *sub)
        (void)buf_addf(&path, "/%s", sub);
    return buf_take(&path);
}

static char *with_query(char *path /* taken */, const char *query)
{
    if (!query || !*query)
        return path;
    char *whole = must_asprintf("%s?%s", path, query);
    free(path);
    return whole;
}

char *kube_list_path(const struct kube_kind *kind, const char *ns, const char *query, size_t limit,
                     const char *continue_token)
{
    scoped(free) char *path = kube_path(kind, ns, NULL, NULL);
    scoped(free) char *token =
        continue_token && *continue_token ? http_escape(continue_token) : NULL;
    scoped_buf all = BUF_INIT(0);

    (void)buf_addf(&all, "%s?limit=%zu", path, limit);
    if (token)
        (void)buf_addf(&all, "&continue=%s", token);
    if (query && *query)
        (void)buf_addf(&all, "&%s", query);
    return buf_take(&all);
}

/* ---- one request ---- */

int kube_status_error(int status, const char *body, size_t len, struct error *e)
{
    json_auto_t *answer = body ? json_loadb(body, len, 0, NULL) : NULL;

    if (!streq(jpath_str(answer, "kind", ""), "Status")) {
        enum error_code code = status == 404 ? ERR_UNAVAILABLE : error_from_http(status, NULL);
        return error_set(e, code, "server answered %d: %.*s", status,
                         (int)strnlen(body ? body : "", 200), body ? body : "");
    }
    return error_set(e, error_from_http(status, jpath_str(answer, "reason", NULL)), "%s",
                     jpath_str(answer, "message", http_status_text(status)));
}

static void wait_ms(int64_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) < 0)
        ;
}

static void wait_for_limit(struct kube *k, const struct kube_request *q)
{
    pthread_mutex_lock(&k->lock);
    bool is_limited = k->limit.per_second > 0;
    int64_t ms = is_limited ? bucket_reserve(&k->limit, clock_mono_ms(&clock_real)) : 0;
    pthread_mutex_unlock(&k->lock);
    if (ms > 0)
        wait_ms(ms);
    if (is_limited)
        rest_measure_limiter(q->method, kube_config_server(k->config), q->path, (double)ms / 1000);
}

static int send_once(struct kube *k, const struct http_request *q, struct http_response *ret,
                     struct error *e)
{
    int64_t began = clock_mono_ms(&clock_real);
    int r = http_client_do(k->http, q, ret, e);

    rest_measure(q->method, kube_config_server(k->config), q->path, r < 0 ? 0 : ret->status,
                 (double)(clock_mono_ms(&clock_real) - began) / 1000);
    if (r >= 0 && ret->status < 500)
        kube_note_answer(k);
    return r;
}

/* After how many ms the server wants to see the request again; -1 when it does not. */
static int64_t retry_after_ms(const struct http_response *r)
{
    const char *text = http_headers_get(&r->headers, "Retry-After");
    long long s = 0;

    if (!text || !(r->status == 429 || r->status >= 500) || str_to_int(text, 0, 86400, &s) < 0)
        return -1;
    return (s < KUBE_RETRY_AFTER_MAX_S ? s : KUBE_RETRY_AFTER_MAX_S) * 1000;
}

static int send_until_taken(struct kube *k, const struct http_request *q, unsigned retries,
                            struct http_response *ret, struct error *e)
{
    bool has_distrusted = false;

    for (unsigned tries = 0;; tries++) {
        int r = kube_config_refresh(k->config, e);
        if (r >= 0)
            r = send_once(k, q, ret, e);
        if (r < 0)
            return r;
        int64_t again_ms = tries < retries ? retry_after_ms(ret) : -1;
        if (ret->status == 401 && !has_distrusted) {
            has_distrusted = true;
            again_ms = kube_config_distrust(k->config) ? 0 : -1;
        }
        if (again_ms < 0)
            return 0;
        http_response_done(ret);
        wait_ms(again_ms);
    }
}

static int take_answer(const struct http_response *r, json_t **ret, struct error *e)
{
    json_error_t why;

    if (r->status >= 400)
        return kube_status_error(r->status, r->body.data, r->body.len, e);
    if (!ret)
        return 0;
    /* The API server is not bounded like a stranger: its objects carry many small maps
     * (managedFields). */
    *ret = json_loadb(r->body.data ? r->body.data : "", r->body.len, 0, &why);
    if (!*ret)
        return error_set(e, ERR_INTERNAL, "server answered %d with something that is no JSON: %s",
                         r->status, why.text);
    return 0;
}

int kube_do(struct kube *k, const struct kube_request *q, json_t **ret, struct error *e)
{
    scoped(free) char *body = q->body ? must_dumps(q->body, JSON_COMPACT) : NULL;
    const struct http_request request = {
        .method = q->method,
        .path = q->path,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .content_type = !body             ? NULL
                        : q->content_type ? q->content_type
                                          : "application/json",
        .timeout_ms = q->timeout_ms ? q->timeout_ms : k->timeout_ms,
        .response_max_bytes = KUBE_ANSWER_MAX,
    };
    struct http_response response = { 0 };

    if (ret)
        *ret = NULL;
    if (!q->is_urgent)
        wait_for_limit(k, q);
    int r = send_until_taken(k, &request, q->is_urgent ? 0 : KUBE_RETRIES_MAX, &response, e);
    if (r < 0)
        return r;
    r = take_answer(&response, ret, e);
    http_response_done(&response);
    return r < 0 ? error_wrap(e, "%s %.*s", http_method_name(q->method), (int)strcspn(q->path, "?"),
                              q->path)
                 : 0;
}

void kube_stamp(json_t *obj, const struct kube_kind *kind)
{
    char version[KUBE_API_VERSION_MAX];

    if (!json_object_get(obj, "apiVersion"))
        must_set(obj, "apiVersion", json_string(kube_api_version(kind, version)));
    if (!json_object_get(obj, "kind"))
        must_set(obj, "kind", json_string(kind->kind));
}

/* ---- the calls ---- */

/*
 * The path of one object.  Without a name it would be its collection's, and a delete would take
 * everything: refused here, whatever the caller overlooked.
 */
static int object_path(char **ret, const struct kube_kind *kind, const char *ns, const char *name,
                       const char *sub, struct error *e)
{
    *ret = NULL;
    if (!name || !*name)
        return error_set(e, ERR_BAD_REQUEST, "%s without a name", kind->kind);
    if (!kind->is_cluster_scoped && (!ns || !*ns))
        return error_set(e, ERR_BAD_REQUEST, "%s '%s' without a namespace", kind->kind, name);
    *ret = kube_path(kind, ns, name, sub);
    return 0;
}

int kube_get(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
             json_t **ret, struct error *e)
{
    scoped(free) char *path = NULL;

    int r = object_path(&path, kind, ns, name, NULL, e);
    return r < 0 ? r
                 : kube_do(k, &(struct kube_request){ .method = HTTP_GET, .path = path }, ret, e);
}

/* One page: its items go to the end of *items, the token of the next one (new, NULL at the end) to
 * *token. */
static int list_page(struct kube *k, const char *path, const struct kube_kind *kind, json_t *items,
                     char **token, struct error *e)
{
    json_auto_t *page = NULL;
    json_t *item;
    size_t i;

    int r = kube_do(k, &(struct kube_request){ .method = HTTP_GET, .path = path }, &page, e);
    if (r < 0)
        return r;
    json_array_foreach(jpath_arr(page, "items"), i, item) {
        kube_stamp(item, kind);
        (void)json_array_append(items, item);
    }
    const char *next = jpath_str(page, "metadata.continue", "");
    free(*token);
    *token = *next ? must_strdup(next) : NULL;
    return 0;
}

int kube_list(struct kube *k, const struct kube_kind *kind, const char *ns, const char *query,
              json_t **ret, struct error *e)
{
    json_auto_t *items = json_array();
    scoped(free) char *token = NULL;
    size_t limit = KUBE_PAGE;

    *ret = NULL;
    do {
        scoped(free) char *path = kube_list_path(kind, ns, query, limit, token);
        int r = list_page(k, path, kind, items, &token, e);
        if (r == -ERR_EXPIRED && token) {
            /* Compacted between two pages: once more, in one piece (limit=0). */
            (void)json_array_clear(items);
            free(TAKE(token));
            limit = 0;
            scoped(free) char *whole = kube_list_path(kind, ns, query, limit, NULL);
            r = list_page(k, whole, kind, items, &token, e);
        }
        if (r < 0)
            return r;
    } while (token);
    *ret = TAKE(items);
    return 0;
}

/* Send an object (borrowed) that says of itself what it is. */
static int send_object(struct kube *k, enum http_method method, const struct kube_kind *kind,
                       const char *path, const json_t *obj, json_t **ret, struct error *e)
{
    json_auto_t *mine = NULL;

    if (!json_object_get(obj, "apiVersion") || !json_object_get(obj, "kind")) {
        mine = json_copy((json_t *)obj); /* shallow: only the top level is written to */
        must(mine);
        kube_stamp(mine, kind);
    }
    return kube_do(
        k, &(struct kube_request){ .method = method, .path = path, .body = mine ? mine : obj }, ret,
        e);
}

int kube_create(struct kube *k, const struct kube_kind *kind, const json_t *obj, json_t **ret,
                struct error *e)
{
    scoped(free) char *path = kube_path(kind, meta_namespace(obj), NULL, NULL);

    return send_object(k, HTTP_POST, kind, path, obj, ret, e);
}

int kube_create_sub(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
                    const char *sub, const json_t *body, json_t **ret, struct error *e)
{
    scoped(free) char *path = NULL;

    int r = object_path(&path, kind, ns, name, sub, e);
    if (r < 0)
        return r;
    return kube_do(k, &(struct kube_request){ .method = HTTP_POST, .path = path, .body = body },
                   ret, e);
}

int kube_update(struct kube *k, const struct kube_kind *kind, const char *sub, const json_t *obj,
                json_t **ret, struct error *e)
{
    scoped(free) char *path = NULL;

    int r = object_path(&path, kind, meta_namespace(obj), meta_name(obj), sub, e);
    return r < 0 ? r : send_object(k, HTTP_PUT, kind, path, obj, ret, e);
}

static const char *patch_type(enum kube_patch type)
{
    switch (type) {
    case KUBE_PATCH_JSON:
        return "application/json-patch+json";
    case KUBE_PATCH_MERGE:
        return "application/merge-patch+json";
    case KUBE_PATCH_STRATEGIC:
        return "application/strategic-merge-patch+json";
    case KUBE_PATCH_APPLY:
        return "application/apply-patch+yaml";
    }
    return NULL;
}

int kube_patch(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
               const char *sub, enum kube_patch type, const json_t *patch, const char *query,
               json_t **ret, struct error *e)
{
    scoped(free) char *path = NULL;

    int r = object_path(&path, kind, ns, name, sub, e);
    if (r < 0)
        return r;
    path = with_query(path, query);
    const struct kube_request q = {
        .method = HTTP_PATCH, .path = path, .body = patch, .content_type = patch_type(type)
    };

    return kube_do(k, &q, ret, e);
}

int kube_delete(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
                const json_t *options, struct error *e)
{
    scoped(free) char *path = NULL;
    json_auto_t *body = NULL;

    int r = object_path(&path, kind, ns, name, NULL, e);
    if (r < 0)
        return r;
    if (options) {
        body = json_copy((json_t *)options);
        must(body);
        must_set(body, "apiVersion", json_string("v1"));
        must_set(body, "kind", json_string("DeleteOptions"));
    }
    return kube_do(k, &(struct kube_request){ .method = HTTP_DELETE, .path = path, .body = body },
                   NULL, e);
}

int kube_raw(struct kube *k, enum http_method method, const char *path, const json_t *body,
             json_t **ret, struct error *e)
{
    return kube_do(k, &(struct kube_request){ .method = method, .path = path, .body = body }, ret,
                   e);
}
