/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two places where a VirtualMachine names what else it is made of: spec.instancetype and
 * spec.preference.  Which object is meant, and how to get it: the ControllerRevision that holds it
 * as the machine took it, else the object as it is now.
 */
#ifndef KUBE_MATCHER_H
#define KUBE_MATCHER_H

#include <jansson.h>

#include "kube/client.h"

enum matcher { MATCHER_INSTANCETYPE, MATCHER_PREFERENCE };
enum { MATCHERS = 2 };

struct matcher_row {
    const char *path;   /* in the machine's spec */
    const char *status; /* in the machine's status: what it took */
    const char *noun;   /* for people */
    const struct kube_kind *of_namespace, *of_cluster;
    const char *label, *kind_label; /* on a volume: what machines that boot from it are made of */
    const char *annotation, *cluster_annotation; /* on the instance: the name of what was applied */
};

extern const struct matcher_row matcher_rows[MATCHERS];

/* The machine's matcher, borrowed, or NULL. */
const json_t *matcher_of(enum matcher m, const json_t *vm);

/* The kind that a matcher means: by kind or plural in any case, the cluster's when it says none.
 * NULL when it names another. */
const struct kube_kind *matcher_kind(enum matcher m, const json_t *matcher);

/* "ns/name" or "name" of the object that is meant now.  New; NULL when it names none. */
char *matcher_key(enum matcher m, const json_t *matcher, const char *ns);

/* The ControllerRevision to take it from, borrowed: the matcher's own, else the one in the status
 * when that is of the same name and kind.  "" when there is none. */
const char *matcher_revision(enum matcher m, const json_t *vm);

/*
 * Ask for the object (new reference) that a machine's matcher means, in namespace `ns`: from its
 * revision, else as it is.  1 when found, 0 when the machine has no such matcher; -ERR_NOT_FOUND,
 * -ERR_INVALID when the matcher or the revision makes no sense, or what kube_get() says.  Blocks.
 */
int matcher_get(struct kube *k, enum matcher m, const json_t *vm, const char *ns, json_t **ret,
                struct error *e);

#endif
