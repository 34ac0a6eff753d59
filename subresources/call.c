/* SPDX-License-Identifier: Apache-2.0 */
/* A subresource call: its body, its objects, its answers. */
#include "subresources/call.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"
#include "kube/yaml.h"
#include "openapi/findings.h"
#include "openapi/validate.h"
#include "subresources/ticket.h"

enum { OPTIONS_BODY_MAX = 64 * 1024, RETRY_AFTER_S = 5 };

const char sub_shutting_down[] = "virt-api is shutting down: try again";

bool vmi_is_running(const json_t *vmi)
{
    return streq(jpath_str(vmi, "status.phase", ""), "Running");
}

void sub_call_free(struct sub_call *c)
{
    json_decref(c->caller);
    json_decref(c->body);
    free(c);
}

void sub_reply_empty(struct sub_call *c, int status)
{
    http_reply(c->http, status, NULL, NULL, 0);
    sub_call_free(c);
}

void sub_reply_json(struct sub_call *c, int status, const json_t *v)
{
    http_reply_json(c->http, status, v);
    sub_call_free(c);
}

void sub_reply_error(struct sub_call *c, const struct error *e)
{
    json_auto_t *details = must_pack("{s:s, s:s, s:s}", "name", c->match.name, "group",
                                     "kubevirt.io", "kind", route_singular(c->match.target));

    if (e->code == ERR_TOO_MANY) {
        scoped(free) char *seconds = must_asprintf("%d", RETRY_AFTER_S);

        http_call_set_header(c->http, "Retry-After", seconds);
        must_set(details, "retryAfterSeconds", json_integer(RETRY_AFTER_S));
    }
    http_reply_error(c->http, e, details);
    sub_call_free(c);
}

int sub_conflict(const struct sub_call *c, enum route_target t, struct error *e, const char *why)
{
    return error_set(e, ERR_CONFLICT, "Operation cannot be fulfilled on %s.kubevirt.io \"%s\": %s",
                     route_singular(t), c->match.name, why);
}

int sub_check_websocket(const struct sub_call *c, struct error *e)
{
    const struct http_headers *h = http_call_headers(c->http);

    if (http_headers_has_token(h, "Upgrade", "websocket") &&
        http_headers_has_token(h, "Connection", "upgrade") &&
        http_headers_get(h, "Sec-WebSocket-Key"))
        return 0;
    return error_set(
        e, ERR_BAD_REQUEST,
        "%s is a websocket: send an Upgrade request (kubectl virt has a command for it)",
        c->match.subresource);
}

const char *sub_caller_name(const struct sub_call *c)
{
    return jpath_str(c->caller, "username", "");
}

static int get_object(struct sub_call *c, enum route_target t, const struct kube_kind *kind,
                      json_t **ret, struct error *e)
{
    int r = kube_get(c->env->kube, kind, c->match.namespace, c->match.name, ret, e);

    if (r == -ERR_NOT_FOUND)
        return error_set(e, ERR_NOT_FOUND, "%s.kubevirt.io \"%s\" not found", route_singular(t),
                         c->match.name);
    if (r == 0 && *c->match.machine_uid && !streq(machine_uid(*ret), c->match.machine_uid)) {
        json_decref(*ret);
        *ret = NULL;
        return error_set(e, ERR_FORBIDDEN,
                         "this link was given for an earlier machine of the name \"%s\": ask for a "
                         "new one",
                         c->match.name);
    }
    return r;
}

int sub_get_vm(struct sub_call *c, json_t **ret, struct error *e)
{
    return get_object(c, ROUTE_VM, &KIND_VM, ret, e);
}

int sub_get_vmi(struct sub_call *c, json_t **ret, struct error *e)
{
    return get_object(c, ROUTE_VMI, &KIND_VMI, ret, e);
}

/* dryRun is a list of which only ["All"] has a meaning, as in every Kubernetes request. */
static int read_dry_run(struct sub_call *c, struct error *e)
{
    const json_t *list = jpath_arr(c->body, "dryRun");
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item) {
        if (!streq(json_string_value(item), "All"))
            return error_set(e, ERR_BAD_REQUEST, "dryRun: the only value is \"All\"");
        c->is_dry_run = true;
    }
    return 0;
}

/* YAML or JSON; an empty body means no options. */
static int read_body(struct sub_call *c, struct error *e)
{
    size_t len;
    const void *data = http_call_body(c->http, &len);

    c->body = NULL;
    if (len == 0 || !c->match.route->body) {
        c->body = json_object();
        return 0;
    }
    if (len > OPTIONS_BODY_MAX)
        return error_set(e, ERR_TOO_LARGE, "the options are longer than %d bytes",
                         OPTIONS_BODY_MAX);
    if (yaml_parse(&c->body, data, len, e) < 0)
        return error_wrap(e, "Can not unmarshal Request body to struct");
    if (json_is_null(c->body)) {
        json_decref(c->body);
        c->body = json_object();
    }

    scoped_findings found;
    findings_init(&found);
    schema_check(c->match.route->body, c->body, NULL, &found);
    if (findings_any(&found)) {
        scoped(free) char *text = findings_message(&found);

        return error_set(e, ERR_BAD_REQUEST, "Can not unmarshal Request body to struct: %s", text);
    }
    return read_dry_run(c, e);
}

void sub_call_run(struct sub_env *env, struct http_call *http, const struct route_match *match,
                  json_t *caller)
{
    struct sub_call *c = must_calloc(1, sizeof(*c));
    struct error e = { 0 };

    c->env = env;
    c->http = http;
    c->match = *match;
    c->caller = json_incref(caller);
    if (read_body(c, &e) < 0) {
        sub_reply_error(c, &e);
        return;
    }
    match->route->handler(c);
}
