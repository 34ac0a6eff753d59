/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials from a program (client.authentication.k8s.io/v1 and v1beta1).  Used by config.c only.
 */
#ifndef KUBE_EXEC_PLUGIN_H
#define KUBE_EXEC_PLUGIN_H

#include <jansson.h>

#include "base/error.h"

/*
 * Run the user's "exec" entry and return the ExecCredential's status (new): token,
 * clientCertificateData, clientKeyData, expirationTimestamp.  `cluster` is told to the program when
 * the entry asks for it. Blocks up to EXEC_PLUGIN_TIMEOUT_MS; its stderr is ours.
 */
int exec_plugin_run(json_t **ret_status, const json_t *exec, const json_t *cluster,
                    struct error *e);

#endif
