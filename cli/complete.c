/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/help.h"
#include "cli/machine_kind.h"
#include "cli/words.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"

enum { NAMES_MAX = 500, NO_FILES = 4, FILES = 0 };

static const char metadata_only[] =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

int complete_is_asked(int argc, char **argv)
{
    if (str_has_suffix(argv[0], "kubectl_complete-virt"))
        return 1;
    return argc > 1 && streq(argv[1], "__complete") ? 2 : 0;
}

static void offer(const char *prefix, const char *word, const char *current, const char *about)
{
    scoped(free) char *whole = must_asprintf("%s%s", prefix, word);

    if (str_has_prefix(whole, current))
        (void)printf("%s%s%s\n", whole, about ? "\t" : "", about ? about : "");
}

/* ---- values ---- */

/* "a|b|c" */
static void offer_fixed(const char *prefix, const char *words, const char *current)
{
    for (const char *at = words; *at;) {
        const size_t len = strcspn(at, "|");
        scoped(free) char *word = must_strndup(at, len);

        offer(prefix, word, current, NULL);
        at += len + (at[len] == '|');
    }
}

static void offer_names(struct cli *c, const struct kube_kind *kind, const char *prefix,
                        const char *current)
{
    struct error e;

    if (!c->kube && cli_connect(c, &e) < 0)
        return;

    scoped(free) char *path =
        kube_path(kind, kind->is_cluster_scoped ? NULL : c->namespace, NULL, NULL);
    scoped(free) char *limited = must_asprintf("%s?limit=%d", path, NAMES_MAX);
    struct http_request q = { .method = HTTP_GET,
                              .path = limited,
                              .accept = metadata_only,
                              .timeout_ms = COMPLETE_TIMEOUT_MS };
    struct http_response answer;
    json_auto_t *list = NULL;
    size_t i;
    json_t *item;

    if (kube_config_refresh(c->config, &e) == 0 &&
        http_client_do(kube_peek_http(c->kube), &q, &answer, &e) == 0) {
        if (answer.status == 200)
            (void)json_parse(&list, answer.body.data, answer.body.len, &e);
        http_response_done(&answer);
    }
    json_array_foreach(jpath_arr(list, "items"), i, item)
        offer(prefix, meta_name(item), current, NULL);
}

/* Names of a part of the kubeconfig: "contexts", "clusters", "users". */
static void offer_kubeconfig(const struct cli *c, const char *part, const char *prefix,
                             const char *current)
{
    json_auto_t *config = NULL;
    struct error e;
    const char *name;
    json_t *value;

    if (kubeconfig_load(&config, c->flags.kubeconfig, &e) < 0)
        return;
    json_object_foreach(jpath_obj(config, part), name, value)
        offer(prefix, name, current, NULL);
}

/* The directive: are files meant? */
static int offer_value(struct cli *c, const struct option *o, const char *prefix,
                       const char *current)
{
    static const struct {
        const char *option, *part;
    } parts[] = { { "context", "contexts" }, { "cluster", "clusters" }, { "user", "users" } };
    const char *arg = o->arg ? o->arg : "";

    for (size_t i = 0; i < countof(parts); i++)
        if (streq(parts[i].option, o->name) && streq(arg, "NAME") && o->letter == 0)
            offer_kubeconfig(c, parts[i].part, prefix, current);
    if (streq(o->name, "namespace"))
        offer_names(c, &KIND_NAMESPACE, prefix, current);
    else if (streq(arg, "VM"))
        offer_names(c, &KIND_VM, prefix, current);
    else if (strchr(arg, '|'))
        offer_fixed(prefix, arg, current);
    return streq(arg, "FILE") ? FILES : NO_FILES;
}

/* ---- flags ---- */

static const struct option *find(const struct option_program *p, const char *name, size_t len)
{
    const struct option *const tables[] = { p->options, p->more };

    for (size_t i = 0; i < countof(tables); i++)
        for (const struct option *o = tables[i]; o && o->name; o++)
            if ((strlen(o->name) == len && strncmp(o->name, name, len) == 0) ||
                (len == 1 && o->letter == name[0]))
                return o;
    return NULL;
}

static int offer_flags(struct cli *c, const struct option_program *p, const char *current)
{
    const struct option *const tables[] = { p->options, p->more };
    const char *equals = strchr(current, '=');

    if (equals) {
        const char *name = current + strspn(current, "-");
        const struct option *o = find(p, name, (size_t)(equals - name));
        scoped(free) char *prefix = must_strndup(current, (size_t)(equals + 1 - current));

        return o ? offer_value(c, o, prefix, current) : NO_FILES;
    }
    for (size_t i = 0; i < countof(tables); i++)
        for (const struct option *o = tables[i]; o && o->name; o++)
            if (*o->help)
                offer("--", o->name, current, o->help);
    offer("--", "help", current, "Print this help and exit.");
    return NO_FILES;
}

/* ---- words ---- */

static void offer_commands(const char *group, const char *current)
{
    const size_t len = strlen(group);
    const char *told = "";

    for (size_t i = 0; i < commands_len; i++) {
        const struct command *k = &commands[i];
        const bool is_inside = len == 0 || (str_has_prefix(k->name, group) && k->name[len] == ' ');
        const char *name = k->name + (len > 0 ? len + 1 : 0);
        const size_t word_len = is_inside ? strcspn(name, " ") : 0;

        if (!is_inside || k->traits & HIDDEN ||
            (strncmp(told, name, word_len) == 0 && told[word_len] == ' '))
            continue; /* "create" is offered once */
        scoped(free) char *word = must_strndup(name, word_len);
        offer("", word, current, name[word_len] ? NULL : k->summary);
        told = name;
    }
}

/* The n-th word of "vm|vmi NAME", without brackets and dots; "" when there is none.  New. */
static char *usage_word(const char *args, size_t n)
{
    for (;; n--) {
        const size_t len = strcspn(args, " ");
        const size_t skip = strspn(args, "[");
        const size_t end = skip + strcspn(args + skip, "]. ");

        if (n == 0 || len == 0)
            return memchr(args, '/', len) ? must_strndup(args, len)
                                          : must_strndup(args + skip, end > skip ? end - skip : 0);
        args += len + (args[len] == ' ');
    }
}

static void offer_argument(struct cli *c, const struct command *k, const struct option_list *given,
                           const char *current)
{
    scoped(free) char *what = usage_word(k->args, given->len);
    const struct machine_kind *kind = given->len > 0 ? machine_kind(given->item[0]) : NULL;

    if (streq(what, "VM"))
        offer_names(c, &KIND_VM, "", current);
    else if (streq(what, "VMI"))
        offer_names(c, &KIND_VMI, "", current);
    else if (streq(what, "NAME"))
        offer_names(c,
                    kind                    ? kind->kind
                    : c->flags.graph.is_vmi ? &KIND_VMI
                                            : &KIND_VM,
                    "", current);
    else if (streq(what, "COMMAND"))
        offer_commands(given->len > 0 ? given->item[0] : "", current);
    else if (strchr(what, '/')) {
        offer_names(c, &KIND_VM, "vm/", current);
        offer_names(c, &KIND_VMI, "vmi/", current);
    } else if (strchr(what, '|'))
        offer_fixed("", what, current);
}

static bool is_builtin(const char *word)
{
    return streq(word, "--help") || streq(word, "-h") || streq(word, "--version") ||
           streq(word, "--man");
}

int complete_run(struct cli *c, int argc, char **argv)
{
    static const struct command none = { .name = "", .args = "" };
    const char *current = argc > 1 ? argv[argc - 1] : "";
    struct option_list given = { 0 };
    struct command_program p;
    struct error e;
    int n = 0;

    /* What comes before the word; flags that print and end are left out. */
    for (int i = 0; i < argc - (argc > 1); i++)
        if (i == 0 || !is_builtin(argv[i]))
            argv[n++] = argv[i];

    const char *before = n > 1 ? argv[n - 1] : "";
    struct words w = words_take(&n, argv);
    const struct command *k = w.command ? w.command : &none;
    int directive = NO_FILES;

    command_program(&p, c->program, k);
    const bool is_value = options_takes_next(&p.program, before);
    if (is_value)
        n--; /* its value is what is asked for */
    /* A line that is wrong so far still says where the cluster is. */
    (void)options_parse(&p.program, &c->flags, n, argv, &given, &e);
    if (is_value) {
        const char *name = before + strspn(before, "-");
        directive = offer_value(c, find(&p.program, name, strlen(name)), "", current);
    } else if (*current == '-') {
        directive = offer_flags(c, &p.program, current);
    } else if (!w.command) {
        offer_commands(w.group, current);
    } else {
        if (given.len == 0 && command_is_group(k->name))
            offer_commands(k->name, current);
        offer_argument(c, k, &given, current);
    }
    (void)printf(":%d\n", directive);
    return 0;
}
