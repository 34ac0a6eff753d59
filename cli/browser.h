/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loopback proxy behind --browser: serves the page to the browser of this host, and makes its
 * requests with the identity of the kubeconfig.  Whoever may ask is told by a cookie that a secret
 * in the printed address buys, once; see browser_rules.h for what may be asked.
 *
 * Threads: one loop for connections, a pool for calls to the API server, a thread a stream.
 */
#ifndef CLI_BROWSER_H
#define CLI_BROWSER_H

#include "cli/cli.h"

struct browser;

int browser_start(struct browser **ret, struct cli *c, int port, struct error *e);
/* Waits until the browser has left its streams. */
void browser_stop(struct browser *b);

/* "http://127.0.0.1:PORT/login?secret=S#/NS/NAME/VIEW"; good for one use.  New. */
char *browser_url(const struct browser *b, const char *name, const char *view);

#endif
