/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/words.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static const struct option no_options[] = { { 0 } };

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < commands_len; i++)
        if (streq(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* What follows "group " in the name; the name itself for the group "". */
static const char *word_in_group(const char *group, const char *name)
{
    const size_t len = strlen(group);

    if (len == 0)
        return name;
    return str_has_prefix(name, group) && name[len] == ' ' ? name + len + 1 : NULL;
}

bool command_is_group(const char *word)
{
    for (size_t i = 0; i < commands_len && *word; i++)
        if (word_in_group(word, commands[i].name))
            return true;
    return false;
}

const struct command *command_near(const char *group, const char *word)
{
    const struct command *best = NULL;
    size_t best_distance = 3;

    for (size_t i = 0; i < commands_len; i++) {
        const char *candidate = word_in_group(group, commands[i].name);

        if (!candidate || commands[i].traits & HIDDEN)
            continue;
        scoped(free) char *first = must_strndup(candidate, strcspn(candidate, " "));
        /* The beginning of a name is as good as two letters that differ. */
        const size_t distance =
            strlen(word) > 1 && str_has_prefix(first, word) ? 2 : str_distance(first, word);
        if (distance < best_distance) {
            best = &commands[i];
            best_distance = distance;
        }
    }
    return best;
}

bool command_is_missing(const char *word)
{
    static const char *const missing[] = { "image-upload", "vmexport", "guestfs", "memory-dump",
                                           "template" };

    for (size_t i = 0; i < countof(missing); i++)
        if (streq(missing[i], word))
            return true;
    return false;
}

/* Index of the next argument that is no flag; 0 when there is none. */
static int next_word(int from, int argc, char **argv, const struct command *so_far)
{
    const struct option_program flags = {
        .options = so_far && so_far->options ? so_far->options : no_options,
        .more = global_options,
    };

    for (int i = from; i < argc && !streq(argv[i], "--"); i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return i;
        if (options_takes_next(&flags, argv[i]))
            i++;
    }
    return 0;
}

static void take_out(int at, int *argc, char **argv)
{
    memmove(&argv[at], &argv[at + 1], (size_t)(*argc - at) * sizeof(*argv));
    (*argc)--;
}

struct words words_take(int *argc, char **argv)
{
    struct words w = { .group = "" };
    int at = next_word(1, *argc, argv, NULL);

    if (at == 0)
        return w;

    const char *first = argv[at];
    const bool is_group = command_is_group(first);
    w.command = command_find(first);
    if (!w.command && !is_group) {
        w.unknown = first;
        return w;
    }
    take_out(at, argc, argv);
    if (!is_group)
        return w;

    at = next_word(at, *argc, argv, w.command);
    if (at > 0) {
        scoped(free) char *both = must_asprintf("%s %s", first, argv[at]);
        const struct command *second = command_find(both);

        if (second) {
            take_out(at, argc, argv);
            return (struct words){ .command = second, .group = "" };
        }
    }
    if (w.command)
        return w;
    w.group = first;
    if (at > 0)
        w.unknown = argv[at];
    return w;
}
