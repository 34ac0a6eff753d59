/* SPDX-License-Identifier: Apache-2.0 */
/* Unified differences. */
#include "base/buf.h"
#include "cli/diff.h"
#include "rows.h"

#define HEAD "--- a\n+++ b\n"

static const struct diff_case {
    const char *name, *before, *after, *want;
} cases[] = {
    { "equal texts", "1\n2\n", "1\n2\n", "" },
    { "both empty", "", "", "" },
    { "of nothing", "", "1\n2\n", HEAD "@@ -0,0 +1,2 @@\n+1\n+2\n" },
    { "to nothing", "1\n", "", HEAD "@@ -1,1 +0,0 @@\n-1\n" },
    { "a line in the middle", "1\n2\n3\n", "1\nx\n3\n", HEAD "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n" },
    { "three lines around", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n5\n6\n7\n8\n9\n",
      HEAD "@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+x\n 5\n 6\n 7\n" },
    { "near changes are one hunk", "1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\ny\n",
      HEAD "@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n" },
    { "far ones are two", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
      HEAD "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n" },
    { "a last line without an end", "1", "1\n2", HEAD "@@ -1,1 +1,2 @@\n 1\n+2\n" },
    { "what is common stays", "a\nb\nc\nd\n", "b\nx\nd\n",
      HEAD "@@ -1,4 +1,3 @@\n-a\n b\n-c\n+x\n d\n" },
};

static void differs(void **state)
{
    const struct diff_case *c = *state;
    scoped_buf out = BUF_INIT(0);

    diff_unified("a", c->before, "b", c->after, &out);
    assert_string_equal(out.len ? out.data : "", c->want);
}

/* n lines that are all different from those of another letter. */
static char *lines(char letter, size_t n)
{
    scoped_buf out = BUF_INIT(0);

    for (size_t i = 0; i < n; i++)
        (void)buf_addf(&out, "%c%zu\n", letter, i);
    return buf_take(&out);
}

static void large_parts_are_replaced(void **state)
{
    enum { N = 6000 };
    scoped(free) char *before = lines('a', N);
    scoped(free) char *after = lines('b', N);
    scoped_buf out = BUF_INIT(0);

    diff_unified("a", before, "b", after, &out);
    assert_non_null(strstr(out.data, "@@ -1,6000 +1,6000 @@\n-a0\n-a1\n"));
    assert_non_null(strstr(out.data, "-a5999\n+b0\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(large_parts_are_replaced) };

    return RUN_ROWS("diff", cases, differs) +
           cmocka_run_group_tests_name("diff, large", tests, NULL, NULL);
}
