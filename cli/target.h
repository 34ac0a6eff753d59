/* SPDX-License-Identifier: Apache-2.0 */
/* What port-forward, ssh and scp are given: "type/name[/namespace]", "[proto/]local[:remote]".
 * Pure. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include <stdbool.h>

#include "base/error.h"

enum { TARGET_NAME_MAX = 254, TARGET_USER_MAX = 256 };

struct target {
    const char *kind;   /* "vm" or "vmi" */
    const char *plural; /* of the API */
    char name[TARGET_NAME_MAX];
    char namespace[TARGET_NAME_MAX]; /* "" when the text names none */
    char user[TARGET_USER_MAX];      /* target_parse_user; "" when the text names none */
};

int target_parse(struct target *ret, const char *text, struct error *e);
/* "[user@]type/name[/namespace]" */
int target_parse_user(struct target *ret, const char *text, struct error *e);

struct port_pair {
    bool is_udp;
    int local; /* 0: any */
    int remote;
};

int port_pair_parse(struct port_pair *ret, const char *text, struct error *e);

#endif
