/* SPDX-License-Identifier: Apache-2.0 */
/* A link to one machine's screen or console that works without kubeconfig, for a while. */
#ifndef SUBRESOURCES_LINK_H
#define SUBRESOURCES_LINK_H

#include "subresources/routes.h"

struct tls_keys;

/* Where links point to and what seals them; of sub_env.  keys NULL: no links are given. */
struct link_settings {
    const struct tls_keys *keys; /* the serving pair, borrowed */
    const char *external_url;    /* "https://vms.example.org" without a slash at the end, or "" */
};

enum { LINK_MS_DEFAULT = 10 * 60 * 1000, LINK_MS_MAX = 60 * 60 * 1000 };

/* {duration, view} gives {token, expirationTimestamp, path, url}; see ticket.h for the token. */
subresource_fn vmi_link;

#endif
