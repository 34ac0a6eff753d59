/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/discovery.h"

#include "apiserver/local.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "subresources/routes.h"

json_t *discovery_root_paths(void)
{
    json_t *paths = json_array();

    for (size_t i = 0; i < local_routes_len; i++)
        must_append(paths, json_string(local_routes[i].path));
    return must_pack("{s:o}", "paths", paths);
}

static json_t *group_version(const char *version)
{
    scoped(free) char *gv = must_asprintf("%s/%s", SUBRESOURCE_GROUP, version);

    return must_pack("{s:s, s:s}", "groupVersion", gv, "version", version);
}

static json_t *group_body(void)
{
    json_t *versions = json_array();

    for (size_t i = 0; i < SUBRESOURCE_VERSION_COUNT; i++)
        must_append(versions, group_version(subresource_versions[i]));
    return must_pack("{s:s, s:o, s:o, s:[{s:s, s:s}]}", "name", SUBRESOURCE_GROUP, "versions",
                     versions, "preferredVersion", group_version(subresource_versions[0]),
                     "serverAddressByClientCIDRs", "clientCIDR", "0.0.0.0/0", "serverAddress", "");
}

json_t *discovery_group(void)
{
    json_t *group = group_body();

    must_set(group, "kind", json_string("APIGroup"));
    must_set(group, "apiVersion", json_string("v1"));
    return group;
}

json_t *discovery_group_list(void)
{
    return must_pack("{s:s, s:s, s:[o]}", "kind", "APIGroupList", "apiVersion", "v1", "groups",
                     group_body());
}

json_t *discovery_resources(const char *version)
{
    json_t *resources = json_array();

    for (size_t i = 0; i < subresource_routes_len; i++) {
        const struct route *r = &subresource_routes[i];
        scoped(free) char *name = route_resource(r);

        must_append(resources, must_pack("{s:s, s:s, s:b, s:s, s:[s]}", "name", name,
                                         "singularName", "", "namespaced", 1, "kind",
                                         route_kind(r->target), "verbs", route_verb(r)));
    }

    scoped(free) char *gv = must_asprintf("%s/%s", SUBRESOURCE_GROUP, version);
    return must_pack("{s:s, s:s, s:s, s:o}", "kind", "APIResourceList", "apiVersion", "v1",
                     "groupVersion", gv, "resources", resources);
}

/* The rows of one target below a resource that itself has no verbs here. */
static json_t *aggregated_resource(enum route_target target)
{
    json_t *subs = json_array();

    for (size_t i = 0; i < subresource_routes_len; i++) {
        const struct route *r = &subresource_routes[i];

        if (r->target == target)
            must_append(subs,
                        must_pack("{s:s, s:{s:s, s:s, s:s}, s:[s]}", "subresource", r->subresource,
                                  "responseKind", "group", "kubevirt.io", "version", "v1", "kind",
                                  route_kind(target), "verbs", route_verb(r)));
    }
    return must_pack("{s:s, s:s, s:s, s:[], s:o}", "resource", route_plural(target), "scope",
                     "Namespaced", "singularResource", route_singular(target), "verbs",
                     "subresources", subs);
}

/* A resource that has verbs and no subresources. */
static json_t *aggregated_plain(const struct route *r)
{
    return must_pack("{s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:[s]}", "resource",
                     route_plural(r->target), "responseKind", "group", "kubevirt.io", "version",
                     "v1", "kind", route_kind(r->target), "scope", "Namespaced", "singularResource",
                     route_singular(r->target), "verbs", route_verb(r));
}

static json_t *aggregated_resources(void)
{
    json_t *resources =
        must_pack("[o, o]", aggregated_resource(ROUTE_VM), aggregated_resource(ROUTE_VMI));

    for (size_t i = 0; i < subresource_routes_len; i++)
        if (!*subresource_routes[i].subresource)
            must_append(resources, aggregated_plain(&subresource_routes[i]));
    return resources;
}

json_t *discovery_aggregated(const char *api_version)
{
    json_t *versions = json_array();

    for (size_t i = 0; i < SUBRESOURCE_VERSION_COUNT; i++)
        must_append(versions,
                    must_pack("{s:s, s:s, s:o}", "version", subresource_versions[i], "freshness",
                              "Current", "resources", aggregated_resources()));
    return must_pack("{s:s, s:s, s:{}, s:[{s:{s:s}, s:o}]}", "kind", "APIGroupDiscoveryList",
                     "apiVersion", api_version, "metadata", "items", "metadata", "name",
                     SUBRESOURCE_GROUP, "versions", versions);
}
