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

// clang-format off
const struct command commands[] = {
    { "console",     "VMI",           1, 1, console_flags, run_console,     "Connect to the serial console of a machine." },
    { "fslist",      "VMI",           1, 1, NULL,          run_fslist,      "List the file systems that the guest has mounted." },
    { "guestosinfo", "VMI",           1, 1, NULL,          run_guestosinfo, "Show what the guest agent says of its system." },
    { "options",     "",              0, 0, NULL,          run_options,     "List the flags that every command takes." },
    { "pause",       "vm|vmi NAME",   2, 2, dry_run_flags, run_pause,       "Stop the virtual CPUs of a machine; memory is kept." },
    { "preset",      "preview [VMI]", 1, 2, preset_flags,  run_preset,      "Show what presets make of an instance, without creating it." },
    { "reset",       "VMI",           1, 1, NULL,          run_reset,       "Reset the virtual hardware of a machine at once." },
    { "restart",     "VM",            1, 1, stop_flags,    run_restart,     "Restart a machine." },
    { "soft-reboot", "VMI",           1, 1, NULL,          run_soft_reboot, "Ask the guest to reboot." },
    { "start",       "VM",            1, 1, start_flags,   run_start,       "Start a machine." },
    { "stop",        "VM",            1, 1, stop_flags,    run_stop,        "Stop a machine." },
    { "unpause",     "vm|vmi NAME",   2, 2, dry_run_flags, run_unpause,     "Let a paused machine go on." },
    { "userlist",    "VMI",           1, 1, NULL,          run_userlist,    "List who is logged in to the guest." },
    { "version",     "",              0, 0, version_flags, run_version,     "Print the versions of client and server." },
    { "vnc",         "VMI",           1, 2, vnc_flags,     run_vnc,         "Open the screen of a machine; vnc screenshot VMI takes a picture." },
};
// clang-format on
const size_t commands_len = countof(commands);

/* "kubectl virt" when kubectl runs us as its plugin, as users type it. */
static const char *program_name(const char *argv0)
{
    const char *base = strrchr(argv0, '/');

    base = base ? base + 1 : argv0;
    if (streq(base, "kubectl-virt") || streq(base, "kubectl_virt"))
        return "kubectl virt";
    return base;
}

static void print_commands(const char *program)
{
    (void)printf("%s controls virtual machines on Kubernetes.\n\nAvailable Commands:\n", program);
    for (size_t i = 0; i < commands_len; i++)
        (void)printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    (void)printf("\nUse \"%s <command> --help\" for more information about a given command.\n"
                 "Use \"%s options\" for a list of global command-line options.\n",
                 program, program);
}

int run_options(struct cli *c, const struct option_list *args, struct error *e)
{
    struct option_program p = { .name = c->program,
                                .summary = "Flags that every command takes.",
                                .options = global_options };
    scoped_buf text = BUF_INIT(0);

    options_help(&p, &text);
    (void)fwrite(text.data, 1, text.len, stdout);
    return 0;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < commands_len; i++)
        if (streq(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static bool needs_cluster(const struct command *command)
{
    return command->run != run_options && command->run != run_version;
}

static int run(struct cli *c, const struct command *command, int argc, char **argv, struct error *e)
{
    static const struct option none[] = { { 0 } };
    struct option_list args = { 0 };
    scoped(free) char *name = must_asprintf("%s %s", c->program, command->name);
    scoped(free) char *usage = must_asprintf("[flags] %s", command->args);
    struct option_program p = { .name = name,
                                .summary = command->summary,
                                .usage = usage,
                                .options = command->options ? command->options : none,
                                .more = global_options };

    int r = options_parse(&p, &c->flags, argc, argv, &args, e);
    if (r < 0 || r == OPTIONS_DONE)
        return r < 0 ? r : 0;
    if (args.len < command->args_min || args.len > command->args_max)
        return error_set(e, ERR_BAD_REQUEST, "usage: %s %s", name, usage);

    log_init("kubectl-virt", (int)c->flags.verbosity - 1);
    if (needs_cluster(command) && cli_connect(c, e) < 0)
        return -(int)e->code;
    return command->run(c, &args, e);
}

/* Is this "--name" or "-n" of a global flag whose value is the next word? */
static bool takes_next_word(const char *arg)
{
    const char *name = arg + strspn(arg, "-");

    for (const struct option *o = global_options; o->name; o++) {
        bool has_value = o->type != OPTION_BOOL && o->type != OPTION_IGNORED_BOOL;
        bool is_letter = o->letter && name[0] == o->letter && name[1] == '\0';

        if (has_value && (is_letter || streq(o->name, name)))
            return true;
    }
    return false;
}

/* Flags may come before the command, as kubectl's users write them. */
static int find_word(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            return i;
        if (takes_next_word(argv[i]))
            i++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct cli c = { .program = program_name(argv[0]) };
    struct error e = { 0 };
    int at = find_word(argc, argv);

    (void)signal(SIGPIPE, SIG_IGN);
    json_object_seed(0);
    if (at == 0) {
        if (argc > 1 && streq(argv[1], "--version"))
            (void)printf("%s %s\n", c.program, version_string);
        else
            print_commands(c.program);
        return 0;
    }

    const struct command *command = find_command(argv[at]);
    if (!command && streq(argv[at], "help")) {
        print_commands(c.program);
        return 0;
    }
    if (!command) {
        (void)fprintf(stderr, "unknown command \"%s\" for \"%s\"\n", argv[at], c.program);
        return 1;
    }

    /* The command's word is taken out, so that what is left is flags and arguments. */
    memmove(&argv[at], &argv[at + 1], (size_t)(argc - at) * sizeof(*argv));
    int r = run(&c, command, argc - 1, argv, &e);
    if (r < 0) {
        if (c.kube)
            version_compare(&c);
        (void)fprintf(stderr, "%s\n", e.msg);
    }
    cli_done(&c);
    return r < 0 ? 1 : 0;
}
