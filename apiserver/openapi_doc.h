/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAPI documents of the subresources, made from the route rows.  Pure; new objects. */
#ifndef APISERVER_OPENAPI_DOC_H
#define APISERVER_OPENAPI_DOC_H

#include <jansson.h>

json_t *openapi_v2(void);
json_t *openapi_v3(const char *version);
/* The list of v3 documents; the tags (quoted) make the hash in each URL. */
json_t *openapi_v3_index(const char *v1_etag, const char *v1alpha3_etag);

#endif
