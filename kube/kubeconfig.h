/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig files: read, made absolute, merged, one context picked.  Used by config.c only. */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include <jansson.h>

#include "kube/config.h"

/*
 * *ret: {"clusters": {name: cluster}, "users": {name: user}, "contexts": {name: context},
 * "current-context"}. One explicit file (must exist), or the $KUBECONFIG list, or ~/.kube/config
 * (absent ones are skipped). Of equal names the first file's entry counts.
 */
int kubeconfig_load(json_t **ret, const char *explicit_file, struct error *e);

/*
 * Apply the request's context, cluster and user names.  The three are new ({} when nothing is
 * said).  1 when the configuration says where the server is, 0 when not, -ERR_BAD_REQUEST for a
 * name that does not exist.
 */
int kubeconfig_pick(const json_t *config, const struct kube_config_request *q, json_t **ret_cluster,
                    json_t **ret_user, json_t **ret_context, struct error *e);

/* A whole file (new, NUL-terminated); -ERR_NOT_FOUND when absent, -ERR_TOO_LARGE over max. */
int kube_read_file(const char *path, size_t max, char **ret, size_t *ret_len, struct error *e);

#endif
