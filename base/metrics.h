/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus metrics.  A metric is declared once as a static row and registers
 * itself at first use; values may be changed from any thread.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_LABELS_MAX = 6, METRIC_BUCKETS_MAX = 32, METRIC_SERIES_MAX = 20000 };

struct metric {
    const char *name;
    enum metric_type type;
    const char *help;
    const char *labels[METRIC_LABELS_MAX + 1]; /* NULL-terminated names */
    double buckets[METRIC_BUCKETS_MAX + 1];    /* histogram: ascending, 0 ends */
    struct metric_state *state;                /* NULL; set by the registry */
};

/*
 * Values follow the label names in order, as strings, exactly as many (NULL is ""; cut at 255
 * bytes).  A new series past METRIC_SERIES_MAX is dropped.
 */
void metric_add(struct metric *m, double by, ...);
void metric_set(struct metric *m, double value, ...);
void metric_observe(struct metric *m, double value, ...);
/* Forget one series (its object is gone). */
void metric_remove(struct metric *m, ...);

/* Make a metric show (with value 0 when it has no labels) before its first change. */
void metric_register(struct metric *m);

/* Called at each scrape, to set gauges that are read rather than counted. */
typedef void metrics_collect_fn(void *ctx);
void metrics_on_scrape(metrics_collect_fn *fn, void *ctx);

/* The whole text exposition (format 0.0.4), process_* included. */
void metrics_write(struct buf *out);

#endif
