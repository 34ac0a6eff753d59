/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this server serves, in the forms that Kubernetes asks for: root paths,
 * group list and group (legacy), aggregated discovery v2, a resource list for each
 * version.  Made from the route rows.  Pure: each returns a new object.
 */
#ifndef APISERVER_DISCOVERY_H
#define APISERVER_DISCOVERY_H

#include <jansson.h>

json_t *discovery_root_paths(void);
json_t *discovery_group(void);      /* APIGroup */
json_t *discovery_group_list(void); /* APIGroupList */
json_t *discovery_aggregated(
    const char *api_version); /* APIGroupDiscoveryList, apidiscovery.k8s.io/v2 or v2beta1 */
json_t *discovery_resources(const char *version); /* APIResourceList */

#endif
