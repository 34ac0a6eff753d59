/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/server.h"

#include <string.h>

#include "apiserver/reads.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/token.h"
#include "webhooks/webhooks.h"

/* One request on its way from its loop to whoever answers it. */
struct job {
    struct server *server;
    struct http_call *http;
    struct caller who;
    char *token;              /* while nobody knows whose it is */
    bool is_read;             /* which of the two it asks for: */
    struct route_match match; /* a subresource */
    struct read_match read;   /* what the page reads on direct access */
};

static void job_free(struct job *j)
{
    caller_done(&j->who);
    token_wipe(j->token);
    free(j);
}

static void refuse(struct http_call *c, const struct error *e, const struct route_match *match)
{
    json_auto_t *details = NULL;

    if (match)
        details = must_pack("{s:s, s:s, s:s}", "name", match->name, "group", SUBRESOURCE_GROUP,
                            "kind", route_plural(match->target));
    if (e->code == ERR_UNAUTHORIZED)
        http_call_set_header(c, "WWW-Authenticate", "Bearer");
    http_reply_error(c, e, details);
}

static void job_refuse(struct job *j, const struct error *e)
{
    refuse(j->http, e, j->is_read ? NULL : &j->match);
    job_free(j);
}

static void job_refuse_busy(struct job *j)
{
    struct error e;

    error_set(&e, ERR_TOO_MANY, "virt-api has too many requests in hand: try again in a second");
    http_call_set_header(j->http, "Retry-After", "1");
    job_refuse(j, &e);
}

static int authorise(struct job *j, struct error *e)
{
    int r = caller_check_machine(&j->who, j->match.namespace, j->match.name, e);
    if (r < 0)
        return r;

    json_auto_t *spec = authz_spec(&j->who, &j->match);
    r = authz_decide(j->server->authz, spec, e);
    if (r == 0)
        memcpy(j->match.machine_uid, j->who.only.machine_uid, sizeof(j->match.machine_uid));
    return r;
}

/* On a worker thread: it is known who asks. */
static void job_run(void *arg)
{
    struct job *j = arg;
    struct server *s = j->server;
    struct error e = { 0 };

    if (j->is_read) {
        reads_serve(s->env.kube, s->authz, &j->who, &j->read, j->http);
    } else if (authorise(j, &e) < 0) {
        job_refuse(j, &e);
        return;
    } else {
        sub_call_run(&s->env, j->http, &j->match, j->who.info);
    }
    job_free(j);
}

static void job_work(struct job *j)
{
    if (!pool_run(j->server->workers, job_run, j))
        job_refuse_busy(j);
}

/* On a thread of direct access: nobody knows yet who asks. */
static void job_identify(void *arg)
{
    struct job *j = arg;
    struct error e = { 0 };
    int r = direct_ask(j->server->direct, j->token, &j->who, &e);

    token_wipe(TAKE(j->token));
    if (r < 0)
        job_refuse(j, &e);
    else
        job_work(j);
}

/* A kept call.  On the loop. */
static void job_start(struct job *j)
{
    struct server *s = j->server;
    struct error e = { 0 };
    int r;

    if (s->direct && !http_call_peer(j->http)->is_verified)
        r = direct_recognise(s->direct, j->http, &j->who, &j->token, &e);
    else
        r = frontproxy_authenticate(s->frontproxy, j->http, &j->who, &e);

    if (r < 0)
        job_refuse(j, &e);
    else if (!j->token)
        job_work(j);
    else if (!direct_queue(s->direct, job_identify, j))
        job_refuse_busy(j);
}

static struct job *job_new(struct server *s, struct http_call *c)
{
    struct job *j = must_calloc(1, sizeof(*j));

    j->server = s;
    j->http = c;
    http_keep(c);
    return j;
}

static void serve_subresource(struct server *s, struct http_call *c,
                              const struct route_match *match)
{
    struct error e = { 0 };

    if (!match->route) {
        http_call_set_header(c, "Allow", match->allow);
        error_set(&e, ERR_METHOD_NOT_ALLOWED, "%s is used with %s",
                  *match->subresource ? match->subresource : route_plural(match->target),
                  match->allow);
        refuse(c, &e, match);
        return;
    }

    struct job *j = job_new(s, c);
    j->match = *match;
    job_start(j);
}

static void serve_read(struct server *s, struct http_call *c, const struct read_match *read)
{
    const enum http_method method = read_method(read);
    struct error e = { 0 };

    if (http_call_method(c) != method) {
        http_call_set_header(c, "Allow", http_method_name(method));
        error_set(&e, ERR_METHOD_NOT_ALLOWED,
                  "on direct access this is used with %s: for anything else go to kube-apiserver",
                  http_method_name(method));
        refuse(c, &e, NULL);
        return;
    }

    struct job *j = job_new(s, c);
    j->is_read = true;
    j->read = *read;
    job_start(j);
}

void server_handle(struct http_call *c, void *ctx)
{
    struct server *s = ctx;
    struct route_match match;
    struct read_match read;
    struct error e = { 0 };
    const bool is_direct = s->direct && !http_call_peer(c)->is_verified;

    if (is_direct && direct_share(s->direct, c))
        return;
    if (web_serve(s->files, c) || local_serve(s->local, c) || webhooks_serve(s->webhooks, c))
        return;

    if (route_match(http_call_method(c), http_call_path(c), &match)) {
        serve_subresource(s, c, &match);
    } else if (is_direct && read_match(http_call_path(c), &read)) {
        serve_read(s, c, &read);
    } else {
        error_set(&e, ERR_NOT_FOUND, "the server could not find the requested resource");
        refuse(c, &e, NULL);
    }
}
