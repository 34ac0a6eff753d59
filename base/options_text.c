/* SPDX-License-Identifier: Apache-2.0 */
/* Options: --help and the man page, written from the tables. */
#include "base/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum {
    LINE_WIDTH = 96,
    LEFT_MAX = 36, /* a longer left column puts its help on the next line */
    LEFT_TEXT_MAX = 128,
};

static const struct option builtins[] = {
    { .name = "help", .letter = 'h', .type = OPTION_BOOL, .help = "Print this help and exit." },
    { .name = "version", .type = OPTION_BOOL, .help = "Print the version and exit." },
    { .name = "man", .type = OPTION_BOOL, .help = "Print the manual page (roff) and exit." },
    { 0 },
};

static bool is_ignored(const struct option *o)
{
    return o->type == OPTION_IGNORED || o->type == OPTION_IGNORED_BOOL;
}

/* The word for the value: the row's own, or one for its type; NULL for flags. */
static const char *value_word(const struct option *o)
{
    switch (o->type) {
    case OPTION_BOOL:
    case OPTION_IGNORED_BOOL:
    case OPTION_OPTIONAL:
        return NULL;
    case OPTION_STRING:
    case OPTION_WORD:
    case OPTION_STRINGS:
        return o->arg ? o->arg : "TEXT";
    case OPTION_INT:
        return o->arg ? o->arg : "N";
    case OPTION_DURATION:
        return o->arg ? o->arg : "DURATION";
    case OPTION_IGNORED:
        return o->arg ? o->arg : "VALUE";
    }
    return NULL;
}

/* "[=N]" of a value that may be left out; else "". */
static const char *optional_word(const struct option *o)
{
    return o->type == OPTION_OPTIONAL ? "[=VALUE]" : "";
}

/* "  -v, --verbosity N" */
static int left_text(const struct option *o, char out[LEFT_TEXT_MAX])
{
    const char *word = value_word(o);
    char letter[] = { '-', o->letter, ',', ' ', '\0' };

    return snprintf(out, LEFT_TEXT_MAX, "  %s--%s%s%s", o->letter ? letter : "    ", o->name,
                    word ? " " : optional_word(o), word ? word : "");
}

static bool shows_default(const struct option *o)
{
    return !is_ignored(o) && o->dflt && *o->dflt &&
           !(o->type == OPTION_BOOL && streq(o->dflt, "false"));
}

/* The row's sentence and what is to be said beside it. */
static void add_sentence(struct buf *out, const struct option *o)
{
    if (is_ignored(o))
        (void)buf_addf(out, "%s%sAccepted without effect.", o->help ? o->help : "",
                       o->help && *o->help ? " " : "");
    else
        (void)buf_adds(out, o->help ? o->help : "");
    if (o->type == OPTION_STRINGS)
        (void)buf_adds(out, " May be given again.");
    if (shows_default(o))
        (void)buf_addf(out, " (default %s)", o->dflt);
}

/* Words of `text` from column `at` on, lines broken before LINE_WIDTH and indented by `indent`. */
static void add_wrapped(struct buf *out, const char *text, size_t indent, size_t at)
{
    while (*text) {
        const size_t len = strcspn(text, " ");
        if (at > indent && at + 1 + len > LINE_WIDTH) {
            (void)buf_addf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            (void)buf_adds(out, " ");
            at++;
        }
        (void)buf_add(out, text, len);
        at += len;
        text += len;
        text += strspn(text, " ");
    }
    (void)buf_adds(out, "\n");
}

static void add_help_row(struct buf *out, const struct option *o, size_t column)
{
    char left[LEFT_TEXT_MAX];
    scoped_buf sentence = BUF_INIT(0);
    const int len = left_text(o, left);

    add_sentence(&sentence, o);
    (void)buf_adds(out, left);
    if ((size_t)len + 2 > column)
        (void)buf_addf(out, "\n%*s", (int)column, "");
    else
        (void)buf_addf(out, "%*s", (int)(column - (size_t)len), "");
    add_wrapped(out, sentence.data, column, column);
}

static size_t widest(const struct option *table, size_t column)
{
    char left[LEFT_TEXT_MAX];

    for (const struct option *o = table; o && o->name; o++) {
        const size_t need = (size_t)left_text(o, left) + 2;
        if (need > column && need <= LEFT_MAX)
            column = need;
    }
    return column;
}

/* The rows of both tables that are ignored, or those of one that are not, below a title. */
static void add_group(struct buf *out, const char *title, const struct option *table,
                      bool wants_ignored, size_t column)
{
    bool is_titled = *title == '\0';

    for (const struct option *o = table; o && o->name; o++) {
        if (is_ignored(o) != wants_ignored)
            continue;
        if (!is_titled)
            (void)buf_addf(out, "\n%s:\n", title);
        is_titled = true;
        add_help_row(out, o, column);
    }
}

/* The sections whose is_in_help is true. */
static void add_help_sections(struct buf *out, const struct option_section *s)
{
    for (; s && s->title; s++)
        if (s->is_in_help)
            (void)buf_addf(out, "\n%s:\n%s", s->title, s->text);
}

void options_help(const struct option_program *p, struct buf *out)
{
    size_t column = widest(builtins, 0);
    column = widest(p->options, column);
    column = widest(p->more, column);

    add_wrapped(out, p->summary, 0, 0);
    (void)buf_addf(out, "\nUsage:\n  %s %s\n", p->name, p->usage ? p->usage : "[flags]");
    add_help_sections(out, p->sections);
    add_group(out, "Flags", p->options, false, column);
    if (!p->options || !p->options->name)
        (void)buf_adds(out, "\nFlags:\n");
    add_group(out, "", builtins, false, column);
    add_group(out, "Global flags", p->more, false, column);
    add_group(out, "Kept for compatibility", p->options, true, column);
    add_group(out, "Kept for compatibility (global)", p->more, true, column);
}

/* ---- roff ---- */

/* Text with roff's own characters made harmless. */
static void add_roff(struct buf *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        (void)buf_adds(out, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            (void)buf_adds(out, "\\e");
        else if (*text == '-')
            (void)buf_adds(out, "\\-");
        else
            (void)buf_add(out, text, 1);
    }
}

static void add_man_rows(struct buf *out, const char *title, const struct option *table)
{
    if (!table || !table->name)
        return;
    (void)buf_addf(out, ".SH %s\n", title);
    for (const struct option *o = table; o->name; o++) {
        const char *word = value_word(o);
        scoped_buf sentence = BUF_INIT(0);
        add_sentence(&sentence, o);
        (void)buf_adds(out, ".TP\n");
        if (o->letter)
            (void)buf_addf(out, "\\fB\\-%c\\fR, ", o->letter);
        (void)buf_adds(out, "\\fB\\-\\-");
        add_roff(out, o->name);
        (void)buf_adds(out, "\\fR");
        if (word) {
            (void)buf_adds(out, " \\fI");
            add_roff(out, word);
            (void)buf_adds(out, "\\fR");
        }
        (void)buf_adds(out, optional_word(o));
        (void)buf_adds(out, "\n");
        add_roff(out, sentence.data ? sentence.data : "");
        (void)buf_adds(out, "\n");
    }
}

/* Upper case, as titles of a page are. */
static void add_title(struct buf *out, const char *title)
{
    (void)buf_adds(out, ".SH \"");
    for (; *title; title++)
        (void)buf_addf(out, "%c", toupper((unsigned char)*title));
    (void)buf_adds(out, "\"\n");
}

/* Lines that begin with a blank stay lines; the others are filled. */
static void add_man_text(struct buf *out, const char *text)
{
    bool is_literal = false;

    while (*text) {
        const size_t len = strcspn(text, "\n");
        scoped(free) char *line = must_strndup(text, len);

        if ((line[0] == ' ') != is_literal) {
            is_literal = !is_literal;
            (void)buf_adds(out, is_literal ? ".RS 4\n.nf\n" : ".fi\n.RE\n");
        }
        add_roff(out, line + strspn(line, " "));
        (void)buf_adds(out, "\n");
        text += len + (text[len] == '\n');
    }
    if (is_literal)
        (void)buf_adds(out, ".fi\n.RE\n");
}

void options_man(const struct option_program *p, int section, struct buf *out)
{
    (void)buf_adds(out, ".TH \"");
    for (const char *at = p->name; *at; at++)
        (void)buf_addf(out, "%c", *at == ' ' ? '-' : toupper((unsigned char)*at));
    (void)buf_addf(out, "\" \"%d\" \"\" \"%s\"\n.SH NAME\n", section, version_string);
    add_roff(out, p->name);
    (void)buf_adds(out, " \\- ");
    add_roff(out, p->summary);
    (void)buf_addf(out, "\n.SH SYNOPSIS\n.B ");
    add_roff(out, p->name);
    (void)buf_adds(out, "\n");
    add_roff(out, p->usage ? p->usage : "[flags]");
    (void)buf_adds(out, "\n");
    add_man_rows(out, "OPTIONS", p->options);
    add_man_rows(out, "GENERAL OPTIONS", builtins);
    add_man_rows(out, "GLOBAL OPTIONS", p->more);
    for (const struct option_section *s = p->sections; s && s->title; s++) {
        add_title(out, s->title);
        add_man_text(out, s->text);
    }
}
