/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation for each row and version.  v2 and v3 differ in where bodies and
 * schemas stand; everything else is said once.
 */
#include "apiserver/openapi_doc.h"

#include <ctype.h>
#include <string.h>

#include "base/must.h"
#include "base/options.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/emit.h"
#include "subresources/routes.h"

static const char any_type[] = "*/*";

static char *route_path(const struct route *r, const char *version)
{
    return must_asprintf("/apis/%s/%s/namespaces/{namespace}/%s%s%s%s", SUBRESOURCE_GROUP, version,
                         route_plural(r->target), *r->subresource ? "/{name}/" : "", r->subresource,
                         r->flow == ROUTE_TUNNEL ? "/{port}" : "");
}

/* "v1VirtualMachineStart"; unique over the document. */
static char *operation_id(const struct route *r, const char *version)
{
    char *id = must_asprintf("%s%s/%s", version, route_kind(r->target),
                             *r->subresource ? r->subresource : route_plural(r->target));
    char *out = id;
    bool is_word_start = false;

    for (const char *p = id; *p; p++) {
        if (*p == '/') {
            is_word_start = true;
            continue;
        }
        *out++ = is_word_start ? (char)toupper((unsigned char)*p) : *p;
        is_word_start = false;
    }
    *out = '\0';
    return id;
}

static json_t *parameter(const char *name, const char *doc, enum schema_dialect dialect)
{
    json_t *p = must_pack("{s:s, s:s, s:b, s:s}", "name", name, "in", "path", "required", 1,
                          "description", doc);

    if (dialect == SCHEMA_V2)
        must_set(p, "type", json_string("string"));
    else
        must_set(p, "schema", must_pack("{s:s}", "type", "string"));
    return p;
}

static json_t *responses(const struct route *r)
{
    if (r->flow != ROUTE_CALL)
        return must_pack("{s:{s:s}}", "101", "description", "Switching protocols: a websocket.");
    return must_pack("{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}", r->answer ? "200" : "202",
                     "description", r->answer ? r->answer : "Accepted.", "401", "description",
                     "Unauthorized.", "404", "description", "Not found.", "409", "description",
                     "The machine is not in a state that allows it.");
}

static json_t *operation(const struct route *r, const char *version, enum schema_dialect dialect,
                         json_t *components)
{
    scoped(free) char *id = operation_id(r, version);
    json_t *parameters =
        must_pack("[o]", parameter("namespace", "Namespace of the object.", dialect));

    if (*r->subresource)
        must_append(parameters, parameter("name", "Name of the object.", dialect));
    if (r->flow == ROUTE_TUNNEL)
        must_append(parameters, parameter("port", "Port, and /tcp or /udp if wanted.", dialect));
    json_t *op = must_pack("{s:s, s:s, s:[s], s:o}", "operationId", id, "description", r->doc,
                           "tags", SUBRESOURCE_GROUP, "responses", responses(r));

    if (r->body) {
        scoped(free) char *ref = must_asprintf(
            "%s%s", dialect == SCHEMA_V2 ? "#/definitions/v1." : "#/components/schemas/v1.",
            r->body->name);
        json_t *schema = must_pack("{s:s}", "$ref", ref);

        schema_components(r->body, dialect, components);
        if (dialect == SCHEMA_V2)
            must_append(parameters, must_pack("{s:s, s:s, s:b, s:o}", "name", "body", "in", "body",
                                              "required", 0, "schema", schema));
        else
            must_set(op, "requestBody",
                     must_pack("{s:{s:{s:o}}}", "content", any_type, "schema", schema));
    }
    must_set(op, "parameters", parameters);
    if (dialect == SCHEMA_V2) {
        must_set(op, "consumes", must_pack("[s]", any_type));
        must_set(op, "produces", must_pack("[s]", "application/json"));
    }
    return op;
}

static void add_paths(const char *version, enum schema_dialect dialect, json_t *paths,
                      json_t *components)
{
    for (size_t i = 0; i < subresource_routes_len; i++) {
        const struct route *r = &subresource_routes[i];
        scoped(free) char *path = route_path(r, version);

        must_set(paths, path,
                 must_pack("{s:o}", r->method == HTTP_GET ? "get" : "put",
                           operation(r, version, dialect, components)));
    }
}

static json_t *info(void)
{
    return must_pack("{s:s, s:s, s:s}", "title", "KubeVirt API", "version", version_string,
                     "description", "Subresources of virtual machines on Kubernetes.");
}

/* v1 alone: v1alpha3 has the same operations, and v2 documents are merged by name. */
json_t *openapi_v2(void)
{
    json_t *paths = json_object();
    json_t *definitions = json_object();

    add_paths("v1", SCHEMA_V2, paths, definitions);
    return must_pack("{s:s, s:o, s:o, s:o, s:{s:{s:s, s:s, s:s}}}", "swagger", "2.0", "info",
                     info(), "paths", paths, "definitions", definitions, "securityDefinitions",
                     "BearerToken", "type", "apiKey", "name", "authorization", "in", "header");
}

json_t *openapi_v3(const char *version)
{
    json_t *paths = json_object();
    json_t *schemas = json_object();

    add_paths(version, SCHEMA_V3, paths, schemas);
    return must_pack("{s:s, s:o, s:o, s:{s:o, s:{s:{s:s, s:s, s:s}}}}", "openapi", "3.0.0", "info",
                     info(), "paths", paths, "components", "schemas", schemas, "securitySchemes",
                     "BearerToken", "type", "apiKey", "name", "authorization", "in", "header");
}

/* "<hash>" of a quoted tag. */
static char *hash_of(const char *etag)
{
    size_t len = strlen(etag);

    return len > 2 ? must_strndup(etag + 1, len - 2) : must_strdup("");
}

json_t *openapi_v3_index(const char *v1_etag, const char *v1alpha3_etag)
{
    const struct {
        const char *version, *etag;
    } documents[] = { { "v1", v1_etag }, { "v1alpha3", v1alpha3_etag } };
    json_t *paths = json_object();

    for (size_t i = 0; i < countof(documents); i++) {
        scoped(free) char *hash = hash_of(documents[i].etag);
        scoped(free) char *key =
            must_asprintf("apis/%s/%s", SUBRESOURCE_GROUP, documents[i].version);
        scoped(free) char *url = must_asprintf("/openapi/v3/%s?hash=%s", key, hash);

        must_set(paths, key, must_pack("{s:s}", "serverRelativeURL", url));
    }
    return must_pack("{s:o}", "paths", paths);
}
