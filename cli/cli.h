/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every command of kubectl-virt works with: the flags, and the cluster they
 * lead to.  One thread, but for the websocket's (websocket.h).
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/options.h"
#include "cli/flags.h"
#include "http/client.h"

struct cli {
    const char *program; /* as the user typed it: "kubectl virt" or "virtctl" */
    const char *argv0;
    struct flags flags;
    struct kube_config *config; /* NULL until cli_connect */
    struct kube *kube;
    const char *namespace;
};

/* Load the kubeconfig and make the client.  Once. */
int cli_connect(struct cli *c, struct error *e);
void cli_done(struct cli *c);

/* The namespace of -n, NULL when it was not given. */
const char *cli_namespace_flag(const struct cli *c);

/* "/apis/subresources.kubevirt.io/v1/namespaces/NS/PLURAL/NAME/SUB[?query]".  New string. */
char *cli_subresource(const struct cli *c, const char *plural, const char *name, const char *sub);

/* GET any path; *ret is new (NULL: not wanted).  A refusal is in the server's own words. */
int cli_get(struct cli *c, const char *path, json_t **ret, struct error *e);

/* The same with any method and body (may be NULL). */
int cli_raw(struct cli *c, enum http_method method, const char *path, const json_t *body,
            json_t **ret, struct error *e);

/* PUT a subresource; body may be NULL. */
int cli_put(struct cli *c, const char *plural, const char *name, const char *sub,
            const json_t *body, struct error *e);

/* The options of a request: dryRun, where it was asked for (and said on stdout).  New. */
json_t *cli_options(const struct cli *c);

/* Put the text before the message as it stands, without a colon; return -e->code. */
int cli_prefix(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0, or -code with *e filled.  args are the positional arguments, checked for their number. */
typedef int command_fn(struct cli *c, const struct option_list *args, struct error *e);

enum command_group { POWER, CONNECT, GUEST, MIGRATION, DEVICES, MANIFEST, ADMIN, OTHER };

enum command_trait {
    WITHOUT_CLUSTER = 1, /* no connection is made; the command may call cli_connect itself */
    HIDDEN = 2,          /* not listed, no manual page */
};

struct command {
    enum command_group group;
    const char *name; /* words: "start", "create vm" */
    /* Shown in usage, and what completion goes by: VM, VMI are names of machines, "vm|vmi" fixed
     * words, "vm|vmi NAME" a name of what the word says; "" for none. */
    const char *args;
    size_t args_min, args_max;
    const struct option *options;
    command_fn *run;
    const char *summary;
    unsigned traits; /* of enum command_trait */
};

extern const struct command commands[]; /* commands.c */
extern const size_t commands_len;
extern const char *const command_groups[]; /* title by enum command_group */
extern const size_t command_groups_len;
extern const struct option global_options[];

#define FLAG(member) OPTION_AT(struct flags, member)

#endif
