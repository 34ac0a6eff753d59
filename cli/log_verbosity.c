/* SPDX-License-Identifier: Apache-2.0 */
/* adm log-verbosity: how much the components say (spec 06, section 3.10). */
#include <stdio.h>

#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "kube/client.h"

enum { DEFAULT_LEVEL = 2, LEVEL_MAX = 9, SHOW_LEVEL = 10 };

#define LEVEL_FLAG(flag, member, what)                               \
    {                                                                \
        flag, 0, OPTION_OPTIONAL, FLAG(verbosities.member),          \
            .help = "Show the level of " what ", or set it to 0..9." \
    }

const struct option log_verbosity_flags[] = {
    LEVEL_FLAG("virt-api", api, "virt-api"),
    LEVEL_FLAG("virt-controller", controller, "virt-controller"),
    LEVEL_FLAG("virt-handler", handler, "virt-handler"),
    LEVEL_FLAG("virt-launcher", launcher, "virt-launcher"),
    LEVEL_FLAG("virt-operator", operator, "virt-operator"),
    LEVEL_FLAG("all", all_of_them, "all components"),
    { "reset", 0, OPTION_BOOL, FLAG(verbosities.resets), .dflt = "false",
      .help = "Back to the defaults." },
    { 0 },
};

/* Sorted by component, as they are shown. */
static const struct {
    const char *component, *key;
    size_t offset; /* in struct verbosity_flags */
} components[] = {
    { "virt-api", "virtAPI", offsetof(struct verbosity_flags, api) },
    { "virt-controller", "virtController", offsetof(struct verbosity_flags, controller) },
    { "virt-handler", "virtHandler", offsetof(struct verbosity_flags, handler) },
    { "virt-launcher", "virtLauncher", offsetof(struct verbosity_flags, launcher) },
    { "virt-operator", "virtOperator", offsetof(struct verbosity_flags, operator) },
};

static const char *flag_of(const struct verbosity_flags *f, size_t i)
{
    return *(const char *const *)((const char *)f + components[i].offset);
}

/* The wanted level; SHOW_LEVEL when it is only to be shown, -1 when the flag was not given. */
static int parse_level(const char *component, const char *text, int *ret, struct error *e)
{
    long long level = -1;

    if (text && !*text)
        level = SHOW_LEVEL;
    else if (text && str_to_int(text, 0, SHOW_LEVEL, &level) < 0)
        return error_set(e, ERR_BAD_REQUEST,
                         "%s: log verbosity must be 0-%d, \"%s\" is not (write --%s=N)", component,
                         LEVEL_MAX, text, component);
    *ret = (int)level;
    return 0;
}

struct wish {
    bool shows, sets;
    int level[countof(components)]; /* -1: nothing about it */
};

static int parse_wish(const struct verbosity_flags *f, struct wish *ret, struct error *e)
{
    int all;

    *ret = (struct wish){ 0 };
    if (f->resets && f->all_of_them)
        return error_set(e, ERR_BAD_REQUEST, "--all and --reset exclude each other");
    if (parse_level("all", f->all_of_them, &all, e) < 0)
        return -(int)e->code;
    for (size_t i = 0; i < countof(components); i++) {
        if (parse_level(components[i].component, flag_of(f, i), &ret->level[i], e) < 0)
            return -(int)e->code;
        if (ret->level[i] < 0)
            ret->level[i] = all;
        ret->shows |= ret->level[i] == SHOW_LEVEL;
        ret->sets |= ret->level[i] >= 0 && ret->level[i] <= LEVEL_MAX;
    }
    if (ret->shows && (ret->sets || f->resets))
        return error_set(e, ERR_BAD_REQUEST, "only show or set is allowed, not both at once");
    if (!ret->shows && !ret->sets && !f->resets)
        return error_set(e, ERR_BAD_REQUEST, "no flag specified - expecting at least one flag");
    return 0;
}

static void show(const struct wish *w, const json_t *levels)
{
    for (size_t i = 0; i < countof(components); i++)
        if (w->level[i] == SHOW_LEVEL)
            (void)printf("%s=%lld\n", components[i].component,
                         (long long)jpath_int(levels, components[i].key, DEFAULT_LEVEL));
}

static int set(struct cli *c, const json_t *kubevirt, const struct wish *w, bool resets,
               struct error *e)
{
    static const char developer[] = "/spec/configuration/developerConfiguration";
    const json_t *old =
        jpath_obj(kubevirt, "spec.configuration.developerConfiguration.logVerbosity");
    json_auto_t *levels = resets || !old ? json_object() : must_copy(old);
    json_auto_t *patch = json_array();
    scoped(free) char *path = must_asprintf("%s/logVerbosity", developer);

    for (size_t i = 0; i < countof(components); i++)
        if (w->level[i] >= 0)
            must_set(levels, components[i].key, json_integer(w->level[i]));
    if (!jpath_obj(kubevirt, "spec.configuration"))
        jpatch_add(patch, "/spec/configuration", json_object());
    if (!jpath_obj(kubevirt, "spec.configuration.developerConfiguration"))
        jpatch_add(patch, developer, json_object());
    jpatch_add(patch, path, json_incref(levels));
    if (kube_patch(c->kube, &KIND_KUBEVIRT, meta_namespace(kubevirt), meta_name(kubevirt), NULL,
                   KUBE_PATCH_JSON, patch, NULL, NULL, e) < 0)
        return error_wrap(e, "error patching KubeVirt %s", meta_name(kubevirt));
    (void)puts("successfully set/reset the log verbosity");
    return 0;
}

int run_log_verbosity(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct verbosity_flags *f = &c->flags.verbosities;
    json_auto_t *list = NULL;
    struct wish w;

    if (parse_wish(f, &w, e) < 0)
        return -(int)e->code;
    if (kube_list(c->kube, &KIND_KUBEVIRT, NULL, NULL, &list, e) < 0)
        return error_wrap(e, "could not list KubeVirt CRs across all namespaces");
    if (json_array_size(list) != 1)
        return error_set(e, ERR_NOT_FOUND, "one KubeVirt object is expected, there are %zu",
                         json_array_size(list));

    const json_t *kubevirt = json_array_get(list, 0);
    if (w.shows) {
        show(&w, jpath_obj(kubevirt, "spec.configuration.developerConfiguration.logVerbosity"));
        return 0;
    }
    return set(c, kubevirt, &w, f->resets, e);
}
