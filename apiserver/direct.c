/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/direct.h"

#include <stdio.h>

#include "apiserver/bearer.h"
#include "apiserver/tokens.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/token.h"
#include "subresources/ticket.h"

enum { ASKERS = 8, ASKERS_QUEUE_MAX = 64 };

struct direct {
    const struct clock *clock;
    struct tls_keys *keys;
    const struct option_list *allowed_origins;
    struct tokens *tokens;
    struct pool *askers;
};

struct direct *direct_new(const struct direct_options *o)
{
    struct direct *d = must_calloc(1, sizeof(*d));

    d->clock = o->clock;
    d->keys = tls_keys_ref(o->keys);
    d->allowed_origins = o->allowed_origins;
    d->tokens = tokens_new(o->kube, o->clock);
    d->askers = pool_new("token", ASKERS, ASKERS_QUEUE_MAX);
    return d;
}

void direct_stop(struct direct *d)
{
    if (d && d->askers)
        pool_free(TAKE(d->askers));
}

void direct_free(struct direct *d)
{
    if (!d)
        return;
    direct_stop(d);
    tokens_free(d->tokens);
    tls_keys_unref(d->keys);
    free(d);
}

bool direct_share(struct direct *d, struct http_call *c)
{
    const char *origin = origin_of_friend(http_call_headers(c), d->allowed_origins);

    if (!origin)
        return false;
    http_call_set_header(c, "Access-Control-Allow-Origin", origin);
    http_call_set_header(c, "Vary", "Origin");
    if (http_call_method(c) != HTTP_OPTIONS ||
        !http_call_header(c, "Access-Control-Request-Method"))
        return false;
    http_call_set_header(c, "Access-Control-Allow-Methods", "GET, POST, PUT");
    http_call_set_header(c, "Access-Control-Allow-Headers", "Authorization, Content-Type, Accept");
    http_call_set_header(c, "Access-Control-Max-Age", "600");
    http_reply(c, 204, NULL, NULL, 0);
    return true;
}

static int recognise_ticket(const struct direct *d, const char *text, struct caller *ret,
                            struct error *e)
{
    struct ticket t;
    int r = ticket_open(text, d->keys, clock_wall_ms(d->clock), &t, e);

    if (r < 0)
        return r;
    ret->info = TAKE(t.user);
    memcpy(ret->only.namespace, t.namespace, sizeof(ret->only.namespace));
    memcpy(ret->only.name, t.name, sizeof(ret->only.name));
    memcpy(ret->only.machine_uid, t.machine_uid, sizeof(ret->only.machine_uid));
    ticket_done(&t);
    return 1;
}

int direct_recognise(struct direct *d, const struct http_call *c, struct caller *ret,
                     char **ret_token, struct error *e)
{
    const struct http_headers *headers = http_call_headers(c);
    scoped(token_wipe) char *token = NULL;

    *ret = (struct caller){ 0 };
    *ret_token = NULL;
    int r = origin_check(headers, d->allowed_origins, e);
    if (r == 0)
        r = bearer_refuse_impersonation(headers, e);
    if (r < 0)
        return r;
    r = bearer_read(headers, &token, e);
    if (r < 0)
        return r;
    if (r == 0)
        return error_set(e, ERR_UNAUTHORIZED,
                         "who are you?  Come through kube-apiserver, or with a bearer token that "
                         "it accepts, or with a link (kubectl virt vnc NAME --link)");
    if (ticket_is_one(token))
        return recognise_ticket(d, token, ret, e);

    r = tokens_recall(d->tokens, token, ret, e);
    if (r == 0)
        *ret_token = TAKE(token);
    return r;
}

bool direct_queue(struct direct *d, pool_fn *fn, void *arg)
{
    return d->askers && pool_run(d->askers, fn, arg);
}

int direct_ask(struct direct *d, const char *token, struct caller *ret, struct error *e)
{
    return tokens_review(d->tokens, token, ret, e);
}
