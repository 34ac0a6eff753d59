/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page: files that are part of the program, answered from memory on the loop, to
 * everybody (what they show is asked for with the reader's own identity).  At /ui/FILE, and
 * below the API group, so that it is reached through kube-apiserver too.
 */
#ifndef APISERVER_WEB_H
#define APISERVER_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "http/server.h"

/* Written at build by apiserver/embed.sh from what web/ bundles; the last row has no name. */
struct web_file {
    const char *name; /* without folders */
    const char *etag; /* quoted, of the content */
    const char *data, *data_end;
    const char *gzip, *gzip_end; /* the same, compressed */
};
extern const struct web_file web_files[];

/*
 * True when the path is the page's; the call has been answered then.  "/" is sent on to the page
 * when a browser asks that nobody vouches for.  `files` outlives the server.
 */
bool web_serve(const struct web_file *files, struct http_call *c);

#endif
