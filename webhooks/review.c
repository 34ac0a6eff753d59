/* SPDX-License-Identifier: Apache-2.0 */
#include "webhooks/review.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/jwrite.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum { WARNINGS_MAX = 16 }; /* of 256 bytes each: kube-apiserver takes 4096 */

/* The installation's own service accounts, which may write what users may not (spec 02, section 0).
 */
static const char *const own_accounts[] = {
    "kubevirt-apiserver",
    "kubevirt-controller",
    "kubevirt-handler",
    "kubevirt-synchronization-controller",
};

static bool is_own_account(const char *user, const char *installation)
{
    static const char prefix[] = "system:serviceaccount:";

    if (!str_has_prefix(user, prefix))
        return false;

    const char *ns = user + sizeof(prefix) - 1;
    size_t len = strlen(installation);
    if (strncmp(ns, installation, len) != 0 || ns[len] != ':')
        return false;
    for (size_t i = 0; i < countof(own_accounts); i++)
        if (streq(ns + len + 1, own_accounts[i]))
            return true;
    return false;
}

void review_warn(struct review *rv, const char *fmt, ...)
{
    char text[256]; /* what kubectl shows of one warning */
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    str_make_utf8(text); /* where it was cut */

    if (!rv->warnings)
        rv->warnings = json_array();
    if (json_array_size(rv->warnings) < WARNINGS_MAX)
        must_append(rv->warnings, json_string(text));
}

bool review_is_changed(const struct review *rv, const char *path)
{
    const json_t *now = jpath(rv->object, path);
    const json_t *before = jpath(rv->old, path);

    return now != before && !json_equal(now, before); /* both may be absent */
}

int review_read(struct review *rv, const json_t *body, const struct kind *kind, struct error *e)
{
    const json_t *request = jpath_obj(body, "request");

    if (!streq(jpath_str(body, "kind", ""), "AdmissionReview") || !request)
        return error_set(e, ERR_BAD_REQUEST, "the body is not an AdmissionReview with a request");

    rv->request = request;
    rv->kind = kind;
    rv->uid = jpath_str(request, "uid", "");
    rv->operation = jpath_str(request, "operation", "");
    rv->namespace = jpath_str(request, "namespace", "");
    rv->user = jpath_str(request, "userInfo.username", "");
    rv->object = jpath_obj(request, "object");
    rv->old = jpath_obj(request, "oldObject");
    rv->is_create = streq(rv->operation, "CREATE");
    rv->is_update = streq(rv->operation, "UPDATE");
    rv->is_delete = rv->takes_deletion && streq(rv->operation, "DELETE");
    rv->is_status = streq(jpath_str(request, "subResource", ""), "status");
    rv->is_dry_run = jpath_bool(request, "dryRun", false);
    rv->is_own_account = is_own_account(rv->user, rv->installation);

    if (!*rv->uid)
        return error_set(e, ERR_BAD_REQUEST, "request.uid: is missing");
    if (!rv->is_create && !rv->is_update && !rv->is_delete)
        return error_set(e, ERR_BAD_REQUEST, "request.operation: \"%s\" is not reviewed here",
                         rv->operation);
    if (!rv->object && !rv->is_delete)
        return error_set(e, ERR_BAD_REQUEST, "request.object: is missing or not an object");
    if ((rv->is_update || rv->is_delete) && !rv->old)
        return error_set(e, ERR_BAD_REQUEST, "request.oldObject: is missing or not an object");

    const char *plural = jpath_str(request, "resource.resource", "");
    if (!streq(plural, kind->plural) ||
        !streq(jpath_str(request, "resource.group", ""), kind->group))
        return error_set(e, ERR_BAD_REQUEST, "request.resource: expected %s.%s, got %s",
                         kind->plural, kind->group, plural);
    return 0;
}

void review_done(struct review *rv)
{
    findings_done(&rv->findings);
    json_decref(rv->changed);
    json_decref(rv->warnings);
}

/* ---- the answer, written as text: most are a hundred bytes, and one a request ---- */

static void add_text(struct buf *out, const char *s)
{
    jwrite_string(out, s, strlen(s));
}

static void add_json(struct buf *out, const char *key, const json_t *v)
{
    (void)buf_addf(out, ",\"%s\":", key);
    jwrite(out, v);
}

static json_t *refusal(const struct review *rv)
{
    if (rv->denied.code != ERR_NONE) {
        json_t *status = must_pack("{s:i, s:s}", "code", error_http(rv->denied.code), "reason",
                                   error_reason(rv->denied.code));
        jpath_set_str(status, "message", rv->denied.msg);
        return status;
    }

    scoped(free) char *message = findings_message(&rv->findings);
    json_t *status = must_pack("{s:i, s:s, s:{s:o}}", "code", 422, "reason", "Invalid", "details",
                               "causes", findings_causes(&rv->findings));
    jpath_set_str(status, "message", message);
    return status;
}

/* Minimal, so that two mutating webhooks do not undo each other's work. */
static void add_patch(struct buf *out, const json_t *before, const json_t *after)
{
    scoped_buf patch = BUF_INIT(0);

    if (!jpatch_write(&patch, before, after))
        return;
    (void)buf_adds(out, ",\"patchType\":\"JSONPatch\",\"patch\":\"");
    (void)buf_add_base64(out, patch.data, patch.len);
    (void)buf_adds(out, "\"");
}

void review_answer(const struct review *rv, const json_t *body, struct buf *out)
{
    bool is_refused = review_is_refused(rv);

    (void)buf_adds(out, "{\"kind\":\"AdmissionReview\",\"apiVersion\":");
    add_text(out, jpath_str(body, "apiVersion", "admission.k8s.io/v1"));
    (void)buf_adds(out, ",\"response\":{\"uid\":");
    add_text(out, rv->uid);
    (void)buf_adds(out, is_refused ? ",\"allowed\":false" : ",\"allowed\":true");
    if (is_refused) {
        json_auto_t *status = refusal(rv);
        add_json(out, "status", status);
    } else if (rv->changed) {
        add_patch(out, rv->object, rv->changed);
    }
    if (rv->warnings)
        add_json(out, "warnings", rv->warnings);
    (void)buf_adds(out, "}}");
}
