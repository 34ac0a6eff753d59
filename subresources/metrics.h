/* SPDX-License-Identifier: Apache-2.0 */
/* Open streams as virt-api counts them (spec 07, section 2.2).  Any thread. */
#ifndef SUBRESOURCES_METRICS_H
#define SUBRESOURCES_METRICS_H

struct metric;

/* One open stream; zero-initialised is closed. */
struct stream_gauge {
    struct metric *metric;
    char namespace[254];
    char name[254];
};

void stream_gauge_open(struct stream_gauge *g, const char *subresource, const char *namespace,
                       const char *name);
void stream_gauge_close(struct stream_gauge *g);

#endif
