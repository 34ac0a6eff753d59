/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands is consistent, and command lines lead to its rows. */
#include <stdio.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/words.h"
#include "test/unit/rows.h"

enum { WORDS = 8 };

static const struct row {
    const char *name;
    const char *argv[WORDS];
    const char *command, *group, *unknown; /* NULL: none; group "" */
    int left;                              /* arguments that stay */
} rows[] = {
    { "nothing", { "k" }, NULL, "", NULL, 1 },
    { "one word", { "k", "start", "vm" }, "start", "", NULL, 2 },
    { "flags with values before it", { "k", "-n", "ns", "start", "vm" }, "start", "", NULL, 4 },
    { "a flag with its value attached", { "k", "--namespace=ns", "start" }, "start", "", NULL, 2 },
    { "two words", { "k", "create", "vm", "--name", "x" }, "create vm", "", NULL, 3 },
    { "flags between the words",
      { "k", "create", "-n", "ns", "clone" },
      "create clone",
      "",
      NULL,
      3 },
    { "a group alone", { "k", "create" }, NULL, "create", NULL, 1 },
    { "a group and a word it does not have", { "k", "create", "pod" }, NULL, "create", "pod", 2 },
    { "no command", { "k", "strat" }, NULL, "", "strat", 2 },
    { "words after -- are none", { "k", "--", "start" }, NULL, "", NULL, 3 },
};

static void finds(void **state)
{
    const struct row *c = *state;
    char *argv[WORDS + 1] = { NULL };
    int argc = 0;

    while (argc < WORDS && c->argv[argc]) {
        argv[argc] = (char *)c->argv[argc];
        argc++;
    }
    struct words w = words_take(&argc, argv);
    assert_true(streq(w.command ? w.command->name : NULL, c->command));
    assert_string_equal(w.group, c->group);
    assert_true(streq(w.unknown, c->unknown));
    assert_int_equal(argc, c->left);
}

static const struct near {
    const char *name, *group, *word, *want;
} nears[] = {
    { "two letters swapped", "", "strat", "start" },
    { "the beginning of one", "", "guesto", "guestosinfo" },
    { "in a group", "credentials", "add-ssh", "credentials add-ssh-key" },
    { "nothing near", "", "xyzzy-plugh", NULL },
};

static void guesses(void **state)
{
    const struct near *c = *state;
    const struct command *got = command_near(c->group, c->word);

    assert_true(streq(got ? got->name : NULL, c->want));
}

static void is_consistent(void **state)
{
    for (size_t i = 0; i < commands_len; i++) {
        const struct command *c = &commands[i];
        struct command_program p;

        assert_ptr_equal(command_find(c->name), c);
        assert_non_null(c->run);
        assert_true(c->summary && str_has_suffix(c->summary, "."));
        assert_true(c->args_min <= c->args_max && c->args);
        assert_true(c->group < command_groups_len && command_groups[c->group]);
        command_program(&p, "kubectl virt", c);
        assert_true(str_has_suffix(p.name, c->name));
        for (const struct option *o = c->options; o && o->name; o++) {
            if (!o->help || !*o->help)
                fail_msg("--%s of %s says nothing", o->name, c->name);
            if (o->type == OPTION_WORD && !strchr(o->arg, '|'))
                fail_msg("--%s of %s has one word", o->name, c->name);
        }
    }
}

static void defaults_pass(void **state)
{
    static struct flags flags;

    for (size_t i = 0; i < commands_len; i++) {
        char *argv[] = { (char *)"k", NULL };
        struct option_list args;
        struct command_program p;
        struct error e;

        command_program(&p, "k", &commands[i]);
        assert_int_equal(options_parse(&p.program, &flags, 1, argv, &args, &e), OPTIONS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest table[] = { cmocka_unit_test(is_consistent),
                                        cmocka_unit_test(defaults_pass) };
    int failed = RUN_ROWS("words", rows, finds);

    failed += RUN_ROWS("did you mean", nears, guesses);
    return failed + cmocka_run_group_tests_name("table", table, NULL, NULL);
}
