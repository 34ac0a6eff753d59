/* SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "rows.h"

struct settings {
    const char *file;
    struct option_list nodes;
    long long port, v, wait_ms;
    bool quiet, leader;
    const char *format, *level;
};

static const struct option options[] = {
    { "file", 'f', OPTION_STRING, OPTION_AT(struct settings, file), .dflt = "/etc/x", .arg = "FILE",
      .help = "Where it is." },
    { "node", 'n', OPTION_STRINGS, OPTION_AT(struct settings, nodes), .dflt = "all",
      .help = "A node." },
    { "port", 0, OPTION_INT, OPTION_AT(struct settings, port), .dflt = "8443", .min = 1,
      .max = 65535, .help = "The port." },
    { "quiet", 'q', OPTION_BOOL, OPTION_AT(struct settings, quiet), .help = "Say less." },
    { "leader-elect", 0, OPTION_BOOL, OPTION_AT(struct settings, leader), .dflt = "true",
      .help = "Elect." },
    { "wait", 0, OPTION_DURATION, OPTION_AT(struct settings, wait_ms), .dflt = "1m30s",
      .help = "How long." },
    { "old", 0, OPTION_IGNORED, .help = "Of another program." },
    { "old-flag", 0, OPTION_IGNORED_BOOL, .help = "Of another program." },
    { 0 },
};

static const struct option more[] = {
    { "v", 'v', OPTION_INT, OPTION_AT(struct settings, v), .dflt = "2", .max = 10,
      .help = "Verbosity." },
    { 0 },
};

static const struct option_program program = {
    .name = "trial", .summary = "Tries options.", .options = options, .more = more
};

/* Parse words split at blanks ("_" stands for an empty word); args may be NULL. */
static int parse(const char *line, struct settings *s, struct option_list *args, struct error *e)
{
    static char text[256];
    static char *argv[32];
    int argc = 0;

    memset(text, 0, sizeof(text));
    memcpy(text, line, strlen(line));
    argv[argc++] = (char *)"trial";
    for (char *at = text; *at;) {
        argv[argc++] = streq(at, "_") ? (char *)"" : at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    for (int i = 1; i < argc; i++)
        if (streq(argv[i], "_"))
            argv[i] = (char *)"";
    argv[argc] = NULL;
    return options_parse(&program, s, argc, argv, args, e);
}

static void defaults_come_from_the_table(void **state)
{
    struct settings s;
    struct error e;
    memset(&s, 0x55, sizeof(s));

    assert_int_equal(parse("", &s, NULL, &e), OPTIONS_OK);
    assert_string_equal(s.file, "/etc/x");
    assert_int_equal(s.nodes.len, 1);
    assert_string_equal(s.nodes.item[0], "all");
    assert_int_equal(s.port, 8443);
    assert_int_equal(s.wait_ms, 90000);
    assert_int_equal(s.v, 2);
    assert_false(s.quiet);
    assert_true(s.leader);
}

static void every_way_to_write_them(void **state)
{
    static const char *const lines[] = {
        "--file a --node x --node y --port 1 -q --leader-elect=false --wait 2s -v 4",
        "--file=a --node=x -n y --port=1 --quiet --leader-elect=0 --wait=2 --v=4",
        "-file a -node=x -ny -port 1 -quiet=true -leader-elect=f -wait=2000ms -v4",
        "-f a -n x -n=y -port=1 --quiet=1 --leader-elect --leader-elect=False -wait 2s -v=4",
        "-fa --node x --node y --port 7 --port 1 -q --leader-elect=FALSE --wait 0.5s --wait 2s "
        "--old x --old=y --old-flag -v 3 -v 4",
    };
    for (size_t i = 0; i < countof(lines); i++) {
        struct settings s;
        struct error e = { 0 };
        if (parse(lines[i], &s, NULL, &e) != OPTIONS_OK)
            fail_msg("%s: %s", lines[i], e.msg);
        assert_string_equal(s.file, "a");
        assert_int_equal(s.nodes.len, 2);
        assert_string_equal(s.nodes.item[1], "y");
        assert_int_equal(s.port, 1);
        assert_true(s.quiet);
        assert_false(s.leader);
        assert_int_equal(s.wait_ms, 2000);
        assert_int_equal(s.v, 4);
    }
}

static void positional_arguments_are_gathered(void **state)
{
    struct settings s;
    struct option_list args;
    struct error e;

    assert_int_equal(parse("a -q - b -- -x --help", &s, &args, &e), OPTIONS_OK);
    assert_int_equal(args.len, 5);
    assert_string_equal(args.item[0], "a");
    assert_string_equal(args.item[1], "-");
    assert_string_equal(args.item[3], "-x");
    assert_string_equal(args.item[4], "--help");
    assert_int_equal(parse("--file _", &s, &args, &e), OPTIONS_OK);
    assert_string_equal(s.file, "");
}

static const struct bad_case {
    const char *name; /* the line */
    const char *complaint;
} bad_cases[] = {
    { "--nope", "unknown option '--nope'" },
    { "--nope=3", "unknown option '--nope'" },
    { "-x", "unknown option '-x'" },
    { "-qx", "unknown option '-qx'" },
    { "--fil a", "unknown option '--fil'" },
    { "--files a", "unknown option '--files'" },
    { "--file", "--file needs a value" },
    { "--port x", "--port: 'x' is not a whole number from 1 to 65535" },
    { "--port 0", "--port: '0' is not" },
    { "--port 65536", "--port: '65536' is not" },
    { "--port=", "--port: '' is not" },
    { "--port -1", "--port: '-1' is not" },
    { "-v 11", "--v: '11' is not a whole number from 0 to 10" },
    { "--quiet=maybe", "--quiet: 'maybe' is not true or false" },
    { "--wait 5x", "--wait: '5x' is not a duration" },
    { "--wait=-5s", "--wait: '-5s' is not a duration" },
    { "extra", "unexpected argument 'extra'" },
    { "-- extra", "unexpected argument 'extra'" },
    { "--=3", "unknown option '--'" },
};

static void names_what_is_wrong(void **state)
{
    const struct bad_case *c = *state;
    struct settings s;
    struct error e = { 0 };

    assert_int_equal(parse(c->name, &s, NULL, &e), -ERR_BAD_REQUEST);
    if (!strstr(e.msg, c->complaint))
        print_error("%s\n", e.msg);
    assert_non_null(strstr(e.msg, c->complaint));
}

static void lists_are_bounded(void **state)
{
    struct settings s;
    struct error e;
    char *argv[2 * OPTION_LIST_MAX + 4];
    int argc = 0;

    argv[argc++] = (char *)"trial";
    for (int i = 0; i <= OPTION_LIST_MAX; i++) {
        argv[argc++] = (char *)"--node";
        argv[argc++] = (char *)"x";
    }
    assert_int_equal(options_parse(&program, &s, argc, argv, NULL, &e), -ERR_BAD_REQUEST);
}

static const struct duration_case {
    const char *name; /* the text */
    long long want;   /* -1: refused */
} duration_cases[] = {
    { "0", 0 },
    { "0s", 0 },
    { "30s", 30000 },
    { "5m", 300000 },
    { "5m0s", 300000 },
    { "1h30m", 5400000 },
    { "1h0m0s", 3600000 },
    { "1.5h", 5400000 },
    { "100ms", 100 },
    { "1.5s", 1500 },
    { "1500us", 2 },
    { "1000000ns", 1 },
    { "2000\u00b5s", 2 },
    { ".5s", 500 },
    { "45", 45000 },
    { "1s1ms", 1001 },
    { "", -1 },
    { "s", -1 },
    { ".s", -1 },
    { "5", 5000 },
    { "1h30", -1 },
    { "-1s", -1 },
    { "1 s", -1 },
    { "1d", -1 },
    { "1e3s", -1 },
    { "99999999999999999999h", -1 },
    { "1S", -1 },
};

static void reads_durations(void **state)
{
    const struct duration_case *c = *state;
    long long ms = -1;
    assert_int_equal(duration_parse(c->name, &ms), c->want < 0 ? -1 : 0);
    assert_true(ms == c->want);
}

static void help_is_grouped_and_aligned(void **state)
{
    scoped_buf text = BUF_INIT(0);
    options_help(&program, &text);
    assert_string_equal(text.data,
                        "Tries options.\n"
                        "\n"
                        "Usage:\n"
                        "  trial [flags]\n"
                        "\n"
                        "Flags:\n"
                        "  -f, --file FILE      Where it is. (default /etc/x)\n"
                        "  -n, --node TEXT      A node. May be given again. (default all)\n"
                        "      --port N         The port. (default 8443)\n"
                        "  -q, --quiet          Say less.\n"
                        "      --leader-elect   Elect. (default true)\n"
                        "      --wait DURATION  How long. (default 1m30s)\n"
                        "  -h, --help           Print this help and exit.\n"
                        "      --version        Print the version and exit.\n"
                        "      --man            Print the manual page (roff) and exit.\n"
                        "\n"
                        "Global flags:\n"
                        "  -v, --v N            Verbosity. (default 2)\n"
                        "\n"
                        "Kept for compatibility:\n"
                        "      --old VALUE      Of another program. Accepted without effect.\n"
                        "      --old-flag       Of another program. Accepted without effect.\n");
}

static void long_help_is_wrapped(void **state)
{
    static const struct option wordy[] = {
        { "a-name-that-is-much-too-long-for-the-left-column", 0, OPTION_IGNORED_BOOL,
          .help = "one two three four five six seven eight nine ten eleven twelve thirteen "
                  "fourteen fifteen sixteen seventeen eighteen nineteen twenty" },
        { 0 },
    };
    const struct option_program p = { .name = "t", .summary = "S.", .options = wordy };
    scoped_buf text = BUF_INIT(0);
    options_help(&p, &text);
    for (const char *at = text.data; *at;) {
        const size_t len = strcspn(at, "\n");
        assert_true(len <= 96);
        at += len + 1;
    }
}

static void the_man_page_is_roff(void **state)
{
    scoped_buf text = BUF_INIT(0);
    options_man(&program, 8, &text);
    assert_true(str_has_prefix(text.data, ".TH \"TRIAL\" \"8\""));
    assert_non_null(strstr(text.data, ".SH NAME\ntrial \\- Tries options.\n"));
    assert_non_null(strstr(text.data, ".TP\n\\fB\\-f\\fR, \\fB\\-\\-file\\fR \\fIFILE\\fR\n"));
    assert_non_null(strstr(text.data, "\\-\\-leader\\-elect"));
}

/* What options_parse prints to stdout for one line; new. */
static char *printed(const char *line)
{
    struct settings s;
    struct error e;
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    (void)dup2(fileno(file), STDOUT_FILENO);
    const int r = parse(line, &s, NULL, &e);
    (void)fflush(stdout);
    (void)dup2(saved, STDOUT_FILENO);
    (void)close(saved);

    char *text = must_calloc(1, 8192);
    rewind(file);
    (void)!fread(text, 1, 8191, file);
    (void)fclose(file);
    assert_int_equal(r, OPTIONS_DONE);
    return text;
}

static void help_and_version_are_built_in(void **state)
{
    static const char *const helps[] = { "--help", "-help", "-h", "-q --help" };
    for (size_t i = 0; i < countof(helps); i++) {
        scoped(free) char *text = printed(helps[i]);
        assert_non_null(strstr(text, "Global flags:"));
    }
    scoped(free) char *version = printed("--version");
    assert_true(str_has_prefix(version, "trial v"));
    assert_non_null(strstr(version, version_string));
}

/* Two types that the table above does not have. */
static const struct option words[] = {
    { "format", 'o', OPTION_WORD, OPTION_AT(struct settings, format), .dflt = "",
      .arg = "json|yaml", .help = "The form." },
    { "level", 0, OPTION_OPTIONAL, OPTION_AT(struct settings, level), .help = "Show or set." },
    { "port", 0, OPTION_INT, OPTION_AT(struct settings, port), .help = "The port." },
    { 0 },
};

static const struct words_row {
    const char *name, *first, *second;
    const char *format, *level; /* level NULL: absent */
    const char *refusal;
    size_t args;
} words_rows[] = {
    { "neither is given", "a", NULL, "", NULL, NULL, 1 },
    { "one of the words", "-o", "yaml", "yaml", NULL, NULL, 0 },
    { "another word", "-o", "yam", NULL, NULL, "'yam' is not one of json|yaml", 0 },
    { "no value, and the next word is an argument", "--level", "x", "", "", NULL, 1 },
    { "a value attached", "--level=3", NULL, "", "3", NULL, 0 },
    { "nearly an option", "--prot=1", NULL, NULL, NULL, "did you mean --port?", 0 },
};

static void words_and_optional_values(void **state)
{
    static const struct option_program p = { .name = "w", .summary = "", .options = words };
    const struct words_row *c = *state;
    char *argv[] = { (char *)"w", (char *)c->first, (char *)c->second, NULL };
    struct option_list args;
    struct settings s;
    struct error e;
    int r = options_parse(&p, &s, c->second ? 3 : 2, argv, &args, &e);

    if (c->refusal) {
        assert_int_equal(r, -ERR_BAD_REQUEST);
        assert_non_null(strstr(e.msg, c->refusal));
        return;
    }
    assert_int_equal(r, OPTIONS_OK);
    assert_string_equal(s.format, c->format);
    assert_true(streq(s.level, c->level));
    assert_int_equal(args.len, c->args);
}

static void knows_what_takes_the_next_word(void **state)
{
    static const struct option_program p = { .name = "w", .summary = "", .options = words };

    assert_true(options_takes_next(&p, "-o"));
    assert_true(options_takes_next(&p, "--port"));
    assert_false(options_takes_next(&p, "--level"));
    assert_false(options_takes_next(&p, "--port=1"));
    assert_false(options_takes_next(&p, "word"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_come_from_the_table),
        cmocka_unit_test(every_way_to_write_them),
        cmocka_unit_test(positional_arguments_are_gathered),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(help_is_grouped_and_aligned),
        cmocka_unit_test(long_help_is_wrapped),
        cmocka_unit_test(the_man_page_is_roff),
        cmocka_unit_test(knows_what_takes_the_next_word),
        cmocka_unit_test(help_and_version_are_built_in),
    };
    return RUN_ROWS("options refuse", bad_cases, names_what_is_wrong) +
           RUN_ROWS("words", words_rows, words_and_optional_values) +
           RUN_ROWS("durations", duration_cases, reads_durations) +
           cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
