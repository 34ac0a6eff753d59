/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/local.h"

#include "apiserver/discovery.h"
#include "apiserver/document.h"
#include "apiserver/openapi_doc.h"
#include "base/buf.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/options.h"
#include "base/scope.h"
#include "base/str.h"
#include "subresources/routes.h"

#define GROUP_PATH "/apis/" SUBRESOURCE_GROUP

static const char json_content[] = "application/json";

/* One row a document: what it is, and how it is made. */
enum document_id {
    DOC_ROOT,
    DOC_GROUPS,
    DOC_GROUPS_V2,
    DOC_GROUPS_V2BETA1,
    DOC_GROUP,
    DOC_RESOURCES_V1,
    DOC_RESOURCES_V1ALPHA3,
    DOC_VERSION,
    DOC_OPENAPI_V2,
    DOC_OPENAPI_V3,
    DOC_OPENAPI_V3_V1,
    DOC_OPENAPI_V3_V1ALPHA3,
    DOC_COUNT,
};

struct local {
    struct document doc[DOC_COUNT];
    struct local_probes probes;
};

#define AGGREGATED_TYPE(v) "application/json;g=apidiscovery.k8s.io;v=" v ";as=APIGroupDiscoveryList"

#if defined(__aarch64__)
#define PLATFORM "linux/arm64"
#elif defined(__s390x__)
#define PLATFORM "linux/s390x"
#else
#define PLATFORM "linux/amd64"
#endif

static json_t *version_object(void)
{
    return must_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "major", "1", "minor", "0",
                     "gitVersion", version_string, "gitCommit", version_git_commit, "gitTreeState",
                     "clean", "buildDate", "1970-01-01T00:00:00Z", "goVersion", "none (C)",
                     "compiler", "gcc", "platform", PLATFORM);
}

struct local *local_new(const struct local_probes *p)
{
    struct local *l = must_calloc(1, sizeof(*l));

    l->probes = *p;
    document_init(&l->doc[DOC_ROOT], json_content, discovery_root_paths());
    document_init(&l->doc[DOC_GROUPS], json_content, discovery_group_list());
    document_init(&l->doc[DOC_GROUPS_V2], AGGREGATED_TYPE("v2"),
                  discovery_aggregated("apidiscovery.k8s.io/v2"));
    document_init(&l->doc[DOC_GROUPS_V2BETA1], AGGREGATED_TYPE("v2beta1"),
                  discovery_aggregated("apidiscovery.k8s.io/v2beta1"));
    document_init(&l->doc[DOC_GROUP], json_content, discovery_group());
    document_init(&l->doc[DOC_RESOURCES_V1], json_content, discovery_resources("v1"));
    document_init(&l->doc[DOC_RESOURCES_V1ALPHA3], json_content, discovery_resources("v1alpha3"));
    document_init(&l->doc[DOC_VERSION], json_content, version_object());
    document_init(&l->doc[DOC_OPENAPI_V2], json_content, openapi_v2());
    document_init(&l->doc[DOC_OPENAPI_V3_V1], json_content, openapi_v3("v1"));
    document_init(&l->doc[DOC_OPENAPI_V3_V1ALPHA3], json_content, openapi_v3("v1alpha3"));
    document_init(
        &l->doc[DOC_OPENAPI_V3], json_content,
        openapi_v3_index(l->doc[DOC_OPENAPI_V3_V1].etag, l->doc[DOC_OPENAPI_V3_V1ALPHA3].etag));
    return l;
}

void local_free(struct local *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < DOC_COUNT; i++)
        document_done(&l->doc[i]);
    free(l);
}

static void serve_document(const struct local_route *r, struct local *l, struct http_call *c)
{
    document_serve(&l->doc[r->document], c);
}

static void reply_text(struct http_call *c, int status, const char *text)
{
    http_reply(c, status, "text/plain; charset=utf-8", text, strlen(text));
}

/*
 * The aggregator asks for the v2 form first; a client that takes none of ours gets
 * the legacy form, which every client reads.
 */
static void serve_groups(const struct local_route *r, struct local *l, struct http_call *c)
{
    static const struct {
        const char *version;
        enum document_id id;
    } forms[] = { { "v2", DOC_GROUPS_V2 }, { "v2beta1", DOC_GROUPS_V2BETA1 } };
    const char *accept = http_call_header(c, "Accept");

    scoped(free) char *list = must_strdup(accept ? accept : "");
    char *save = NULL;

    for (char *item = strtok_r(list, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        if (!strstr(item, "as=APIGroupDiscoveryList") || !strstr(item, "g=apidiscovery.k8s.io"))
            continue;
        for (size_t i = 0; i < countof(forms); i++) {
            scoped(free) char *param = must_asprintf("v=%s;", forms[i].version);
            scoped(free) char *closed = must_asprintf("%s;", item);

            if (strstr(item, json_content) && strstr(closed, param)) {
                document_serve(&l->doc[forms[i].id], c);
                return;
            }
        }
    }
    document_serve(&l->doc[DOC_GROUPS], c);
}

static void serve_livez(const struct local_route *r, struct local *l, struct http_call *c)
{
    reply_text(c, 200, "ok");
}

static void serve_readyz(const struct local_route *r, struct local *l, struct http_call *c)
{
    struct error why = { 0 };

    if (l->probes.is_ready(l->probes.ctx, &why))
        reply_text(c, 200, "ok");
    else
        reply_text(c, 503, why.msg);
}

static void serve_health(const struct local_route *r, struct local *l, struct http_call *c)
{
    bool is_ok = false;
    json_auto_t *body = l->probes.health(l->probes.ctx, &is_ok);

    http_reply_json(c, is_ok ? 200 : 500, body);
}

static void serve_metrics(const struct local_route *r, struct local *l, struct http_call *c)
{
    scoped_buf text = BUF_INIT(0);

    metrics_write(&text);
    http_reply(c, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
}

// clang-format off
const struct local_route local_routes[] = {
    { "/",                                       serve_document,  DOC_ROOT,                 "The paths that are served." },
    { "/apis",                                   serve_groups,    0,                        "API groups; aggregated discovery when asked for." },
    { GROUP_PATH,                                serve_document,  DOC_GROUP,                "The group and its versions." },
    { GROUP_PATH "/v1",                          serve_document,  DOC_RESOURCES_V1,         "The subresources of a version." },
    { GROUP_PATH "/v1alpha3",                    serve_document,  DOC_RESOURCES_V1ALPHA3,   "The subresources of a version." },
    { GROUP_PATH "/v1/version",                  serve_document,  DOC_VERSION,              "The version of this server." },
    { GROUP_PATH "/v1alpha3/version",            serve_document,  DOC_VERSION,              "The version of this server." },
    { GROUP_PATH "/v1/healthz",                  serve_health,    0,                        "Health, and the version of the API server." },
    { GROUP_PATH "/v1alpha3/healthz",            serve_health,    0,                        "Health, and the version of the API server." },
    { "/version",                                serve_document,  DOC_VERSION,              "The version of this server." },
    { "/healthz",                                serve_health,    0,                        "Health, and the version of the API server." },
    { "/livez",                                  serve_livez,     0,                        "Whether the process runs." },
    { "/readyz",                                 serve_readyz,    0,                        "Whether requests can be served." },
    { "/metrics",                                serve_metrics,   0,                        "Prometheus metrics." },
    { "/openapi/v2",                             serve_document,  DOC_OPENAPI_V2,           "OpenAPI v2." },
    { "/openapi/v3",                             serve_document,  DOC_OPENAPI_V3,           "The OpenAPI v3 documents." },
    { "/openapi/v3" GROUP_PATH "/v1",            serve_document,  DOC_OPENAPI_V3_V1,        "OpenAPI v3 of a version." },
    { "/openapi/v3" GROUP_PATH "/v1alpha3",      serve_document,  DOC_OPENAPI_V3_V1ALPHA3,  "OpenAPI v3 of a version." },
};
// clang-format on
const size_t local_routes_len = countof(local_routes);

bool local_serve(struct local *l, struct http_call *c)
{
    const char *path = http_call_path(c);
    size_t len = strlen(path);

    if (len > 1 && path[len - 1] == '/')
        len--;
    for (size_t i = 0; i < countof(local_routes); i++) {
        const struct local_route *r = &local_routes[i];

        if (strlen(r->path) != len || strncmp(r->path, path, len) != 0)
            continue;
        if (http_call_method(c) == HTTP_GET || http_call_method(c) == HTTP_HEAD) {
            r->serve(r, l, c);
        } else {
            struct error e;

            error_set(&e, ERR_METHOD_NOT_ALLOWED, "%s is read with GET", r->path);
            http_call_set_header(c, "Allow", "GET, HEAD");
            http_reply_error(c, &e, NULL);
        }
        return true;
    }
    return false;
}
