/* SPDX-License-Identifier: Apache-2.0 */
/* The server around the memory: routes, watches, faults, and what tests ask it. */
#include "test/fake/kube.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/server.h"
#include "test/fake/kube_store.h"

struct fake_watch {
    struct fake_watch *next;
    struct http_call *call;
    struct fake_filter filter;
    char collection[256];
    size_t at; /* next change to send */
    bool wants_bookmarks;
};

struct fault {
    struct fault *next;
    char *match;
    int status, times, retry_after_s;
};

struct hanging {
    struct hanging *next;
    struct http_call *call;
};

struct asked {
    char *text;
    json_t *body;
};

struct fake_kube {
    struct http_server *server;
    struct kube_config *config;
    struct kube *client;
    char url[64];
    int port;

    pthread_mutex_t lock;
    /* guarded by lock */
    struct fake_store store;
    struct fake_watch *watches;
    struct fault *faults;
    struct hanging *hanging;
    char *denial;   /* of SubjectAccessReviews; NULL: allowed */
    char *denied;   /* to whom; NULL: to everybody */
    json_t *tokens; /* UserInfo of each */
    struct asked *asked;
    size_t asked_len, asked_cap;
};

/* ---- watches; with the lock held ---- */

static bool send_event(struct fake_watch *w, const char *type, const json_t *obj)
{
    json_auto_t *event = must_pack("{s:s}", "type", type);
    must_set(event, "object", must_copy(obj));
    scoped(free) char *text = must_dumps(event, JSON_COMPACT);
    scoped(free) char *line = must_asprintf("%s\n", text);

    return http_stream_write(w->call, line, strlen(line));
}

/* The event as this watch must see it: an object that no longer passes is gone for it. */
static void send_change(struct fake_watch *w, const struct fake_change *c)
{
    bool is_deleted = streq(c->type, "DELETED");
    bool had = c->old && fake_filter_passes(&w->filter, c->old);
    bool has = !is_deleted && fake_filter_passes(&w->filter, c->obj);

    if (!had && !has)
        return;
    (void)send_event(w, !has ? "DELETED" : had ? "MODIFIED" : "ADDED", c->obj);
}

static void send_news(struct fake_kube *f)
{
    for (struct fake_watch *w = f->watches; w; w = w->next)
        for (; w->at < f->store.changes_len; w->at++)
            if (streq(f->store.changes[w->at].collection, w->collection))
                send_change(w, &f->store.changes[w->at]);
}

static void end_watches(struct fake_kube *f)
{
    while (f->watches) {
        struct fake_watch *w = f->watches;
        f->watches = w->next;
        http_stream_end(w->call);
        free(w);
    }
}

static void filter_of(struct fake_filter *filter, const struct fake_path *p, struct http_call *c)
{
    const char *labels = http_call_query(c, "labelSelector");
    (void)snprintf(filter->labels, sizeof(filter->labels), "%s", labels ? labels : "");
    const char *fields = http_call_query(c, "fieldSelector");
    (void)snprintf(filter->fields, sizeof(filter->fields), "%s", fields ? fields : "");
    (void)snprintf(filter->ns, sizeof(filter->ns), "%s", p->ns);
}

static void reply_error(struct http_call *c, const struct error *e)
{
    http_reply_error(c, e, NULL);
}

static void serve_watch(struct fake_kube *f, const struct fake_path *p, struct http_call *c)
{
    struct error e;
    const char *from_text = http_call_query(c, "resourceVersion");
    long long from = from_text ? strtoll(from_text, NULL, 10) : 0;

    if (from && from < f->store.compacted) {
        (void)error_set(&e, ERR_EXPIRED, "too old resource version: %lld (%lld)", from,
                        f->store.compacted);
        reply_error(c, &e);
        return;
    }
    struct fake_watch *w = must_calloc(1, sizeof(*w));
    w->call = c;
    filter_of(&w->filter, p, c);
    (void)fake_collection(p, w->collection);
    w->wants_bookmarks = streq(http_call_query(c, "allowWatchBookmarks"), "true");
    while (w->at < f->store.changes_len && f->store.changes[w->at].version <= from)
        w->at++;
    http_stream_begin(c, 200, "application/json");
    w->next = f->watches;
    f->watches = w;
    send_news(f);
}

/* ---- the other verbs; with the lock held ---- */

static void serve_list(struct fake_kube *f, const struct fake_path *p, struct http_call *c)
{
    char collection[256];
    char text[64];
    struct fake_filter filter;
    const char *limit_text = http_call_query(c, "limit");
    const char *from_text = http_call_query(c, "continue");
    size_t limit = limit_text ? strtoul(limit_text, NULL, 10) : 0;
    size_t from = from_text ? strtoul(from_text, NULL, 10) : 0;
    size_t n = 0;
    const char *key;
    json_t *obj;

    filter_of(&filter, p, c);
    json_auto_t *items = json_array();
    json_auto_t *list =
        must_pack("{s:s, s:s, s:{}}", "kind", "List", "apiVersion", "v1", "metadata");
    json_object_foreach(json_object_get(f->store.collections, fake_collection(p, collection)), key,
                        obj) {
        if (!fake_filter_passes(&filter, obj))
            continue;
        if (n >= from && (limit == 0 || n < from + limit))
            (void)json_array_append(items, obj);
        n++;
    }
    if (limit > 0 && n > from + limit) {
        (void)snprintf(text, sizeof(text), "%zu", from + limit);
        jpath_set_str(list, "metadata.continue", text);
    }
    (void)snprintf(text, sizeof(text), "%lld", f->store.version);
    jpath_set_str(list, "metadata.resourceVersion", text);
    must_set(list, "items", TAKE(items));
    http_reply_json(c, 200, list);
}

static int write_object(struct fake_kube *f, const struct fake_path *p, struct http_call *c,
                        const json_t *body, json_t **ret, struct error *e)
{
    const char *type = http_call_header(c, "Content-Type");

    switch (http_call_method(c)) {
    case HTTP_POST:
        return fake_store_create(&f->store, p, body, ret, e);
    case HTTP_PUT:
        return fake_store_update(&f->store, p, body, ret, e);
    case HTTP_PATCH:
        return fake_store_patch(&f->store, p, type ? type : "", body, ret, e);
    case HTTP_DELETE:
        return fake_store_delete(&f->store, p, body, ret, e);
    case HTTP_GET:
    case HTTP_HEAD:
    case HTTP_OPTIONS:
    case HTTP_METHOD_COUNT:
        break;
    }
    return error_set(e, ERR_METHOD_NOT_ALLOWED, "not here");
}

static void serve_object(struct fake_kube *f, const struct fake_path *p, struct http_call *c,
                         const json_t *body)
{
    json_auto_t *answer = NULL;
    struct error e;
    int r = 0;

    if (http_call_method(c) == HTTP_GET) {
        answer = json_incref(fake_store_peek(&f->store, p));
        if (!answer)
            r = error_set(&e, ERR_NOT_FOUND, "%s \"%s\" not found", p->plural, p->name);
    } else {
        r = write_object(f, p, c, body, &answer, &e);
        send_news(f);
    }
    if (r < 0)
        reply_error(c, &e);
    else
        http_reply_json(c, http_call_method(c) == HTTP_POST ? 201 : 200, answer);
}

/* As a virtual resource: nothing is stored. */
static void serve_review(struct fake_kube *f, struct http_call *c, const json_t *body)
{
    json_auto_t *answer = body ? must_copy(body) : json_object();
    const bool is_denied =
        f->denial && (!f->denied || streq(f->denied, jpath_str(body, "spec.user", "")));

    must_set(answer, "status",
             must_pack("{s:b, s:s}", "allowed", !is_denied, "reason", is_denied ? f->denial : ""));
    http_reply_json(c, 201, answer);
}

static void serve_token_review(struct fake_kube *f, struct http_call *c, const json_t *body)
{
    json_auto_t *answer = body ? must_copy(body) : json_object();
    json_t *user = json_object_get(f->tokens, jpath_str(body, "spec.token", ""));

    must_set(answer, "status", must_pack("{s:b}", "authenticated", user != NULL));
    if (user)
        jpath_set(answer, "status.user", must_copy(user));
    else
        jpath_set_str(answer, "status.error", "invalid bearer token");
    http_reply_json(c, 201, answer);
}

static void serve(struct fake_kube *f, struct http_call *c)
{
    struct fake_path p = fake_path_parse(http_call_path(c));
    size_t len = 0;
    const void *data = http_call_body(c, &len);
    json_auto_t *body = len > 0 ? json_loadb(data, len, 0, NULL) : NULL;

    if (!p.is_known)
        http_reply(c, 404, "text/plain", "404 page not found\n", strlen("404 page not found\n"));
    else if (http_call_method(c) == HTTP_POST && streq(p.plural, "subjectaccessreviews"))
        serve_review(f, c, body);
    else if (http_call_method(c) == HTTP_POST && streq(p.plural, "tokenreviews"))
        serve_token_review(f, c, body);
    else if (http_call_method(c) != HTTP_GET || p.name[0])
        serve_object(f, &p, c, body);
    else if (http_call_query(c, "watch"))
        serve_watch(f, &p, c);
    else
        serve_list(f, &p, c);
}

/* ---- faults ---- */

static void remember(struct fake_kube *f, struct http_call *c, const char *text)
{
    size_t len = 0;
    const void *data = http_call_body(c, &len);

    if (f->asked_len == f->asked_cap) {
        f->asked_cap = f->asked_cap ? f->asked_cap * 2 : 64;
        f->asked = must_realloc(f->asked, f->asked_cap * sizeof(*f->asked));
    }
    f->asked[f->asked_len++] =
        (struct asked){ .text = must_strdup(text),
                        .body = len > 0 ? json_loadb(data, len, 0, NULL) : NULL };
}

/* True when a fault answers (or keeps) the call. */
static bool serve_fault(struct fake_kube *f, struct http_call *c, const char *text)
{
    struct fault *fault = f->faults;

    while (fault && !(fault->times != 0 && strstr(text, fault->match)))
        fault = fault->next;
    if (!fault)
        return false;
    if (fault->times > 0)
        fault->times--;
    if (fault->status == FAKE_KUBE_HANG) {
        struct hanging *h = must_calloc(1, sizeof(*h));
        *h = (struct hanging){ .next = f->hanging, .call = c };
        f->hanging = h;
        http_keep(c);
        return true;
    }
    struct error e;
    char seconds[16];
    (void)snprintf(seconds, sizeof(seconds), "%d", fault->retry_after_s);
    if (fault->retry_after_s >= 0)
        http_call_set_header(c, "Retry-After", seconds);
    (void)error_set(&e, error_from_http(fault->status, NULL), "a fault of the test");
    reply_error(c, &e);
    return true;
}

static void on_call(struct http_call *c, void *ctx)
{
    struct fake_kube *f = ctx;
    const char *query = http_call_query_string(c);
    scoped(free) char *text = must_asprintf("%s %s%s%s", http_method_name(http_call_method(c)),
                                            http_call_path(c), *query ? "?" : "", query);

    pthread_mutex_lock(&f->lock);
    remember(f, c, text);
    if (!serve_fault(f, c, text))
        serve(f, c);
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_fail(struct fake_kube *f, const char *match, int status, int times,
                    int retry_after_s)
{
    struct fault *fault = must_calloc(1, sizeof(*fault));

    *fault = (struct fault){ .match = must_strdup(match),
                             .status = status,
                             .times = times,
                             .retry_after_s = retry_after_s };
    pthread_mutex_lock(&f->lock);
    fault->next = f->faults;
    f->faults = fault;
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_deny(struct fake_kube *f, const char *reason)
{
    pthread_mutex_lock(&f->lock);
    free(f->denial);
    f->denial = reason ? must_strdup(reason) : NULL;
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_deny_user(struct fake_kube *f, const char *user)
{
    pthread_mutex_lock(&f->lock);
    free(f->denied);
    f->denied = user ? must_strdup(user) : NULL;
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_token(struct fake_kube *f, const char *token, json_t *user)
{
    pthread_mutex_lock(&f->lock);
    if (!f->tokens)
        f->tokens = json_object();
    must_set(f->tokens, token, user);
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_heal(struct fake_kube *f)
{
    pthread_mutex_lock(&f->lock);
    while (f->faults) {
        struct fault *fault = f->faults;
        f->faults = fault->next;
        free(fault->match);
        free(fault);
    }
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_release(struct fake_kube *f)
{
    pthread_mutex_lock(&f->lock);
    while (f->hanging) {
        struct hanging *h = f->hanging;
        f->hanging = h->next;
        serve(f, h->call);
        free(h);
    }
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_compact(struct fake_kube *f)
{
    pthread_mutex_lock(&f->lock);
    send_news(f);
    fake_store_compact(&f->store);
    for (struct fake_watch *w = f->watches; w; w = w->next)
        w->at = 0;
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_drop_watches(struct fake_kube *f)
{
    pthread_mutex_lock(&f->lock);
    end_watches(f);
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_bookmark(struct fake_kube *f)
{
    char version[32];

    pthread_mutex_lock(&f->lock);
    (void)snprintf(version, sizeof(version), "%lld", f->store.version);
    json_auto_t *obj = must_pack("{s:{s:s}}", "metadata", "resourceVersion", version);
    for (struct fake_watch *w = f->watches; w; w = w->next)
        if (w->wants_bookmarks)
            (void)send_event(w, "BOOKMARK", obj);
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_send_line(struct fake_kube *f, const char *line)
{
    scoped(free) char *text = must_asprintf("%s\n", line);

    pthread_mutex_lock(&f->lock);
    for (struct fake_watch *w = f->watches; w; w = w->next)
        (void)http_stream_write(w->call, text, strlen(text));
    pthread_mutex_unlock(&f->lock);
}

void fake_kube_down(struct fake_kube *f)
{
    fake_kube_release(f);
    fake_kube_drop_watches(f);
    http_server_free(f->server);
    f->server = NULL;
    fake_kube_drop_watches(f); /* opened in the meantime */
}

void fake_kube_up(struct fake_kube *f)
{
    struct error e = { 0 };
    const struct http_server_options o = {
        .name = "fake-kube", .address = "127.0.0.1", .port = f->port, .handler = on_call, .ctx = f
    };

    if (http_server_start(&f->server, &o, &e) < 0)
        (void)fprintf(stderr, "fake kube: %s\n", e.msg);
    must(f->server);
    f->port = http_server_port(f->server);
    (void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d", f->port);
}

/* ---- life ---- */

struct fake_kube *fake_kube_start(void)
{
    struct fake_kube *f = must_calloc(1, sizeof(*f));
    struct error e = { 0 };

    must(pthread_mutex_init(&f->lock, NULL) == 0);
    fake_store_init(&f->store);
    fake_kube_up(f);
    const struct kube_config_request q = { .master = f->url, .must_be_explicit = true };
    must(kube_config_load(&f->config, &q, &e) >= 0);
    f->client = kube_new(f->config);
    return f;
}

void fake_kube_free(struct fake_kube *f)
{
    if (!f)
        return;
    fake_kube_heal(f);
    if (f->server)
        fake_kube_down(f);
    for (size_t i = 0; i < f->asked_len; i++) {
        free(f->asked[i].text);
        json_decref(f->asked[i].body);
    }
    free(f->asked);
    free(f->denial);
    free(f->denied);
    json_decref(f->tokens);
    kube_free(f->client);
    kube_config_free(f->config);
    fake_store_done(&f->store);
    (void)pthread_mutex_destroy(&f->lock);
    free(f);
}

const char *fake_kube_url(const struct fake_kube *f)
{
    return f->url;
}

struct kube *fake_kube_client(struct fake_kube *f)
{
    return f->client;
}

/* ---- the cluster from the side ---- */

static struct fake_path path_of(const struct kube_kind *kind, const char *ns, const char *name)
{
    scoped(free) char *path = kube_path(kind, ns, name, NULL);

    return fake_path_parse(path);
}

long long fake_kube_put(struct fake_kube *f, const struct kube_kind *kind, json_t *obj)
{
    struct fake_path p = path_of(kind, meta_namespace(obj), meta_name(obj));
    char version[KUBE_API_VERSION_MAX];
    char uid[37];

    must_set(obj, "apiVersion", json_string(kube_api_version(kind, version)));
    must_set(obj, "kind", json_string(kind->kind));
    pthread_mutex_lock(&f->lock);
    const json_t *old = fake_store_peek(&f->store, &p);
    uuid_v4(uid);
    if (!meta_uid(obj)[0])
        jpath_set_str(obj, "metadata.uid", old ? meta_uid(old) : uid);
    (void)fake_store_write(&f->store, &p, obj);
    send_news(f);
    long long now = f->store.version;
    pthread_mutex_unlock(&f->lock);
    return now;
}

void fake_kube_remove(struct fake_kube *f, const struct kube_kind *kind, const char *ns,
                      const char *name)
{
    struct fake_path p = path_of(kind, ns, name);

    pthread_mutex_lock(&f->lock);
    (void)fake_store_write(&f->store, &p, NULL);
    send_news(f);
    pthread_mutex_unlock(&f->lock);
}

json_t *fake_kube_get(struct fake_kube *f, const struct kube_kind *kind, const char *ns,
                      const char *name)
{
    struct fake_path p = path_of(kind, ns, name);

    pthread_mutex_lock(&f->lock);
    const json_t *found = fake_store_peek(&f->store, &p);
    json_t *copy = found ? must_copy(found) : NULL;
    pthread_mutex_unlock(&f->lock);
    return copy;
}

json_t *fake_kube_list(struct fake_kube *f, const struct kube_kind *kind)
{
    struct fake_path p = path_of(kind, NULL, NULL);
    json_t *all = json_array();
    char collection[256];
    const char *key;
    json_t *obj;

    pthread_mutex_lock(&f->lock);
    json_object_foreach(json_object_get(f->store.collections, fake_collection(&p, collection)), key,
                        obj)
        must_append(all, must_copy(obj));
    pthread_mutex_unlock(&f->lock);
    return all;
}

size_t fake_kube_asked(struct fake_kube *f, const char *match)
{
    size_t n = 0;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->asked_len; i++)
        n += strstr(f->asked[i].text, match) != NULL;
    pthread_mutex_unlock(&f->lock);
    return n;
}

char *fake_kube_last(struct fake_kube *f, const char *match, json_t **ret_body)
{
    char *text = NULL;

    pthread_mutex_lock(&f->lock);
    for (size_t i = f->asked_len; i > 0 && !text; i--) {
        if (!strstr(f->asked[i - 1].text, match))
            continue;
        text = must_strdup(f->asked[i - 1].text);
        if (ret_body)
            *ret_body = f->asked[i - 1].body ? must_copy(f->asked[i - 1].body) : NULL;
    }
    pthread_mutex_unlock(&f->lock);
    return text;
}

size_t fake_kube_watches(struct fake_kube *f)
{
    size_t n = 0;

    pthread_mutex_lock(&f->lock);
    for (const struct fake_watch *w = f->watches; w; w = w->next)
        n++;
    pthread_mutex_unlock(&f->lock);
    return n;
}

bool fake_wait(bool (*fn)(void *ctx), void *ctx, int timeout_ms)
{
    int64_t until = clock_mono_ms(&clock_real) + timeout_ms;
    const struct timespec tick = { .tv_nsec = 2 * 1000 * 1000 };

    while (!fn(ctx)) {
        if (clock_mono_ms(&clock_real) > until)
            return false;
        (void)nanosleep(&tick, NULL);
    }
    return true;
}
