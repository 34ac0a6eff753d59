/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line options as a table: the rows give parsing, --help and the man
 * page.  Long options as --name value and --name=value (a single dash is taken
 * too, as Go programs do), short ones as -x value.  --help, --version and --man are built in.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum option_type {
    OPTION_STRING,   /* const char * */
    OPTION_STRINGS,  /* struct option_list: may be given again */
    OPTION_INT,      /* long long, bounded by min..max */
    OPTION_BOOL,     /* bool; --flag, --flag=false */
    OPTION_WORD,     /* const char *: one of the words of .arg ("yaml|json"), or "" */
    OPTION_OPTIONAL, /* const char *: NULL when absent, "" for --flag, the value for --flag=value */
    OPTION_DURATION, /* long long milliseconds; "30s", "5m", "1h30m", bare number is seconds */
    OPTION_IGNORED,  /* takes a value; accepted without effect, --help says so */
    OPTION_IGNORED_BOOL,
};

enum { OPTION_LIST_MAX = 64 };

struct option_list {
    const char *item[OPTION_LIST_MAX];
    size_t len;
};

struct option {
    const char *name;
    char letter; /* 0 for none */
    enum option_type type;
    size_t offset; /* of the target in the settings struct; OPTION_AT() */
    const char *dflt;
    long long min, max; /* OPTION_INT; both 0 means 0..INT64_MAX */
    const char *arg;    /* shown in --help: "FILE" */
    const char *help;
};

#define OPTION_AT(type, member) .offset = offsetof(type, member)

/* A part of the manual.  Lines of the text that begin with a blank are printed as they are. */
struct option_section {
    const char *title;
    const char *text;
    bool is_in_help; /* shown by --help too */
};

struct option_program {
    const char *name;
    const char *summary;          /* one line */
    const char *usage;            /* "[flags] NAME"; NULL is "[flags]" */
    const struct option *options; /* ends with a row without name */
    const struct option *more;    /* a second table (global flags), or NULL; same settings struct */
    const struct option_section *sections; /* ends with a row without title, or NULL */
};

enum option_result { OPTIONS_OK, OPTIONS_DONE /* --help or --version was printed */ };

/*
 * Defaults, then argv[1..argc) into `settings` (strings point into argv or the
 * table).  Positional arguments are gathered in `args` (may be NULL: they are
 * refused).  "--" ends options.  -ERR_BAD_REQUEST names the option otherwise.
 */
int options_parse(const struct option_program *p, void *settings, int argc, char **argv,
                  struct option_list *args, struct error *e);

/* Does this argument name an option of the program whose value is the next argument? */
bool options_takes_next(const struct option_program *p, const char *argument);

/* "30s", "5m", "1h30m", "1.5s", "100ms" as Go prints them, a bare number is seconds; 0 or -1. */
int duration_parse(const char *text, long long *ret_ms);

/* The man page (roff, section 1 or 8) of a program, to stdout-like buffer. */
struct buf;
void options_man(const struct option_program *p, int section, struct buf *out);
void options_help(const struct option_program *p, struct buf *out);

extern const char *const version_string;     /* "v0.1.0"; set by the build */
extern const char *const version_git_commit; /* "" when unknown */

#endif
