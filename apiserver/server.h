/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of virt-api: local paths, the page and webhooks are answered inline from
 * memory.  The rest needs to know who asks: inline by the front proxy's word, a ticket or
 * memory, else by a question on direct access' own threads (direct.h); then it is
 * authorised and run on a worker pool, so that what blocks never delays the others
 * (architecture, decision 7).
 */
#ifndef APISERVER_SERVER_H
#define APISERVER_SERVER_H

#include "apiserver/authz.h"
#include "apiserver/direct.h"
#include "apiserver/frontproxy.h"
#include "apiserver/local.h"
#include "apiserver/web.h"
#include "http/server.h"
#include "subresources/call.h"

struct webhooks;
struct pool;

struct server {
    struct local *local;
    struct webhooks *webhooks;
    struct frontproxy *frontproxy;
    struct direct *direct;        /* NULL: only the front proxy is believed */
    const struct web_file *files; /* of the page; NULL: none */
    struct authz *authz;
    struct pool *workers;
    struct sub_env env;
};

/* http_handler_fn; ctx is a struct server. */
http_handler_fn server_handle;

#endif
