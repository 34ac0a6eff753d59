/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/self_review.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static bool is_one_of(const char *word, const char *const *words, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (streq(words[i], word))
            return true;
    return false;
}

/* Anything that we would leave out of the question would make another question of it. */
static int check_attributes(const json_t *attributes, struct error *e)
{
    static const char *const keys[] = { "namespace", "verb",        "group", "version",
                                        "resource",  "subresource", "name" };
    static const char *const groups[] = { "kubevirt.io", SUBRESOURCE_GROUP };
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)attributes, key, value) {
        if (!is_one_of(key, keys, countof(keys)))
            return error_set(e, ERR_BAD_REQUEST,
                             "spec.resourceAttributes.%.60s: not answered on direct access", key);
        if (!json_is_string(value))
            return error_set(e, ERR_BAD_REQUEST, "spec.resourceAttributes.%s: not a text", key);
    }
    if (!is_one_of(jpath_str(attributes, "group", ""), groups, countof(groups)))
        return error_set(e, ERR_BAD_REQUEST,
                         "spec.resourceAttributes.group: only kubevirt.io and " SUBRESOURCE_GROUP
                         " are answered on direct access");
    return 0;
}

static int read_attributes(const struct http_call *c, json_t **ret, struct error *e)
{
    size_t len;
    const void *data = http_call_body(c, &len);
    json_auto_t *body = NULL;

    if (len > SELF_REVIEW_BODY_MAX)
        return error_set(e, ERR_TOO_LARGE, "the review is longer than %d bytes",
                         SELF_REVIEW_BODY_MAX);
    if (json_parse(&body, data, len, e) < 0)
        return error_wrap(e, "SelfSubjectAccessReview");

    json_t *attributes = jpath_obj(body, "spec.resourceAttributes");
    if (!attributes)
        return error_set(e, ERR_BAD_REQUEST, "spec.resourceAttributes: required");
    int r = check_attributes(attributes, e);
    if (r == 0)
        *ret = json_incref(attributes);
    return r;
}

/* 0 allowed, -ERR_FORBIDDEN, -ERR_UNAVAILABLE. */
static int decide(struct authz *a, const struct caller *who, const json_t *attributes,
                  struct error *e)
{
    json_t *asked = must_copy(attributes);

    if (caller_has_link(who) && !*jpath_str(asked, "name", "") &&
        !streq(jpath_str(asked, "verb", ""), "list"))
        jpath_set_str(asked, "name", who->only.name);
    int r = caller_check_machine(who, jpath_str(asked, "namespace", ""),
                                 jpath_str(asked, "name", ""), e);
    if (r == 0 && caller_has_link(who) && streq(jpath_str(asked, "subresource", ""), "link"))
        r = error_set(e, ERR_FORBIDDEN, "a link gives no further links");

    json_auto_t *spec = authz_spec_of(who, asked);
    return r < 0 ? r : authz_decide(a, spec, e);
}

int self_review(struct authz *a, const struct caller *who, const struct http_call *c, json_t **ret,
                struct error *e)
{
    json_auto_t *attributes = NULL;
    int r = read_attributes(c, &attributes, e);

    if (r < 0)
        return r;
    r = decide(a, who, attributes, e);
    if (r < 0 && r != -ERR_FORBIDDEN)
        return r;
    *ret = must_pack("{s:s, s:s, s:{}, s:{s:O}, s:{s:b}}", "apiVersion", "authorization.k8s.io/v1",
                     "kind", "SelfSubjectAccessReview", "metadata", "spec", "resourceAttributes",
                     attributes, "status", "allowed", r == 0);
    if (r < 0)
        jpath_set_str(*ret, "status.reason", e->msg);
    return 0;
}
