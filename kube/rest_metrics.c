/* SPDX-License-Identifier: Apache-2.0 */
/* kubevirt_rest_client_*: what a request's path says about it, in labels of few values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/request.h"

static struct metric latency = {
    .name = "kubevirt_rest_client_request_latency_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "How long requests to the API server took, by verb and URL.",
    .labels = { "verb", "url" },
    .buckets = { .005, .025, .05, .1, .2, .4, .6, .8, 1,  1.25, 1.5, 2,
                 3,    4,    5,   6,  8,  10, 15, 20, 30, 45,   60 },
};
static struct metric limiter = {
    .name = "kubevirt_rest_client_rate_limiter_duration_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "How long requests waited for the client's own rate limit, by verb and URL.",
    .labels = { "verb", "url" },
    .buckets = { .001, .002, .004, .008, .016, .032, .064, .128, .256, .512 },
};
static struct metric requests = {
    .name = "kubevirt_rest_client_requests_total",
    .type = METRIC_COUNTER,
    .help = "Requests to the API server, by status code, method, host, resource and verb.",
    .labels = { "code", "method", "host", "resource", "verb" },
};

enum { SEGMENTS_MAX = 12, SEGMENT_MAX = 254 };

/* What of the path matters. */
struct rest_labels {
    const char *verb;
    char resource[SEGMENT_MAX];
    struct buf url;
};

struct segments {
    char text[SEGMENTS_MAX][SEGMENT_MAX];
    size_t len;
};

static void split_path(const char *path, struct segments *s)
{
    size_t end = strcspn(path, "?");

    s->len = 0;
    for (size_t at = 0; at < end && s->len < SEGMENTS_MAX;) {
        size_t n = strcspn(path + at, "/?");
        if (n > 0)
            (void)snprintf(s->text[s->len++], SEGMENT_MAX, "%.*s", (int)n, path + at);
        at += n + 1;
    }
}

/* Number of segments before the resource: "api/v1" or "apis/group/version"; 0 for other paths. */
static size_t prefix_len(const struct segments *s)
{
    if (s->len > 2 && streq(s->text[0], "api"))
        return 2;
    return s->len > 3 && streq(s->text[0], "apis") ? 3 : 0;
}

static const char *verb_of(enum http_method method, const char *path, bool is_collection)
{
    switch (method) {
    case HTTP_PUT:
        return "UPDATE";
    case HTTP_POST:
        return "CREATE";
    case HTTP_GET:
        if (strstr(path, "watch=true") || strstr(path, "watch=1") || strstr(path, "/watch/"))
            return "WATCH";
        return is_collection ? "LIST" : "GET";
    case HTTP_HEAD:
    case HTTP_PATCH:
    case HTTP_DELETE:
    case HTTP_OPTIONS:
    case HTTP_METHOD_COUNT:
        break;
    }
    return method < HTTP_METHOD_COUNT ? http_method_name(method) : "none";
}

static void label(struct rest_labels *l, enum http_method method, const char *server,
                  const char *path)
{
    struct segments s;
    split_path(path, &s);
    size_t at = prefix_len(&s);
    bool is_known = at > 0;
    size_t namespace_at = 0;

    if (is_known && s.len > at + 2 && streq(s.text[at], "namespaces")) {
        namespace_at = at + 1;
        at += 2;
    }
    size_t name_at = is_known && s.len > at + 1 ? at + 1 : 0;
    (void)snprintf(l->resource, sizeof(l->resource), "%s", is_known ? s.text[at] : "none");
    l->verb = verb_of(method, path, is_known && !name_at);
    l->url = BUF_INIT(4096);
    (void)buf_adds(&l->url, server);
    for (size_t i = 0; i < s.len; i++)
        (void)buf_addf(&l->url, "/%s",
                       namespace_at && i == namespace_at ? "%7Bnamespace%7D"
                       : name_at && i == name_at         ? "%7Bname%7D"
                                                         : s.text[i]);
}

void rest_measure(enum http_method method, const char *server, const char *path, int status,
                  double seconds)
{
    struct rest_labels l;
    char code[16] = "<error>";
    const char *host = strstr(server, "://");

    label(&l, method, server, path);
    if (status > 0)
        (void)snprintf(code, sizeof(code), "%d", status);
    metric_observe(&latency, seconds, l.verb, l.url.data);
    metric_add(&requests, 1, code, http_method_name(method), host ? host + 3 : server, l.resource,
               l.verb);
    buf_done(&l.url);
}

void rest_measure_limiter(enum http_method method, const char *server, const char *path,
                          double seconds)
{
    struct rest_labels l;

    label(&l, method, server, path);
    metric_observe(&limiter, seconds, l.verb, l.url.data);
    buf_done(&l.url);
}
