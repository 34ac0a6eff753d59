/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of virt-api: local paths and webhooks are answered inline from
 * memory; a subresource is authenticated inline, then authorised and run on a
 * worker pool, so that what blocks never delays the others (architecture, decision 7).
 */
#ifndef APISERVER_SERVER_H
#define APISERVER_SERVER_H

#include "apiserver/authz.h"
#include "apiserver/frontproxy.h"
#include "apiserver/local.h"
#include "http/server.h"
#include "subresources/call.h"

struct webhooks;
struct pool;

struct server {
    struct local *local;
    struct webhooks *webhooks;
    struct frontproxy *frontproxy;
    struct authz *authz;
    struct pool *workers;
    struct sub_env env;
};

/* http_handler_fn; ctx is a struct server. */
http_handler_fn server_handle;

#endif
