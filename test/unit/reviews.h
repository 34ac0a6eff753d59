/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of webhooks share: one review, decided as its row of the table says. */
#ifndef TEST_UNIT_REVIEWS_H
#define TEST_UNIT_REVIEWS_H

#include "base/buf.h"
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "webhooks/hooks.h"

#define SA(name) "system:serviceaccount:kubevirt:kubevirt-" name

/* JSON with ' for ".  NULL is left out of the request. */
struct question {
    const char *path; /* of the webhook */
    const char *user; /* NULL: someone without rights of the installation */
    const char *object, *old;
    const char *request; /* further members of it */
    const char *config;  /* spec.configuration */
};

/*
 * "" when allowed, else "CODE message", or "Cause field" of every finding.  Warnings follow as
 * " ! text"; those of fields that nothing acts on yet only when they are asked for.  New.
 */
static inline char *decision_with(const struct question *q, struct kube *k, bool tells_inert)
{
    const struct webhook *hook = webhook_find(q->path);
    const struct kind *kind = hook && hook->kind ? hook->kind : &kind_vm;
    json_auto_t *object = json_q(q->object);
    json_auto_t *old = json_q(q->old);
    json_auto_t *more = json_q(q->request ? q->request : "{}");
    json_auto_t *kubevirt = json_q("{'spec':{'configuration':{}}}");
    scoped_buf got = BUF_INIT(0);
    struct cluster_config *config = NULL;
    struct error e = { 0 };

    assert_non_null(hook);
    if (q->config)
        jpath_set(kubevirt, "spec.configuration", json_q(q->config));
    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    json_auto_t *body = must_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:O?, s:O?}}",
                                  "kind", "AdmissionReview", "request", "uid", "u", "operation",
                                  !object ? "DELETE"
                                  : old   ? "UPDATE"
                                          : "CREATE",
                                  "namespace", "ns", "userInfo", "username",
                                  q->user ? q->user : "someone", "resource", "group", kind->group,
                                  "resource", kind->plural, "object", object, "oldObject", old);
    must(json_object_update(json_object_get(body, "request"), more) == 0);

    struct review rv = { .installation = "kubevirt",
                         .config = config,
                         .kube = webhook_asks(hook, body) ? k : NULL,
                         .takes_deletion = streq(hook->operations, "DELETE") };
    findings_init(&rv.findings);
    assert_int_equal(review_read(&rv, body, kind, &e), 0);
    hook->decide(&rv);
    if (rv.denied.code != ERR_NONE)
        (void)buf_addf(&got, "%d %s", error_http(rv.denied.code), rv.denied.msg);
    for (size_t i = 0; i < rv.findings.len; i++)
        (void)buf_addf(&got, "%s%s %s", i ? " " : "", cause_text(rv.findings.item[i].cause),
                       rv.findings.item[i].field);
    for (size_t i = 0; i < json_array_size(rv.warnings); i++) {
        const char *text = json_string_value(json_array_get(rv.warnings, i));
        if (tells_inert || !strstr(text, "cvirt does not act on "))
            (void)buf_addf(&got, " ! %s", text);
    }
    review_done(&rv);
    cluster_config_unref(config);
    return must_strdup(got.data ? got.data : "");
}

static inline char *decision_of(const struct question *q, struct kube *k)
{
    return decision_with(q, k, false);
}

/* The whole of it, or its beginning when `want` ends in "...". */
static inline void assert_decision(const char *got, const char *want)
{
    size_t len = strlen(want);

    if (str_has_suffix(want, "..."))
        len -= 3;
    else
        assert_string_equal(got, want);
    if (strncmp(got, want, len) != 0)
        assert_string_equal(got, want);
}

#endif
