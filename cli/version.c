/* SPDX-License-Identifier: Apache-2.0 */
/* version, and the comparison that follows a failure (spec 06, section 1.3). */
#include <stdio.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "kube/client.h"

const struct option version_flags[] = {
    { "client", 'c', OPTION_BOOL, FLAG(is_client_only), .dflt = "false",
      .help = "Do not ask the server." },
    { "output", 'o', OPTION_WORD, FLAG(output), .dflt = "", .arg = "json|yaml",
      .help = "Print both as one document." },
    { 0 },
};

static json_t *client_version(void)
{
    return must_pack("{s:s, s:s, s:s}", "gitVersion", version_string, "gitCommit",
                     version_git_commit, "platform", "linux");
}

/* In the syntax that scripts written for upstream's tool read. */
static void print_version(const char *side, const json_t *v)
{
    (void)printf(
        "%s Version: version.Info{GitVersion:\"%s\", GitCommit:\"%s\", GitTreeState:\"%s\", "
        "BuildDate:\"%s\", GoVersion:\"%s\", Compiler:\"%s\", Platform:\"%s\"}\n",
        side, jpath_str(v, "gitVersion", ""), jpath_str(v, "gitCommit", ""),
        jpath_str(v, "gitTreeState", ""), jpath_str(v, "buildDate", ""),
        jpath_str(v, "goVersion", ""), jpath_str(v, "compiler", ""), jpath_str(v, "platform", ""));
}

static int server_version(struct cli *c, json_t **ret, struct error *e)
{
    json_auto_t *group = NULL;

    if (kube_raw(c->kube, HTTP_GET, "/apis/subresources.kubevirt.io", NULL, &group, e) < 0)
        return error_wrap(e, "find the server's version");

    scoped(free) char *path =
        must_asprintf("/apis/%s/version", jpath_str(group, "preferredVersion.groupVersion",
                                                    "subresources.kubevirt.io/v1"));
    return kube_raw(c->kube, HTTP_GET, path, NULL, ret, e);
}

int run_version(struct cli *c, const struct option_list *args, struct error *e)
{
    json_auto_t *mine = client_version();
    json_auto_t *theirs = NULL;
    json_auto_t *both = must_pack("{s:O}", "clientVersion", mine);
    const bool is_text = !*c->flags.output;

    if (is_text)
        print_version("Client", mine);
    if (!c->flags.is_client_only) {
        if (!c->kube && cli_connect(c, e) < 0)
            return -(int)e->code;
        if (server_version(c, &theirs, e) < 0)
            return -(int)e->code;
        must_set(both, "serverVersion", json_incref(theirs));
        if (is_text)
            print_version("Server", theirs);
    }
    return is_text ? 0 : document_print(both, c->flags.output, 2, e);
}

static bool parse_minor(const char *version, int *major, int *minor)
{
    return sscanf(*version == 'v' ? version + 1 : version, "%d.%d", major, minor) == 2;
}

void version_compare(struct cli *c)
{
    json_auto_t *theirs = NULL;
    struct error e;
    int mine[2], other[2];

    if (!c->kube)
        return;
    if (server_version(c, &theirs, &e) < 0) {
        (void)fprintf(stderr, "%s\n", e.msg);
        return;
    }
    const char *version = jpath_str(theirs, "gitVersion", "");
    bool is_same = parse_minor(version_string, &mine[0], &mine[1]) &&
                   parse_minor(version, &other[0], &other[1]) && mine[0] == other[0] &&
                   mine[1] == other[1];
    if (!is_same)
        (void)fprintf(stderr,
                      "You are using a client version that is different from the server's.\n"
                      "Client Version: %s\nServer Version: %s\n",
                      version_string, version);
}
