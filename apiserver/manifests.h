/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests of deploy/ that follow from tables of the code: what virt-gen
 * writes.  Pure; results are new arrays of objects.
 */
#ifndef APISERVER_MANIFESTS_H
#define APISERVER_MANIFESTS_H

#include <jansson.h>

/* The namespace of deploy/. */
#define MANIFEST_NAMESPACE "kubevirt"

/* Service accounts, roles and bindings, of users and of the programs. */
json_t *manifests_rbac(void);

/* The words of a text as a new array; "" is the one word that names the core group. */
json_t *manifest_words(const char *text);

/* The two webhook configurations. */
json_t *manifests_webhooks(void);

#endif
