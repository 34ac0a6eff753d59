/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port 8186 (spec 05, 1.2): what virt-api asks of a machine on this node, over
 * mTLS.  Calls go to the launcher on a pool; streams are dialled on another, upgraded and
 * relayed to the websocket thread.
 */
#ifndef HANDLER_STREAMS_H
#define HANDLER_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct event_recorder;
struct streams;
struct tls_keys;
struct vmi_controller;

struct streams_options {
    const char *address;
    int port;
    struct tls_keys *keys;
    struct tls_keys *vsock_keys; /* shown to guests that are asked over VSOCK */
    bool any_cn;                 /* --externally-managed: the chain alone decides */
    const char *pods_dir;
    size_t viewers_max; /* sessions of one console or screen */
    struct vmi_controller *vmis;
    struct event_recorder *events;
};

int streams_start(struct streams **ret, const struct streams_options *o, struct error *e);
int streams_port(const struct streams *s);
/* Stop taking new ones, close the websockets with 1001, end. */
void streams_stop(struct streams *s);

#endif
