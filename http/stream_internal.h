/* SPDX-License-Identifier: Apache-2.0 */
/* How server and dialler make streams.  Inside http/ only. */
#ifndef HTTP_STREAM_INTERNAL_H
#define HTTP_STREAM_INTERNAL_H

#include <stddef.h>
#include <sys/socket.h>

#include "http/stream.h"
#include "http/tls_conn.h"

/* early: bytes that were read beyond the HTTP head; copied. */
struct stream *stream_from_tls(struct loop *l, struct tls_conn *t /* taken */, const void *early,
                               size_t early_len);
struct stream *stream_from_fd_early(struct loop *l, int fd /* taken */, const void *early,
                                    size_t early_len);

/* Bytes that were read too far: stream_read returns them first.  Copied. */
void stream_put_back(struct stream *s, const void *data, size_t len);

/* 1: everything written is with the kernel; STREAM_AGAIN: LOOP_WRITE will tell; STREAM_FAILED. */
int stream_flush(struct stream *s);
/*
 * Before writes that will be followed by another at once: the kernel may wait with a segment that
 * is not full.  When none followed after all, stream_push lets it go.
 */
void stream_expect_more(struct stream *s, bool is_more_coming);
void stream_push(struct stream *s);
/* Bytes can be read that the socket will not announce. */
bool stream_has_read_ahead(const struct stream *s);

/* Of an IP address without brackets; its length, 0 when it is none. */
socklen_t socket_address(struct sockaddr_storage *a, const char *host, int port);

#endif
