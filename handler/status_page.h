/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTPS listener of --port: /metrics and /healthz.  A thread of its own (http/'s). */
#ifndef HANDLER_STATUS_PAGE_H
#define HANDLER_STATUS_PAGE_H

#include "base/error.h"

struct informer;
struct status_page;
struct tls_keys;

struct status_page_options {
    const char *address;
    int port;
    struct tls_keys *keys;
    struct informer *vmis; /* health: does it hear from the API server? */
};

int status_page_start(struct status_page **ret, const struct status_page_options *o,
                      struct error *e);
void status_page_stop(struct status_page *p);

#endif
