/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubectl-virt: the user's command.  Finds the command in the table, parses its
 * flags together with the global ones, runs it.  Exit status 0, or 1 on any
 * failure (spec 06, section 1).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/explain.h"
#include "cli/help.h"
#include "cli/words.h"

/* "kubectl virt" when kubectl runs us as its plugin, as users type it; else as upstream's. */
static const char *program_name(const char *argv0)
{
    const char *base = strrchr(argv0, '/');
    static char plugin[64];

    base = base ? base + 1 : argv0;
    if (!str_has_suffix(base, "-virt"))
        return "virtctl";
    (void)snprintf(plugin, sizeof(plugin), "%.*s virt", (int)(strlen(base) - strlen("-virt")),
                   base);
    return plugin;
}

static int run(struct cli *c, const struct command *command, int argc, char **argv, struct error *e)
{
    struct option_list args = { 0 };
    struct command_program p;

    command_program(&p, c->program, command);
    int r = options_parse(&p.program, &c->flags, argc, argv, &args, e);
    if (r < 0)
        return r;
    if (r == OPTIONS_DONE)
        return 0;
    if (args.len < command->args_min || args.len > command->args_max)
        return error_set(e, ERR_BAD_REQUEST, "usage: %s %s", p.name, p.usage);

    log_init("kubectl-virt", (int)c->flags.verbosity - 1);
    if (!(command->traits & WITHOUT_CLUSTER) && cli_connect(c, e) < 0)
        return -(int)e->code;
    return command->run(c, &args, e);
}

/* No command: a list when none was asked for, else what was probably meant. */
static int explain(const struct cli *c, const char *group, const struct words *w)
{
    const char *space = *group ? " " : "";

    if (!w->unknown) {
        help_list(c->program, group);
        return 0;
    }
    if (!*group && command_is_missing(w->unknown)) {
        (void)fprintf(stderr, "unknown command \"%s\" for \"%s\": it is not available yet\n",
                      w->unknown, c->program);
        return 1;
    }
    (void)fprintf(stderr, "unknown command \"%s\" for \"%s%s%s\"\n", w->unknown, c->program, space,
                  group);
    const struct command *near = command_near(group, w->unknown);
    if (near)
        (void)fprintf(stderr, "Did you mean \"%s %s\"?\n", c->program, near->name);
    (void)fprintf(stderr, "Run '%s%s%s --help' for the commands there are.\n", c->program, space,
                  group);
    return 1;
}

static bool is_version_asked(int argc, char **argv)
{
    return argc > 1 && streq(argv[1], "--version");
}

int main(int argc, char **argv)
{
    struct cli c = { .program = program_name(argv[0]), .argv0 = argv[0] };
    struct error e = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    /* Addresses that are waited for reach a pipe or file at once. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    json_object_seed(0);

    const int completes = complete_is_asked(argc, argv);
    if (completes > 0) {
        argv[completes - 1] = argv[0];
        int status = complete_run(&c, argc - completes + 1, argv + completes - 1);
        cli_done(&c);
        return status;
    }
    for (int i = 1; i < argc; i++)
        if (!str_is_utf8(argv[i])) {
            (void)fprintf(stderr, "argument %d is not UTF-8\n", i);
            return 1;
        }

    struct words w = words_take(&argc, argv);
    if (!w.command && !w.unknown && is_version_asked(argc, argv)) {
        (void)printf("%s %s\n", c.program, version_string);
        return 0;
    }
    if (!w.command)
        return explain(&c, w.group, &w);

    scoped_buf advice = BUF_INIT(0);
    int r = run(&c, w.command, argc, argv, &e);
    if (r < 0) {
        if (c.kube)
            version_compare(&c);
        (void)fprintf(stderr, "%s\n", e.msg);
        explain_failure(&e, c.program, c.namespace, &advice);
        (void)fputs(advice.data ? advice.data : "", stderr);
    }
    cli_done(&c);
    return r < 0 ? 1 : 0;
}
