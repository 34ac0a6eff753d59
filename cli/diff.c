/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The longest common subsequence by the classic table, after equal lines at both
 * ends are set aside: objects are a few hundred lines, and differ in few places.
 */
#include "cli/diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"

struct line {
    const char *text;
    size_t len;
};

struct text {
    struct line *line;
    size_t len;
};

/* One line of the difference: ' ' in both, '-' only before, '+' only after. */
struct edit {
    char sign;
    struct line line;
};

struct script {
    struct edit *edit;
    size_t len;
};

static struct text split(const char *s)
{
    struct text t = { 0 };
    size_t n = 0;

    for (const char *at = s; *at; at++)
        n += *at == '\n';
    t.line = must_calloc(n + 1, sizeof(*t.line));
    while (*s) {
        const size_t len = strcspn(s, "\n");

        t.line[t.len++] = (struct line){ s, len };
        s += len + (s[len] == '\n');
    }
    return t;
}

static bool same(struct line a, struct line b)
{
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static void add(struct script *s, char sign, struct line line)
{
    s->edit[s->len++] = (struct edit){ sign, line };
}

/* The middle parts: a[0..n) and b[0..m). */
static void compare(const struct line *a, size_t n, const struct line *b, size_t m,
                    struct script *s)
{
    const bool is_too_large = m > 0 && n > DIFF_CELLS_MAX / m;
    /* common[i * (m + 1) + k]: lines that a[i..n) and b[k..m) have in common. */
    scoped(free) uint32_t *common =
        is_too_large ? NULL : must_calloc((n + 1) * (m + 1), sizeof(*common));
    const size_t row = m + 1;
    size_t i = 0, k = 0;

    for (size_t x = is_too_large ? 0 : n; x-- > 0;)
        for (size_t y = m; y-- > 0;) {
            const uint32_t skip_a = common[(x + 1) * row + y];
            const uint32_t skip_b = common[x * row + y + 1];

            common[x * row + y] = same(a[x], b[y])  ? common[(x + 1) * row + y + 1] + 1
                                  : skip_a > skip_b ? skip_a
                                                    : skip_b;
        }
    while (common && i < n && k < m) {
        if (same(a[i], b[k])) {
            add(s, ' ', a[i++]);
            k++;
        } else if (common[(i + 1) * row + k] >= common[i * row + k + 1]) {
            add(s, '-', a[i++]);
        } else {
            add(s, '+', b[k++]);
        }
    }
    while (i < n)
        add(s, '-', a[i++]);
    while (k < m)
        add(s, '+', b[k++]);
}

static struct script script_of(const struct text *a, const struct text *b)
{
    struct script s = { .edit = must_calloc(a->len + b->len + 1, sizeof(*s.edit)) };
    size_t n = a->len, m = b->len, head = 0;

    while (head < n && head < m && same(a->line[head], b->line[head]))
        add(&s, ' ', a->line[head++]);
    while (n > head && m > head && same(a->line[n - 1], b->line[m - 1])) {
        n--;
        m--;
    }
    compare(a->line + head, n - head, b->line + head, m - head, &s);
    for (; n < a->len; n++)
        add(&s, ' ', a->line[n]);
    return s;
}

static size_t next_change(const struct script *s, size_t from)
{
    while (from < s->len && s->edit[from].sign == ' ')
        from++;
    return from;
}

/* Behind the last change of the hunk that begins with the change at `from`. */
static size_t hunk_end(const struct script *s, size_t from)
{
    size_t end = from + 1;

    for (;;) {
        const size_t next = next_change(s, end);

        if (next == s->len || next - end > 2 * (size_t)DIFF_CONTEXT)
            return end;
        end = next + 1;
    }
}

static size_t count(const struct script *s, size_t from, size_t to, char other)
{
    size_t n = 0;

    for (; from < to; from++)
        n += s->edit[from].sign == ' ' || s->edit[from].sign == other;
    return n;
}

/* "12,4": an empty range is named by the line before it. */
static void add_range(const struct script *s, size_t from, size_t to, char sign, struct buf *out)
{
    const size_t len = count(s, from, to, sign);

    (void)buf_addf(out, " %c%zu,%zu", sign, count(s, 0, from, sign) + (len > 0), len);
}

static void add_hunk(const struct script *s, size_t from, size_t to, struct buf *out)
{
    (void)buf_adds(out, "@@");
    add_range(s, from, to, '-', out);
    add_range(s, from, to, '+', out);
    (void)buf_adds(out, " @@\n");
    for (; from < to; from++)
        (void)buf_addf(out, "%c%.*s\n", s->edit[from].sign, (int)s->edit[from].line.len,
                       s->edit[from].line.text);
}

void diff_unified(const char *name_before, const char *before, const char *name_after,
                  const char *after, struct buf *out)
{
    struct text a = split(before);
    struct text b = split(after);
    struct script s = script_of(&a, &b);
    size_t at = next_change(&s, 0);

    if (at < s.len)
        (void)buf_addf(out, "--- %s\n+++ %s\n", name_before, name_after);
    while (at < s.len) {
        const size_t end = hunk_end(&s, at);
        const size_t from = at > DIFF_CONTEXT ? at - DIFF_CONTEXT : 0;
        const size_t to = end + DIFF_CONTEXT < s.len ? end + DIFF_CONTEXT : s.len;

        add_hunk(&s, from, to, out);
        at = next_change(&s, end);
    }
    free(s.edit);
    free(a.line);
    free(b.line);
}
