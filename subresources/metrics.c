/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/metrics.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/scope.h"
#include "base/str.h"

static struct metric console_connections = {
    .name = "kubevirt_console_active_connections",
    .type = METRIC_GAUGE,
    .help = "Serial consoles that are open, by machine.",
    .labels = { "namespace", "vmi" },
};

static struct metric vnc_connections = {
    .name = "kubevirt_vnc_active_connections",
    .type = METRIC_GAUGE,
    .help = "Screens that are open, by machine.",
    .labels = { "namespace", "vmi" },
};

static struct metric usbredir_connections = {
    .name = "kubevirt_usbredir_active_connections",
    .type = METRIC_GAUGE,
    .help = "USB redirections that are open, by machine.",
    .labels = { "namespace", "vmi" },
};

static struct metric portforward_tunnels = {
    .name = "kubevirt_portforward_active_tunnels",
    .type = METRIC_GAUGE,
    .help = "Forwarded ports' connections that are open, by machine.",
    .labels = { "namespace", "vmi" },
};

static struct metric last_connection = {
    .name = "kubevirt_vmi_last_api_connection_timestamp_seconds",
    .type = METRIC_GAUGE,
    .help = "When a stream to this machine was last opened, in seconds since the epoch.",
    .labels = { "namespace", "vmi" },
};

static const struct {
    const char *subresource;
    struct metric *metric;
} gauges[] = {
    { "console", &console_connections },
    { "vnc", &vnc_connections },
    { "usbredir", &usbredir_connections },
    { "portforward", &portforward_tunnels },
};

void stream_gauge_open(struct stream_gauge *g, const char *subresource, const char *namespace,
                       const char *name)
{
    (void)snprintf(g->namespace, sizeof(g->namespace), "%s", namespace);
    (void)snprintf(g->name, sizeof(g->name), "%s", name);
    for (size_t i = 0; i < countof(gauges); i++)
        if (streq(gauges[i].subresource, subresource))
            g->metric = gauges[i].metric;
    if (!g->metric)
        return;
    metric_add(g->metric, 1, g->namespace, g->name);
    metric_set(&last_connection, (double)clock_wall_ms(&clock_real) / 1000, g->namespace, g->name);
}

void stream_gauge_close(struct stream_gauge *g)
{
    if (g->metric)
        metric_add(g->metric, -1, g->namespace, g->name);
    g->metric = NULL;
}
