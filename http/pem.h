/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PEM material of an HTTP client, as paths that libcurl can open: its
 * GnuTLS flavour takes no CA from memory, so texts and files alike are kept in
 * memfds.  Inside http/ only.  Any thread.
 */
#ifndef HTTP_PEM_H
#define HTTP_PEM_H

#include <stdbool.h>

#include "base/error.h"
#include "base/scope.h"

enum pem_part { PEM_CA, PEM_CERT, PEM_KEY, PEM_PARTS };

struct pem_store; /* where the parts come from; follows changing files */
struct pem_set;   /* the parts of one moment; immutable, reference-counted */

/* file or text (or neither) for each part; copied. */
struct pem_store *pem_store_new(const char *const file[PEM_PARTS],
                                const char *const text[PEM_PARTS]);
void pem_store_free(struct pem_store *s);

/* Replace certificate and key by texts. */
void pem_store_set_pair(struct pem_store *s, const char *cert, const char *key);

/*
 * What is current, as a new reference.  Files are looked at again once a second;
 * the last good material stays while they cannot be read.  -ERR_INTERNAL when
 * a file could never be read.
 */
int pem_store_get(struct pem_store *s, struct pem_set **ret, struct error *e);

/* Give the same material new paths, so that libcurl opens new connections for it. */
void pem_store_renew(struct pem_store *s);

void pem_set_unref(struct pem_set *m);
DEFINE_SCOPE(struct pem_set, pem_set_unref)

const char *pem_set_path(const struct pem_set *m, enum pem_part part); /* NULL when absent */
/* Grows with every change: connections of an older one carry outdated credentials. */
unsigned pem_set_generation(const struct pem_set *m);

#endif
