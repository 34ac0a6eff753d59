/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain.h"

#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

/* The text between two others in the message, new; NULL when they are not there. */
static char *between(const char *message, const char *before, const char *after)
{
    const char *begin = strstr(message, before);
    const char *end = begin ? strstr(begin + strlen(before), after) : NULL;

    return end ? must_strndup(begin + strlen(before),
                              (size_t)(end - begin - (ptrdiff_t)strlen(before)))
               : NULL;
}

/* 'User "u" cannot VERB resource "R" in API group "G" ...' tells which rule is missing. */
static void explain_forbidden(const struct error *e, struct buf *out)
{
    scoped(free) char *verb = between(e->msg, " cannot ", " resource ");
    scoped(free) char *resource = between(e->msg, " resource \"", "\"");
    scoped(free) char *group = between(e->msg, " in API group \"", "\"");

    if (verb && resource && group)
        (void)buf_addf(out,
                       "A role of yours must have the rule {apiGroups: [\"%s\"], resources: [%s], "
                       "verbs: [%s]}.\n",
                       group, resource, verb);
}

static bool is_unserved(const struct error *e)
{
    return strstr(e->msg, "could not find the requested resource") ||
           strstr(e->msg, "answered 404");
}

void explain_failure(const struct error *e, const char *program, const char *namespace,
                     struct buf *out)
{
    if (is_unserved(e)) {
        (void)buf_addf(out,
                       "The server does not have it: its KubeVirt API is missing or of another "
                       "version (%s version shows which).\n",
                       program);
        return;
    }
    // NOLINTNEXTLINE: most codes need no advice
    switch ((int)e->code) {
    case ERR_UNAUTHORIZED:
        (void)buf_adds(out, "The credentials of the kubeconfig have expired or are not known to "
                            "this cluster: log in again, or choose others with --context or "
                            "--user.\n");
        break;
    case ERR_FORBIDDEN:
        explain_forbidden(e, out);
        break;
    case ERR_NOT_FOUND:
        if (namespace && str_has_suffix(e->msg, "not found"))
            (void)buf_addf(out, "Looked in namespace \"%s\"; -n chooses another.\n", namespace);
        break;
    }
}
