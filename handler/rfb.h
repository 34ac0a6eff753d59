/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VNC viewer sends (RFC 6143 and the extensions that QEMU and noVNC
 * speak), seen only as far as to know where its messages begin and end: the shared flag of
 * ClientInit is always set, so that QEMU never closes the other viewers, and an observer's input
 * does not pass.  A pure filter: no memory beyond the struct, pieces of any size.
 */
#ifndef HANDLER_RFB_H
#define HANDLER_RFB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RFB_HEAD_MAX = 12 };

enum rfb_phase { RFB_VERSION, RFB_SECURITY, RFB_INIT, RFB_MESSAGES, RFB_OPAQUE };

/* By value; `struct rfb f = { 0 }` is a viewer that has not sent anything. */
struct rfb {
    enum rfb_phase phase;
    unsigned char head[RFB_HEAD_MAX]; /* the beginning of the present message */
    uint8_t have;                     /* bytes of it */
    bool is_dropped;                  /* the present message */
    uint64_t left;                    /* bytes of the present message after its head */
};

/*
 * Filter `len` bytes in place; how many are left of them, or -1 with the reason in words when an
 * observer sends what cannot be followed.  may_type is looked at where a message begins, so that a
 * role that changes never leaves half a message behind.
 *
 * What a viewer who may type sends always passes: an unknown message, security type or version only
 * means that the rest is not followed any more (RFB_OPAQUE), which ends it should it become an
 * observer.  Security types other than None are not followed: the launcher gives QEMU no password.
 */
ssize_t rfb_filter(struct rfb *f, bool may_type, unsigned char *data, size_t len,
                   const char **ret_why);

#endif
