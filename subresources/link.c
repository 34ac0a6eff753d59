/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/link.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/token.h"
#include "subresources/call.h"
#include "subresources/ticket.h"

struct wanted {
    long long duration_ms;
    const char *view;
};

static int read_wanted(const json_t *body, struct wanted *ret, struct error *e)
{
    const char *duration = jpath_str(body, "duration", "");

    ret->duration_ms = LINK_MS_DEFAULT;
    ret->view = jpath_str(body, "view", "screen");
    if (*duration && duration_parse(duration, &ret->duration_ms) < 0)
        return error_set(e, ERR_BAD_REQUEST, "duration: \"%.60s\" is none; write 10m or 1h30m",
                         duration);
    if (ret->duration_ms < 1000 || ret->duration_ms > LINK_MS_MAX)
        return error_set(e, ERR_BAD_REQUEST, "duration: a link lives from 1s to %dm",
                         LINK_MS_MAX / 60000);
    if (!streq(ret->view, "screen") && !streq(ret->view, "console"))
        return error_set(e, ERR_BAD_REQUEST, "view: \"%.60s\" is neither screen nor console",
                         ret->view);
    return 0;
}

static json_t *answer(const struct sub_call *c, const struct wanted *wanted, const char *token,
                      int64_t until_ms)
{
    const char *base = c->env->links.external_url;
    char until[RFC3339_MAX];
    scoped(token_wipe) char *path = must_asprintf("/ui/#/%s/%s/%s?token=%s", c->match.namespace,
                                                  c->match.name, wanted->view, token);
    scoped(token_wipe) char *url =
        base && *base ? must_asprintf("%s%s", base, path) : must_strdup("");

    return must_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind", "VirtualMachineInstanceLink",
                     "apiVersion", SUBRESOURCE_GROUP "/v1", "token", token, "expirationTimestamp",
                     rfc3339(until_ms, until), "path", path, "url", url);
}

static int make(struct sub_call *c, json_t **ret, struct error *e)
{
    json_auto_t *vmi = NULL;
    struct wanted wanted;
    scoped(token_wipe) char *token = NULL;

    if (!c->env->links.keys)
        return error_set(e, ERR_UNAVAILABLE, "links are not given: direct access is off");
    if (*c->match.machine_uid)
        return error_set(e, ERR_FORBIDDEN, "a link gives no further links: use your own identity");
    int r = read_wanted(c->body, &wanted, e);
    if (r == 0)
        r = sub_get_vmi(c, &vmi, e);
    if (r < 0)
        return r;

    struct ticket t = { .user = c->caller,
                        .until_ms = clock_wall_ms(&clock_real) + wanted.duration_ms };
    (void)snprintf(t.namespace, sizeof(t.namespace), "%s", c->match.namespace);
    (void)snprintf(t.name, sizeof(t.name), "%s", c->match.name);
    (void)snprintf(t.machine_uid, sizeof(t.machine_uid), "%s", machine_uid(vmi));
    r = ticket_seal(&t, c->env->links.keys, &token, e);
    if (r < 0)
        return r;

    *ret = answer(c, &wanted, token, t.until_ms);
    if (c->is_dry_run)
        return 0;
    log_info("a link was given", "namespace", c->match.namespace, "name", c->match.name, "user",
             jpath_str(c->caller, "username", ""), "ticket", t.id, "until",
             jpath_str(*ret, "expirationTimestamp", ""));
    return 0;
}

void vmi_link(struct sub_call *c)
{
    json_auto_t *link = NULL;
    struct error e = { 0 };

    if (make(c, &link, &e) < 0) {
        sub_reply_error(c, &e);
    } else if (c->is_dry_run) {
        sub_reply_empty(c, 200);
    } else {
        http_call_set_header(c->http, "Cache-Control", "no-store");
        sub_reply_json(c, 200, link);
    }
}
