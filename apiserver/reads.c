/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/reads.h"

#include <stdio.h>
#include <string.h>

#include "apiserver/self_review.h"
#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"

static const char collections[] = "/apis/kubevirt.io/v1/namespaces/";
static const char self_reviews[] = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

static const struct kube_kind *const kinds[] = { &KIND_VM, &KIND_VMI };

/* The part of a path up to the next slash; false when it is empty or does not fit. */
static bool take_segment(const char **path, char *out, size_t size)
{
    const size_t len = strcspn(*path, "/");

    if (len == 0 || len >= size)
        return false;
    memcpy(out, *path, len);
    out[len] = '\0';
    *path += len + ((*path)[len] == '/');
    return true;
}

static bool match_object(const char *path, struct read_match *ret)
{
    char plural[64];

    if (!take_segment(&path, ret->namespace, sizeof(ret->namespace)) ||
        !is_dns_label(ret->namespace) || !take_segment(&path, plural, sizeof(plural)))
        return false;
    for (size_t i = 0; i < countof(kinds); i++)
        if (streq(kinds[i]->plural, plural))
            ret->kind = kinds[i];
    if (!ret->kind)
        return false;
    if (*path == '\0')
        return true;
    return take_segment(&path, ret->name, sizeof(ret->name)) && is_dns_subdomain(ret->name) &&
           *path == '\0';
}

bool read_match(const char *path, struct read_match *ret)
{
    *ret = (struct read_match){ 0 };
    if (str_has_prefix(path, self_reviews)) {
        const char *rest = path + sizeof(self_reviews) - 1;

        return *rest == '\0' || streq(rest, "/");
    }
    return str_has_prefix(path, collections) && match_object(path + sizeof(collections) - 1, ret);
}

enum http_method read_method(const struct read_match *m)
{
    return m->kind ? HTTP_GET : HTTP_POST;
}

/* ---- objects ---- */

static int limit_of(const struct http_call *c, long long *ret, struct error *e)
{
    const char *text = http_call_query(c, "limit");

    *ret = READS_PAGE_MAX;
    if (!text || !*text)
        return 0;
    if (str_to_int(text, 0, INT32_MAX, ret) < 0)
        return error_set(e, ERR_BAD_REQUEST, "limit: not a number of objects");
    if (*ret == 0 || *ret > READS_PAGE_MAX)
        *ret = READS_PAGE_MAX;
    return 0;
}

/* The list's path at the API server with what of the query may be passed on; new, or NULL. */
static char *list_path(const struct read_match *m, const struct http_call *c, struct error *e)
{
    static const char *const passed_on[] = { "continue", "labelSelector", "fieldSelector" };
    scoped(free) char *path = kube_path(m->kind, m->namespace, NULL, NULL);
    scoped_buf text = BUF_INIT(0);
    const char *watch = http_call_query(c, "watch");
    long long limit;

    if (watch && !streq(watch, "false") && !streq(watch, "0")) {
        error_set(e, ERR_BAD_REQUEST, "watch: on direct access lists are read, not watched");
        return NULL;
    }
    if (limit_of(c, &limit, e) < 0)
        return NULL;
    (void)buf_addf(&text, "%s?limit=%lld", path, limit);
    for (size_t i = 0; i < countof(passed_on); i++) {
        const char *value = http_call_query(c, passed_on[i]);
        scoped(free) char *escaped = value && *value ? http_escape(value) : NULL;

        if (escaped)
            (void)buf_addf(&text, "&%s=%s", passed_on[i], escaped);
    }
    return buf_take(&text);
}

/* Who changed which field when is of no use to a page, and half of the object. */
static void trim(json_t *obj)
{
    json_object_del(json_object_get(obj, "metadata"), "managedFields");
}

static int read_list(struct kube *k, const struct read_match *m, const struct http_call *c,
                     json_t **ret, struct error *e)
{
    scoped(free) char *path = list_path(m, c, e);
    size_t i;
    json_t *item;

    if (!path)
        return -(int)e->code;
    int r = kube_raw(k, HTTP_GET, path, NULL, ret, e);
    if (r < 0)
        return r;
    json_array_foreach(json_object_get(*ret, "items"), i, item)
        trim(item);
    return 0;
}

static int read_one(struct kube *k, const struct caller *who, const struct read_match *m,
                    json_t **ret, struct error *e)
{
    int r = kube_get(k, m->kind, m->namespace, m->name, ret, e);

    if (r < 0)
        return r;
    trim(*ret);
    return caller_check_object(who, *ret, e);
}

static int read_objects(struct kube *k, struct authz *a, const struct caller *who,
                        const struct read_match *m, const struct http_call *c, json_t **ret,
                        struct error *e)
{
    int r = caller_check_machine(who, m->namespace, m->name, e);
    if (r < 0)
        return r;

    json_auto_t *spec = authz_spec_of(
        who, must_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "group", m->kind->group, "version",
                       m->kind->version, "namespace", m->namespace, "resource", m->kind->plural,
                       "name", m->name, "verb", *m->name ? "get" : "list"));
    r = authz_decide(a, spec, e);
    if (r < 0)
        return r;
    return *m->name ? read_one(k, who, m, ret, e) : read_list(k, m, c, ret, e);
}

void reads_serve(struct kube *k, struct authz *a, const struct caller *who,
                 const struct read_match *m, struct http_call *c)
{
    struct error e = { 0 };
    json_auto_t *answer = NULL;
    int r =
        m->kind ? read_objects(k, a, who, m, c, &answer, &e) : self_review(a, who, c, &answer, &e);

    http_call_set_header(c, "Cache-Control", "no-store");
    if (r < 0)
        http_reply_error(c, &e, NULL);
    else
        http_reply_json(c, m->kind ? 200 : 201, answer);
}
