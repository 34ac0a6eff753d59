/* SPDX-License-Identifier: Apache-2.0 */
/* help, options, and the manual pages. */
#include "cli/help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/words.h"

static const struct option no_options[] = { { 0 } };

/* Of every manual page. */
static const struct option_section common_sections[] = {
    { "Exit status", "0 when the command succeeded, 1 for any failure, which is told on stderr.\n",
      false },
    { "Environment",
      "KUBECONFIG is a list of kubeconfig files, separated by colons, that are merged. "
      "HTTPS_PROXY, HTTP_PROXY and NO_PROXY say which proxy leads to the API server.\n",
      false },
    { "Files",
      "  ~/.kube/config\nThe kubeconfig, when neither --kubeconfig nor KUBECONFIG is "
      "given.\n",
      false },
    { "See also", "kubectl(1)\n", false },
};

/* "%s" of an example becomes the program. */
static const char *with_program(const char *text, const char *program)
{
    static char out[2048]; /* one command is shown at a time */
    scoped_buf b = BUF_INIT(sizeof(out) - 1);

    while (*text) {
        const char *mark = strstr(text, "%s");

        (void)buf_add(&b, text, mark ? (size_t)(mark - text) : strlen(text));
        if (!mark)
            break;
        (void)buf_adds(&b, program);
        text = mark + 2;
    }
    must(!b.truncated);
    (void)snprintf(out, sizeof(out), "%s", b.data);
    return out;
}

void command_program(struct command_program *ret, const char *program, const struct command *c)
{
    const char *examples = command_examples(c->name);
    size_t n = 0;

    *ret = (struct command_program){ 0 };
    (void)snprintf(ret->name, sizeof(ret->name), "%s %s", program, c->name);
    (void)snprintf(ret->usage, sizeof(ret->usage), "[flags]%s%s", *c->args ? " " : "", c->args);
    if (examples)
        ret->sections[n++] =
            (struct option_section){ "Examples", with_program(examples, program), true };
    for (size_t i = 0; i < countof(common_sections); i++)
        ret->sections[n++] = common_sections[i];
    ret->program = (struct option_program){ .name = ret->name,
                                            .summary = c->summary,
                                            .usage = ret->usage,
                                            .options = c->options ? c->options : no_options,
                                            .more = global_options,
                                            .sections = ret->sections };
}

static bool is_of(const struct command *c, const char *group)
{
    const size_t len = strlen(group);

    return !(c->traits & HIDDEN) &&
           (len == 0 || (str_has_prefix(c->name, group) && c->name[len] == ' '));
}

static int widest_name(void)
{
    int width = 0;

    for (size_t i = 0; i < commands_len; i++)
        if (!(commands[i].traits & HIDDEN) && (int)strlen(commands[i].name) > width)
            width = (int)strlen(commands[i].name);
    return width;
}

static void list_title(const char *title, const char *group, int width)
{
    bool is_titled = *group != '\0';

    for (size_t i = 0; i < commands_len; i++) {
        if (!is_of(&commands[i], group) || !streq(command_groups[commands[i].group], title))
            continue;
        if (!is_titled)
            (void)printf("\n%s:\n", title);
        is_titled = true;
        (void)printf("  %-*s  %s\n", width, commands[i].name, commands[i].summary);
    }
}

void help_list(const char *program, const char *group)
{
    const int width = widest_name();

    if (*group)
        (void)printf("Usage:\n  %s %s <command>\n\nAvailable Commands:\n", program, group);
    else
        (void)printf("%s controls virtual machines on Kubernetes.\n\nAvailable Commands:\n",
                     program);
    for (size_t i = 0; i < command_groups_len; i++)
        list_title(command_groups[i], group, width);
    (void)printf("\nUse \"%s%s%s <command> --help\" for more information about a given command.\n"
                 "Use \"%s options\" for a list of global command-line options.\n",
                 program, *group ? " " : "", group, program);
}

static void print(const struct option_program *p,
                  void write(const struct option_program *p, struct buf *out))
{
    scoped_buf text = BUF_INIT(0);

    write(p, &text);
    (void)fwrite(text.data, 1, text.len, stdout);
}

int run_help(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *first = args->len > 0 ? args->item[0] : "";
    scoped(free) char *both =
        args->len > 1 ? must_asprintf("%s %s", first, args->item[1]) : must_strdup(first);
    const struct command *command = command_find(both);
    struct command_program p;

    if (!command)
        command = command_find(first);
    if (args->len == 0 || (!command && command_is_group(first))) {
        help_list(c->program, first);
        return 0;
    }
    if (!command)
        return error_set(e, ERR_NOT_FOUND, "unknown help topic \"%s\"", both);
    command_program(&p, c->program, command);
    print(&p.program, options_help);
    return 0;
}

int run_options(struct cli *c, const struct option_list *args, struct error *e)
{
    struct option_program p = { .name = c->program,
                                .summary = "Flags that every command takes.",
                                .options = global_options };

    print(&p, options_help);
    return 0;
}

static int write_page(const char *folder, const struct command *command, struct error *e)
{
    scoped(free) char *path = must_asprintf("%s/kubectl-virt-%s.1", folder, command->name);
    scoped_buf text = BUF_INIT(0);
    struct command_program p;

    for (char *at = path + strlen(folder); *at; at++)
        if (*at == ' ')
            *at = '-';
    command_program(&p, "kubectl virt", command);
    options_man(&p.program, 1, &text);

    FILE *out = fopen(path, "we");
    bool is_written = out && fwrite(text.data, 1, text.len, out) == text.len;
    if ((out && fclose(out) != 0) || !is_written)
        return error_set(e, ERR_INTERNAL, "write %s: %s", path, strerror(errno));
    return 0;
}

/* __man FOLDER: a page for each command; `make man`. */
int run_man(struct cli *c, const struct option_list *args, struct error *e)
{
    for (size_t i = 0; i < commands_len; i++)
        if (!(commands[i].traits & HIDDEN) && write_page(args->item[0], &commands[i], e) < 0)
            return -(int)e->code;
    return 0;
}
