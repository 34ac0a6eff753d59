/* SPDX-License-Identifier: Apache-2.0 */
/* The watched ConfigMap, parsed once a change and shared under a lock. */
#include "apiserver/frontproxy.h"

#include <ctype.h>
#include <pthread.h>
#include <strings.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/informer.h"

static const char configmap_name[] = "extension-apiserver-authentication";
static const char configmap_namespace[] = "kube-system";

struct frontproxy {
    struct informer *configmaps;
    struct tls_keys *serving;

    pthread_rwlock_t lock;
    struct requestheader now; /* guarded by lock; client_ca NULL: none seen yet */
};

void requestheader_done(struct requestheader *r)
{
    json_decref(r->allowed_names);
    json_decref(r->username_headers);
    json_decref(r->uid_headers);
    json_decref(r->group_headers);
    json_decref(r->extra_prefixes);
    free(r->client_ca);
    *r = (struct requestheader){ 0 };
}

/* A key that holds a JSON list of strings; absent gives the default. */
static int read_list(const json_t *data, const char *key, const char *dflt, json_t **ret,
                     struct error *e)
{
    const char *text = json_string_value(json_object_get(data, key));
    json_auto_t *list = NULL;
    size_t i;
    json_t *item;

    if (!text) {
        if (!dflt)
            return error_set(e, ERR_INVALID, "ConfigMap %s has no key %s", configmap_name, key);
        *ret = json_array();
        if (*dflt)
            must_append(*ret, json_string(dflt));
        return 0;
    }
    if (json_parse(&list, text, strlen(text), e) < 0)
        return error_set(e, ERR_INVALID, "ConfigMap %s, key %s: %s", configmap_name, key, e->msg);
    if (!json_is_array(list))
        return error_set(e, ERR_INVALID, "ConfigMap %s, key %s: not a list", configmap_name, key);
    json_array_foreach(list, i, item)
        if (!json_is_string(item))
            return error_set(e, ERR_INVALID, "ConfigMap %s, key %s: not a list of strings",
                             configmap_name, key);
    *ret = json_incref(list);
    return 0;
}

int requestheader_parse(const json_t *configmap, struct requestheader *ret, struct error *e)
{
    const json_t *data = jpath_obj(configmap, "data");
    const char *ca = json_string_value(json_object_get(data, "requestheader-client-ca-file"));
    const struct {
        const char *key, *dflt; /* NULL: must be there; "": empty */
        json_t **list;
    } lists[] = {
        /* Without this key every front proxy is refused; an empty list allows any name. */
        { "requestheader-allowed-names", NULL, &ret->allowed_names },
        { "requestheader-username-headers", "X-Remote-User", &ret->username_headers },
        { "requestheader-uid-headers", "X-Remote-Uid", &ret->uid_headers },
        { "requestheader-group-headers", "X-Remote-Group", &ret->group_headers },
        { "requestheader-extra-headers-prefix", "X-Remote-Extra-", &ret->extra_prefixes },
    };

    *ret = (struct requestheader){ 0 };
    if (!ca || !*ca)
        return error_set(e, ERR_INVALID,
                         "ConfigMap %s has no requestheader-client-ca-file: aggregation is not set "
                         "up in kube-apiserver",
                         configmap_name);
    for (size_t i = 0; i < countof(lists); i++) {
        int r = read_list(data, lists[i].key, lists[i].dflt, lists[i].list, e);

        if (r < 0) {
            requestheader_done(ret);
            return r;
        }
    }
    ret->client_ca = must_strdup(ca);
    return 0;
}

static bool name_is_allowed(const struct requestheader *r, const char *cn)
{
    size_t i;
    json_t *item;

    if (json_array_size(r->allowed_names) == 0)
        return true;
    json_array_foreach(r->allowed_names, i, item)
        if (streq(json_string_value(item), cn))
            return true;
    return false;
}

static const char *first_header(const json_t *names, const struct http_headers *headers)
{
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name) {
        const char *value = http_headers_get(headers, json_string_value(name));

        if (value && *value)
            return value;
    }
    return NULL;
}

/* NULL when one is not UTF-8. */
static json_t *all_groups(const json_t *names, const struct http_headers *headers)
{
    json_auto_t *groups = json_array();
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name) {
        size_t from = 0;
        const char *value;

        while ((value = http_headers_next(headers, json_string_value(name), &from))) {
            if (!str_is_utf8(value))
                return NULL;
            if (*value)
                must_append(groups, json_string(value));
        }
    }
    return TAKE(groups);
}

/* "X-Remote-Extra-Acme.com%2fproject: a" is extra {"acme.com/project": ["a"]}. */
static void add_extra(json_t *extra, const char *rest, const char *value)
{
    scoped(free) char *lower = must_strdup(rest);

    for (char *p = lower; *p; p++)
        *p = (char)tolower((unsigned char)*p);

    scoped(free) char *key = str_percent_decode(lower);
    json_t *values = json_object_get(extra, key);
    json_t *text = json_string(value);

    if (!text)
        return; /* not UTF-8: nothing that an authorizer could have granted */
    if (!values) {
        values = json_array();
        if (json_object_set_new(extra, key, values) < 0) {
            json_decref(text);
            return;
        }
    }
    must_append(values, text);
}

static json_t *all_extra(const json_t *prefixes, const struct http_headers *headers)
{
    json_t *extra = json_object();

    for (size_t h = 0; h < headers->len; h++) {
        const struct http_header *header = &headers->item[h];
        size_t i;
        json_t *prefix;

        json_array_foreach(prefixes, i, prefix) {
            size_t len = json_string_length(prefix);

            if (strncasecmp(header->name, json_string_value(prefix), len) == 0) {
                add_extra(extra, header->name + len, header->value);
                break;
            }
        }
    }
    return extra;
}

int requestheader_authenticate(const struct requestheader *r, const struct tls_identity *peer,
                               const struct http_headers *headers, struct caller *ret,
                               struct error *e)
{
    *ret = (struct caller){ 0 };
    if (!peer->is_verified)
        return error_set(e, ERR_UNAUTHORIZED,
                         "no client certificate of the front proxy: this API is reached through "
                         "kube-apiserver, or with a bearer token");
    if (!name_is_allowed(r, peer->cn))
        return error_set(e, ERR_UNAUTHORIZED,
                         "the client certificate's common name \"%s\" is not one of "
                         "requestheader-allowed-names",
                         peer->cn);

    const char *user = first_header(r->username_headers, headers);
    if (!user)
        return error_set(e, ERR_UNAUTHORIZED, "no user header in a request of the front proxy");

    const char *uid = first_header(r->uid_headers, headers);
    json_t *groups = all_groups(r->group_headers, headers);
    /* Leaving out what cannot be read would make another caller of this one. */
    if (!groups || !str_is_utf8(user) || (uid && !str_is_utf8(uid))) {
        json_decref(groups);
        return error_set(e, ERR_UNAUTHORIZED, "a user, UID or group header is not UTF-8");
    }

    ret->info = must_pack("{s:s, s:o, s:o}", "username", user, "groups", groups, "extra",
                          all_extra(r->extra_prefixes, headers));
    if (uid)
        must_set(ret->info, "uid", json_string(uid));
    return 0;
}

/* On the watcher's thread. */
static void on_configmap(const json_t *old, const json_t *obj, void *ctx)
{
    struct frontproxy *f = ctx;
    struct requestheader fresh;
    struct error e;

    if (!obj) {
        log_warn("the front proxy's ConfigMap is gone, keeping what it said", "name",
                 configmap_name);
        return;
    }
    if (requestheader_parse(obj, &fresh, &e) < 0 ||
        tls_keys_set_ca(f->serving, fresh.client_ca, &e) < 0) {
        log_error("front proxy settings cannot be read, keeping the last good ones", "error",
                  e.msg);
        return;
    }

    pthread_rwlock_wrlock(&f->lock);
    struct requestheader last = f->now;
    f->now = fresh;
    pthread_rwlock_unlock(&f->lock);
    requestheader_done(&last);
    log_info("front proxy settings read", "name", configmap_name);
}

struct frontproxy *frontproxy_start(struct kube *k, struct http_watcher *w,
                                    struct tls_keys *serving)
{
    struct frontproxy *f = must_calloc(1, sizeof(*f));
    struct informer_options io = {
        .kind = &KIND_CONFIGMAP,
        .namespace = configmap_namespace,
        .field_selector = "metadata.name=extension-apiserver-authentication",
        .on_event = on_configmap,
        .ctx = f,
    };

    must(pthread_rwlock_init(&f->lock, NULL) == 0);
    f->serving = tls_keys_ref(serving);
    f->configmaps = informer_start(k, w, &io);
    return f;
}

void frontproxy_stop(struct frontproxy *f)
{
    if (!f)
        return;
    informer_stop(f->configmaps);
    requestheader_done(&f->now);
    tls_keys_unref(f->serving);
    pthread_rwlock_destroy(&f->lock);
    free(f);
}

bool frontproxy_is_ready(const struct frontproxy *f)
{
    struct frontproxy *mine = (struct frontproxy *)f;

    pthread_rwlock_rdlock(&mine->lock);
    bool is_ready = f->now.client_ca != NULL;
    pthread_rwlock_unlock(&mine->lock);
    return is_ready;
}

int frontproxy_authenticate(struct frontproxy *f, const struct http_call *c, struct caller *ret,
                            struct error *e)
{
    int r;

    pthread_rwlock_rdlock(&f->lock);
    if (f->now.client_ca)
        r = requestheader_authenticate(&f->now, http_call_peer(c), http_call_headers(c), ret, e);
    else
        r = error_set(e, ERR_UNAVAILABLE, "the front proxy's settings have not been read yet");
    pthread_rwlock_unlock(&f->lock);
    return r;
}
