/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/server.h"

#include "base/must.h"
#include "base/pool.h"
#include "base/str.h"
#include "webhooks/webhooks.h"

/* One subresource request between authentication and its handler. */
struct job {
    struct server *server;
    struct http_call *http;
    struct route_match match;
    struct caller who;
    json_t *review; /* SubjectAccessReview spec */
};

static void job_free(struct job *j)
{
    caller_done(&j->who);
    json_decref(j->review);
    free(j);
}

static void refuse(struct http_call *c, const struct error *e, const struct route_match *match)
{
    json_auto_t *details = NULL;

    if (match)
        details = must_pack("{s:s, s:s, s:s}", "name", match->name, "group", SUBRESOURCE_GROUP,
                            "kind", route_plural(match->target));
    http_reply_error(c, e, details);
}

/* On a worker thread. */
static void job_run(void *arg)
{
    struct job *j = arg;
    struct error e = { 0 };
    int r = 0;

    switch (authz_recall(j->server->authz, j->review, &e)) {
    case AUTHZ_ALLOWED:
        break;
    case AUTHZ_DENIED:
        r = -(int)e.code;
        break;
    case AUTHZ_UNKNOWN:
        r = authz_review(j->server->authz, j->review, &e);
        break;
    }
    if (r < 0)
        refuse(j->http, &e, &j->match);
    else
        sub_call_run(&j->server->env, j->http, &j->match, j->who.info);
    job_free(j);
}

static void serve_subresource(struct server *s, struct http_call *c,
                              const struct route_match *match)
{
    struct caller who = { 0 };
    struct error e = { 0 };

    if (frontproxy_authenticate(s->frontproxy, c, &who, &e) < 0) {
        refuse(c, &e, match);
        return;
    }

    struct job *j = must_calloc(1, sizeof(*j));
    j->server = s;
    j->http = c;
    j->match = *match;
    j->who = who;
    j->review = authz_spec(&who, match);

    http_keep(c);
    if (pool_run(s->workers, job_run, j))
        return;

    error_set(&e, ERR_TOO_MANY, "virt-api has too many requests in hand: try again in a second");
    http_call_set_header(c, "Retry-After", "1");
    refuse(c, &e, match);
    job_free(j);
}

void server_handle(struct http_call *c, void *ctx)
{
    struct server *s = ctx;
    struct route_match match;
    struct error e = { 0 };

    if (local_serve(s->local, c) || webhooks_serve(s->webhooks, c))
        return;

    if (!route_match(http_call_method(c), http_call_path(c), &match)) {
        error_set(&e, ERR_NOT_FOUND, "the server could not find the requested resource");
        refuse(c, &e, NULL);
    } else if (!match.route) {
        http_call_set_header(c, "Allow", match.allow);
        error_set(&e, ERR_METHOD_NOT_ALLOWED, "%s is used with %s",
                  *match.subresource ? match.subresource : route_plural(match.target), match.allow);
        refuse(c, &e, &match);
    } else {
        serve_subresource(s, c, &match);
    }
}
