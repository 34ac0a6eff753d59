/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTPS listener of virt-controller: /metrics, /healthz, /leader.  Answers from memory, on the
 * server's loop. */
#ifndef CONTROLLER_SERVER_H
#define CONTROLLER_SERVER_H

#include <stdbool.h>

#include "base/error.h"
#include "controller/settings.h"

struct server;

/* Listening when it returns; a certificate that is not there yet is replaced by one made in memory.
 */
int server_start(struct server **ret, const struct settings *settings, const char *namespace,
                 struct error *e);
void server_stop(struct server *s); /* and free */
int server_port(const struct server *s);

/* What /leader says.  Any thread. */
void server_set_leading(struct server *s, bool is_leading);
/* Look at the certificate's files; call every few seconds from one thread. */
void server_poll_certificate(struct server *s);

#endif
