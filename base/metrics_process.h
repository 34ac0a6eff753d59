/* SPDX-License-Identifier: Apache-2.0 */
/* The process_* metrics that Prometheus' own clients show; read from /proc at each scrape. */
#ifndef BASE_METRICS_PROCESS_H
#define BASE_METRICS_PROCESS_H

/* Called by metrics_write.  Any thread. */
void metrics_collect_process(void);

#endif
