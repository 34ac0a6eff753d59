/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the API server for its version every few seconds on a thread of its
 * own, so that health answers never wait for it.
 */
#ifndef APISERVER_PROBER_H
#define APISERVER_PROBER_H

#include <jansson.h>
#include <stdbool.h>

struct prober;
struct kube;

struct prober *prober_start(struct kube *k);
void prober_stop(struct prober *p);

/* {"apiserver": {"connectivity": "ok"|"failed", "version": {...}|"error": "..."}}; new.  Any
 * thread. */
json_t *prober_report(struct prober *p, bool *ret_ok);

#endif
