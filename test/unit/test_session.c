/* SPDX-License-Identifier: Apache-2.0 */
/* Words about sessions, viewers and links. */
#include "cli/session.h"

#include "cli/page.h"
#include "cli/viewer.h"
#include "test/unit/rows.h"

static const struct role_case {
    const char *name, *text, *want; /* NULL: nothing is said */
} roles[] = {
    { "one who types", "{'role':'writer','sessions':1}", "You can type" },
    { "one who watches with another", "{'role':'observer','sessions':2}",
      "You are observing: what you type is not sent (1 other session)" },
    { "several others", "{'role':'writer','sessions':4}", "You can type (3 other sessions)" },
    { "an unknown role", "{'role':'root'}", NULL },
    { "something else", "['role']", NULL },
};

static void tells_roles(void **state)
{
    const struct role_case *c = *state;
    json_auto_t *message = json_q(c->text);
    scoped(free) char *text = must_dumps(message, 0);
    char out[160] = "";

    assert_int_equal(session_role_words(text, out), c->want != NULL);
    if (c->want)
        assert_string_equal(out, c->want);
    assert_false(session_role_words("{", out));
}

static const struct viewer_case {
    const char *name, *type, *path;
    bool is_debug;
    const char *want[2][2]; /* program and argument of each attempt */
} viewers[] = {
    { "any",
      "",
      "",
      false,
      { { "remote-viewer", "vnc://127.0.0.1:59" }, { "vncviewer", "127.0.0.1:59" } } },
    { "one kind", "tiger", "", true, { { "vncviewer", "127.0.0.1:59" } } },
    { "a program is told by its name",
      "",
      "/opt/remote-viewer-11",
      false,
      { { "/opt/remote-viewer-11", "vnc://127.0.0.1:59" } } },
    { "any other is like TigerVNC", "", "/opt/v", false, { { "/opt/v", "127.0.0.1:59" } } },
    { "a program of a kind",
      "remote-viewer",
      "/opt/v",
      false,
      { { "/opt/v", "vnc://127.0.0.1:59" } } },
};

static void words_viewers(void **state)
{
    const struct viewer_case *c = *state;
    struct viewer_words w;
    struct error e;
    size_t n = 0;

    assert_int_equal(viewer_check(c->type, &e), 0);
    for (; viewer_words(&w, n, c->type, c->path, 59, c->is_debug); n++) {
        assert_non_null(c->want[n][0]);
        assert_string_equal(w.argv[0], c->want[n][0]);
        assert_string_equal(w.argv[1], c->want[n][1]);
        assert_int_equal(w.argv[2] != NULL, c->is_debug);
    }
    assert_true(n == 2 || !c->want[n][0]);
}

static void refuses_other_viewers(void **state)
{
    struct error e;

    assert_true(viewer_check("chicken", &e) < 0);
    assert_string_equal(e.msg, "--vnc-type: chicken is not supported on Linux");
    assert_true(viewer_check("xterm", &e) < 0);
}

static const struct link_case {
    const char *name, *answer, *base, *want; /* NULL: refused */
} links[] = {
    { "the server knows its address", "{'token':'t','url':'https://s/ui/#/ns/a/screen?token=t'}",
      "", "https://s/ui/#/ns/a/screen?token=t" },
    { "an address was given", "{'token':'t','url':'https://s/x'}", "https://h:1//",
      "https://h:1/ui/#/ns/a/screen?token=t" },
    { "nobody knows", "{'token':'t','url':''}", "", NULL },
    { "not an address", "{'token':'t'}", "host", NULL },
    { "no ticket", "{}", "https://h", NULL },
};

static void makes_links(void **state)
{
    const struct link_case *c = *state;
    json_auto_t *answer = json_q(c->answer);
    struct error e = { 0 };
    scoped(free) char *got = page_link(answer, c->base, "ns", "a", "screen", &e);

    if (!c->want)
        assert_null(got);
    else
        assert_string_equal(got, c->want);
    assert_int_equal(e.msg[0] != '\0', c->want == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(refuses_other_viewers) };

    return RUN_ROWS("roles", roles, tells_roles) + RUN_ROWS("viewers", viewers, words_viewers) +
           RUN_ROWS("links", links, makes_links) +
           cmocka_run_group_tests_name("other viewers", tests, NULL, NULL);
}
