/* SPDX-License-Identifier: Apache-2.0 */
/* docs/STREAMS.md's table of several viewers. */
#include "handler/roles.h"

#include <stdio.h>

#include "test/unit/rows.h"

enum { MEMBERS_MAX = 4 };

/*
 * Viewers as words, oldest first: what it asked for ("nothing", "preserve", "shared", "take-over",
 * "observe"), with '!' in front when it writes; "(gone)" is one whose session is to be closed.
 */
static const char *const asks[] = {
    [ASK_NOTHING] = "nothing",     [ASK_PRESERVE] = "preserve", [ASK_SHARED] = "shared",
    [ASK_TAKE_OVER] = "take-over", [ASK_OBSERVE] = "observe",
};

struct party {
    struct role roles[MEMBERS_MAX];
    struct role *list[MEMBERS_MAX];
    size_t count;
};

static void read_party(struct party *p, const char *text)
{
    scoped(free) char *words = must_strdup(text);
    char *state = NULL;

    *p = (struct party){ 0 };
    for (char *w = strtok_r(words, " ", &state); w; w = strtok_r(NULL, " ", &state)) {
        struct role *r = &p->roles[p->count];
        size_t ask = 0;

        r->writes = *w == '!';
        w += r->writes;
        while (ask < countof(asks) && strcmp(w, asks[ask]) != 0)
            ask++;
        assert_in_range(ask, 0, countof(asks) - 1);
        r->ask = (enum role_ask)ask;
        p->list[p->count++] = r;
    }
}

static void assert_party(const struct party *p, const char *want)
{
    char got[200] = "";
    size_t len = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct role *r = &p->roles[i];

        assert_false(r->writes && r->is_replaced);
        len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s%s", len ? " " : "",
                                r->writes ? "!" : "", r->is_replaced ? "(gone)" : asks[r->ask]);
    }
    assert_string_equal(got, want);
}

/* The last one has just come, or (leaves) somebody who wrote has just left. */
static const struct row {
    const char *name;
    bool leaves;
    const char *before, *console, *screen;
} rows[] = {
    // clang-format off
    { "the first one writes",                          false, "nothing",                     "!nothing",                     "!nothing" },
    { "the first one that shares writes",              false, "shared",                      "!shared",                      "!shared" },
    { "the first one that takes over writes",          false, "take-over",                   "!take-over",                   "!take-over" },
    { "the first one that preserves writes",           false, "preserve",                    "!preserve",                    "!preserve" },
    { "the first one that observes only reads",        false, "observe",                     "observe",                      "observe" },
    { "nothing closes who writes",                     false, "!nothing nothing",            "(gone) !nothing",              "(gone) !nothing" },
    { "nothing closes who shares and writes",          false, "!shared nothing",             "(gone) !nothing",              "(gone) !nothing" },
    { "nothing closes all who type",                   false, "!shared !take-over nothing",  "(gone) (gone) !nothing",       "(gone) (gone) !nothing" },
    { "nothing leaves who reads",                      false, "!shared observe shared nothing", "(gone) observe shared !nothing", "(gone) observe shared !nothing" },
    { "preserve, let in, is as nothing",               false, "observe preserve",            "observe !preserve",            "observe !preserve" },
    { "shared reads while one writes; types",          false, "!nothing shared",             "!nothing shared",              "!nothing !shared" },
    { "shared writes when all others observe",         false, "observe shared",              "observe !shared",              "observe !shared" },
    { "observe never writes",                          false, "!shared observe",             "!shared observe",              "!shared observe" },
    { "take-over closes who asked for nothing",        false, "!nothing take-over",          "(gone) !take-over",            "(gone) !take-over" },
    { "take-over closes who preserves",                false, "!preserve take-over",         "(gone) !take-over",            "(gone) !take-over" },
    { "take-over leaves who shares as a reader",       false, "!shared take-over",           "shared !take-over",            "shared !take-over" },
    { "take-over leaves who took over as a reader",    false, "!take-over take-over",        "take-over !take-over",         "take-over !take-over" },
    { "take-over takes from all and closes some",      false, "!nothing observe !shared take-over", "(gone) observe shared !take-over", "(gone) observe shared !take-over" },

    { "the last one has left",                         true,  "",                            "",                             "" },
    { "the oldest who may writes; all who may type",   true,  "observe shared take-over",    "observe !shared take-over",    "observe !shared !take-over" },
    { "observers are left to read",                    true,  "observe observe",             "observe observe",              "observe observe" },
    { "somebody writes still",                         true,  "shared !take-over",           "shared !take-over",            "shared !take-over" },
    // clang-format on
};

static void part_is_given(void **state)
{
    const struct row *r = *state;

    for (int one_writer = 0; one_writer <= 1; one_writer++) {
        struct party p;

        read_party(&p, r->before);
        (r->leaves ? roles_leave : roles_join)(p.list, p.count, one_writer);
        assert_party(&p, one_writer ? r->console : r->screen);
    }
}

/* Whatever comes and goes: a console has at most one writer, and observers never are. */
static void any_order_keeps_the_rules(void **state)
{
    uint32_t dice = 1;

    for (int round = 0; round < 2000; round++) {
        struct party p = { 0 };
        bool one_writer = round % 2;

        for (int step = 0; step < 12; step++) {
            dice = dice * 1664525 + 1013904223;
            size_t kept = 0, writers = 0;

            if (p.count < MEMBERS_MAX && (dice >> 28) % 3 > 0) {
                p.roles[p.count] = (struct role){ .ask = (dice >> 20) % countof(asks) };
                p.list[p.count] = &p.roles[p.count];
                p.count++;
                roles_join(p.list, p.count, one_writer);
            } else if (p.count > 0) {
                p.roles[(dice >> 20) % p.count].is_replaced = true;
            }
            for (size_t i = 0; i < p.count; i++) {
                if (!p.roles[i].is_replaced)
                    p.roles[kept++] = p.roles[i];
            }
            p.count = kept;
            roles_leave(p.list, p.count, one_writer);
            bool may_somebody = false;
            for (size_t i = 0; i < p.count; i++) {
                assert_false(p.roles[i].writes && p.roles[i].ask == ASK_OBSERVE);
                writers += p.roles[i].writes;
                may_somebody |= p.roles[i].ask != ASK_OBSERVE;
            }
            assert_true(!one_writer || writers <= 1);
            assert_int_equal(writers > 0, may_somebody);
        }
    }
}

static void only_who_sent_one_of_ours_is_told(void **state)
{
    static const bool is_told[] = {
        [ASK_SHARED] = true, [ASK_TAKE_OVER] = true, [ASK_OBSERVE] = true
    };

    for (size_t i = 0; i < countof(asks); i++)
        assert_int_equal(role_is_told((enum role_ask)i), is_told[i]);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(any_order_keeps_the_rules),
        cmocka_unit_test(only_who_sent_one_of_ours_is_told),
    };

    ROW_TESTS(tests, rows, part_is_given);
    int failed = cmocka_run_group_tests_name("roles", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("roles, at large", others, NULL, NULL);
}
