/* SPDX-License-Identifier: Apache-2.0 */
/* Options: parsing argv by the tables. */
#include "base/options.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

#include "version.h"

const char *const version_string = CVIRT_VERSION;
const char *const version_git_commit = CVIRT_COMMIT;

/* ---- values ---- */

static bool takes_value(enum option_type type)
{
    return type != OPTION_BOOL && type != OPTION_IGNORED_BOOL && type != OPTION_OPTIONAL;
}

static int parse_bool(const char *text, bool *ret)
{
    /* What Go's strconv.ParseBool takes. */
    static const struct {
        const char *no, *yes;
    } words[] = {
        { "false", "true" }, { "False", "True" }, { "FALSE", "TRUE" },
        { "f", "t" },        { "F", "T" },        { "0", "1" },
    };

    for (size_t i = 0; i < countof(words); i++) {
        if (streq(words[i].no, text) || streq(words[i].yes, text)) {
            *ret = streq(words[i].yes, text);
            return 0;
        }
    }
    return -1;
}

/* One "1.5h" of a duration, moved past; nanoseconds to *sum.  0 or -1. */
static int add_duration_part(const char **text, double *sum)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {
        /* The longer first where one begins another. */
        { "ns", 1 },   { "us", 1e3 }, { "\u00b5s", 1e3 }, { "\u03bcs", 1e3 },
        { "ms", 1e6 }, { "s", 1e9 },  { "m", 60e9 },      { "h", 3600e9 },
    };
    const char *at = *text;
    double number = 0;
    double place = 1;
    const size_t whole = strspn(at, "0123456789");

    for (size_t i = 0; i < whole; i++)
        number = number * 10 + (*at++ - '0');
    if (*at == '.') {
        at++;
        for (; *at >= '0' && *at <= '9'; at++) {
            place /= 10;
            number += (*at - '0') * place;
        }
    }
    if (whole == 0 && place == 1)
        return -1;
    for (size_t i = 0; i < countof(units); i++) {
        if (!str_has_prefix(at, units[i].unit))
            continue;
        *sum += number * units[i].ns;
        *text = at + strlen(units[i].unit);
        return 0;
    }
    return -1;
}

int duration_parse(const char *text, long long *ret_ms)
{
    static const double max_ms = 1e15; /* 30,000 years; no sum of these overflows */
    long long seconds;
    double ns = 0;

    if (str_to_int(text, 0, (long long)(max_ms / 1000), &seconds) == 0) {
        *ret_ms = seconds * 1000;
        return 0;
    }
    if (*text == '\0')
        return -1;
    while (*text)
        if (add_duration_part(&text, &ns) < 0)
            return -1;
    if (ns / 1e6 > max_ms)
        return -1;
    *ret_ms = (long long)(ns / 1e6 + 0.5);
    return 0;
}

static int bad_value(const struct option *o, const char *text, const char *wanted, struct error *e)
{
    return error_set(e, ERR_BAD_REQUEST, "--%s: '%s' is not %s", o->name, text, wanted);
}

static int parse_int(const struct option *o, const char *text, long long *ret, struct error *e)
{
    const bool is_open = o->min == 0 && o->max == 0;
    const long long max = is_open ? INT64_MAX : o->max;

    if (str_to_int(text, o->min, max, ret) == 0)
        return 0;
    if (is_open)
        return bad_value(o, text, "a whole number", e);
    return error_set(e, ERR_BAD_REQUEST, "--%s: '%s' is not a whole number from %lld to %lld",
                     o->name, text, o->min, max);
}

static int list_add(struct option_list *list, const char *item)
{
    if (list->len == OPTION_LIST_MAX)
        return -1;
    list->item[list->len++] = item;
    return 0;
}

/* One of "a|b|c", or nothing. */
static int parse_word(const struct option *o, const char *text, const char **ret, struct error *e)
{
    const size_t len = strlen(text);

    for (const char *at = o->arg; len > 0; at++) {
        const size_t word = strcspn(at, "|");

        if (word == len && strncmp(at, text, len) == 0)
            break;
        at += word;
        if (*at == '\0')
            return error_set(e, ERR_BAD_REQUEST, "--%s: '%s' is not one of %s", o->name, text,
                             o->arg);
    }
    *ret = text;
    return 0;
}

static int set_value(const struct option *o, void *settings, const char *text, struct error *e)
{
    void *target = (char *)settings + o->offset;

    switch (o->type) {
    case OPTION_STRING:
    case OPTION_OPTIONAL:
        *(const char **)target = text;
        return 0;
    case OPTION_WORD:
        return parse_word(o, text, target, e);
    case OPTION_STRINGS:
        if (list_add(target, text) < 0)
            return error_set(e, ERR_BAD_REQUEST, "--%s: given more than %d times", o->name,
                             OPTION_LIST_MAX);
        return 0;
    case OPTION_INT:
        return parse_int(o, text, target, e);
    case OPTION_BOOL:
        return parse_bool(text, target) < 0 ? bad_value(o, text, "true or false", e) : 0;
    case OPTION_DURATION:
        return duration_parse(text, target) < 0
                   ? bad_value(o, text, "a duration such as 30s or 1h30m", e)
                   : 0;
    case OPTION_IGNORED:
    case OPTION_IGNORED_BOOL:
        return 0;
    }
    return 0;
}

static void clear_value(const struct option *o, void *settings)
{
    void *target = (char *)settings + o->offset;

    switch (o->type) {
    case OPTION_STRING:
    case OPTION_WORD:
    case OPTION_OPTIONAL:
        *(const char **)target = NULL;
        break;
    case OPTION_STRINGS:
        ((struct option_list *)target)->len = 0;
        break;
    case OPTION_INT:
    case OPTION_DURATION:
        *(long long *)target = 0;
        break;
    case OPTION_BOOL:
        *(bool *)target = false;
        break;
    case OPTION_IGNORED:
    case OPTION_IGNORED_BOOL:
        break;
    }
}

/* Lists take theirs only when nothing was given, after the parse. */
static void set_defaults(const struct option *o, void *settings, bool is_after)
{
    struct error e;

    for (; o && o->name; o++) {
        if (!is_after)
            clear_value(o, settings);
        bool wants = !is_after;
        if (o->type == OPTION_STRINGS) {
            const struct option_list *list = (const void *)((const char *)settings + o->offset);
            wants = is_after && list->len == 0;
        }
        if (wants && o->dflt)
            must(set_value(o, settings, o->dflt, &e) == 0);
    }
}

/* ---- argv ---- */

struct command_line {
    const struct option_program *program;
    void *settings;
    int argc;
    char **argv;
    int next; /* index of the next argument */
};

static bool is_named(const struct option *o, const char *name, size_t len)
{
    return (strncmp(o->name, name, len) == 0 && o->name[len] == '\0') ||
           (len == 1 && o->letter == name[0]);
}

static const struct option *find_option(const struct option_program *p, const char *name,
                                        size_t len)
{
    const struct option *const tables[] = { p->options, p->more };

    for (size_t i = 0; i < countof(tables) && len > 0; i++)
        for (const struct option *o = tables[i]; o && o->name; o++)
            if (is_named(o, name, len))
                return o;
    return NULL;
}

/* Names the option that was probably meant. */
static int unknown_option(const struct option_program *p, const char *argument, const char *name,
                          size_t len, struct error *e)
{
    const struct option *const tables[] = { p->options, p->more };
    const int shown = (int)(name + len - argument);
    scoped(free) char *word = must_strndup(name, len);
    const struct option *best = NULL;
    size_t best_distance = 3;

    for (size_t i = 0; i < countof(tables) && len > 2; i++) {
        for (const struct option *o = tables[i]; o && o->name; o++) {
            const size_t distance = str_distance(word, o->name);
            if (distance < best_distance) {
                best = o;
                best_distance = distance;
            }
        }
    }
    if (best)
        return error_set(e, ERR_BAD_REQUEST, "unknown option '%.*s'; did you mean --%s?", shown,
                         argument, best->name);
    return error_set(e, ERR_BAD_REQUEST, "unknown option '%.*s'", shown, argument);
}

/* "--name=value", "--name value", "-name ...", "-x value", "-xvalue". */
static int parse_option(struct command_line *c, const char *argument, struct error *e)
{
    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    const char *equals = strchr(name, '=');
    const size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const char *value = equals ? equals + 1 : NULL;
    const struct option *o = find_option(c->program, name, len);

    if (!o && argument[1] != '-') {
        o = find_option(c->program, name, 1);
        if (o && !takes_value(o->type))
            o = NULL;
        value = name + 1;
    }
    if (!o)
        return unknown_option(c->program, argument, name, len, e);
    if (!value && !takes_value(o->type))
        value = o->type == OPTION_OPTIONAL ? "" : "true";
    if (!value && c->next < c->argc)
        value = c->argv[c->next++];
    if (!value)
        return error_set(e, ERR_BAD_REQUEST, "--%s needs a value", o->name);
    return set_value(o, c->settings, value, e);
}

bool options_takes_next(const struct option_program *p, const char *argument)
{
    if (argument[0] != '-' || argument[1] == '\0')
        return false;

    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    const struct option *o = find_option(p, name, strlen(name));
    return o && takes_value(o->type);
}

static int add_positional(struct option_list *args, const char *text, struct error *e)
{
    if (!args)
        return error_set(e, ERR_BAD_REQUEST, "unexpected argument '%s'", text);
    if (list_add(args, text) < 0)
        return error_set(e, ERR_BAD_REQUEST, "more than %d arguments", OPTION_LIST_MAX);
    return 0;
}

static bool is_builtin(const struct option_program *p, const char *argument, const char *name)
{
    if (*argument != '-' || find_option(p, name, strlen(name)))
        return false;
    argument += argument[1] == '-' ? 2 : 1;
    return streq(argument, name) ||
           (streq(name, "help") && streq(argument, "h") && !find_option(p, "h", 1));
}

static void print_version(const struct option_program *p)
{
    const bool has_commit = version_git_commit[0] != '\0';

    (void)printf("%s %s%s%s%s\n", p->name, version_string, has_commit ? " (" : "",
                 version_git_commit, has_commit ? ")" : "");
}

static void print_help(const struct option_program *p)
{
    scoped_buf text = BUF_INIT(0);

    options_help(p, &text);
    (void)fputs(text.data, stdout);
}

/* Section 1 for the user's command, 8 for daemons. */
static void print_man(const struct option_program *p)
{
    scoped_buf text = BUF_INIT(0);

    options_man(p, str_has_prefix(p->name, "virt-") ? 8 : 1, &text);
    (void)fputs(text.data, stdout);
}

int options_parse(const struct option_program *p, void *settings, int argc, char **argv,
                  struct option_list *args, struct error *e)
{
    struct command_line c = {
        .program = p, .settings = settings, .argc = argc, .argv = argv, .next = 1
    };
    bool only_arguments = false;

    set_defaults(p->options, settings, false);
    set_defaults(p->more, settings, false);
    if (args)
        args->len = 0;

    while (c.next < argc) {
        const char *text = argv[c.next++];
        int r = 0;
        if (only_arguments || text[0] != '-' || text[1] == '\0') {
            r = add_positional(args, text, e);
        } else if (streq(text, "--")) {
            only_arguments = true;
        } else if (is_builtin(p, text, "help")) {
            print_help(p);
            return OPTIONS_DONE;
        } else if (is_builtin(p, text, "man")) {
            print_man(p);
            return OPTIONS_DONE;
        } else if (is_builtin(p, text, "version")) {
            print_version(p);
            return OPTIONS_DONE;
        } else {
            r = parse_option(&c, text, e);
        }
        if (r < 0)
            return r;
    }
    set_defaults(p->options, settings, true);
    set_defaults(p->more, settings, true);
    return OPTIONS_OK;
}
