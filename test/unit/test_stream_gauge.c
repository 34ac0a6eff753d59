/* SPDX-License-Identifier: Apache-2.0 */
/* Open streams as /metrics shows them. */
#include "subresources/metrics.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "rows.h"

static const struct gauge_case {
    const char *name, *subresource;
    const char *metric; /* NULL: not counted */
} cases[] = {
    { "consoles", "console", "kubevirt_console_active_connections" },
    { "screens", "vnc", "kubevirt_vnc_active_connections" },
    { "redirections", "usbredir", "kubevirt_usbredir_active_connections" },
    { "forwarded ports", "portforward", "kubevirt_portforward_active_tunnels" },
    { "VSOCK has no metric upstream", "vsock", NULL },
};

/* The line of a metric about machine ns/NAME; its value, or -1 without one. */
static double value_of(const char *metric, const char *machine)
{
    scoped_buf page = BUF_INIT(0);
    scoped(free) char *line = must_asprintf("\n%s{namespace=\"ns\",vmi=\"%s\"} ", metric, machine);

    metrics_write(&page);
    const char *at = page.data ? strstr(page.data, line) : NULL;
    return at ? strtod(at + strlen(line), NULL) : -1;
}

static void counts(void **state)
{
    const struct gauge_case *c = *state;
    static const char last[] = "kubevirt_vmi_last_api_connection_timestamp_seconds";
    struct stream_gauge one = { 0 }, two = { 0 };

    stream_gauge_open(&one, c->subresource, "ns", c->subresource);
    stream_gauge_open(&two, c->subresource, "ns", c->subresource);
    if (!c->metric) {
        assert_true(value_of(last, c->subresource) < 0);
    } else {
        assert_true(value_of(c->metric, c->subresource) == 2);
        assert_true(value_of(last, c->subresource) > 1.7e9); /* seconds, not milliseconds ... */
        assert_true(value_of(last, c->subresource) < 1.0e11);
    }
    stream_gauge_close(&one);
    stream_gauge_close(&one); /* once is enough */
    if (c->metric)
        assert_true(value_of(c->metric, c->subresource) == 1);
    stream_gauge_close(&two);
    if (c->metric)
        assert_true(value_of(c->metric, c->subresource) == 0);
}

int main(void)
{
    return RUN_ROWS("stream_gauge", cases, counts);
}
