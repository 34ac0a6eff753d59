/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patch between two documents.  Values that both share are equal at a glance, so a copy that
 * shares what it did not change (must_branch) is compared in the time of its changes.
 */
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/jpatch.h"
#include "base/jwrite.h"
#include "base/must.h"
#include "base/scope.h"

/* Where the comparison is: a chain on its stack, made text only for a difference. */
struct place {
    const struct place *up; /* NULL at the root */
    const char *key;        /* NULL for an index */
    size_t key_len, index;
};

/* An operation goes into one or the other. */
struct making {
    json_t *rows;     /* an array, or NULL */
    struct buf *text; /* of an array that is still open, or NULL */
    bool any;         /* operation yet */
    struct buf path;  /* scratch */
};

/* buf_adds, of which little is left for a literal. */
static inline void put(struct buf *out, const char *s)
{
    const size_t len = strlen(s);
    char *at = buf_extend(out, len);

    if (at)
        memcpy(at, s, len);
}

/* ---- paths ---- */

static void add_token(struct buf *path, const char *key, size_t len)
{
    const char *const end = key + len;

    while (key < end) {
        size_t plain = 0;
        while (key + plain < end && key[plain] != '~' && key[plain] != '/')
            plain++;
        (void)buf_add(path, key, plain);
        key += plain;
        if (key < end)
            (void)buf_adds(path, *key++ == '~' ? "~0" : "~1");
    }
}

static void add_place(struct buf *path, const struct place *at)
{
    if (!at)
        return;
    add_place(path, at->up);
    if (!at->key) {
        (void)buf_addf(path, "/%zu", at->index);
        return;
    }
    put(path, "/");
    add_token(path, at->key, at->key_len);
}

/* ---- operations ---- */

static void write_operation(struct buf *out, const char *name, const struct buf *path,
                            const json_t *value)
{
    put(out, "{\"op\":\"");
    put(out, name);
    put(out, "\",\"path\":");
    jwrite_string(out, path->data, path->len);
    if (value) {
        put(out, ",\"value\":");
        jwrite(out, value);
    }
    put(out, "}");
}

static void operate(struct making *m, const char *name, const struct place *at, const json_t *value)
{
    buf_clear(&m->path);
    (void)buf_add(&m->path, "", 0); /* the root's path is "", not NULL */
    add_place(&m->path, at);
    if (m->text) {
        if (m->any)
            (void)buf_add(m->text, ",", 1);
        write_operation(m->text, name, &m->path, value);
        m->any = true;
        return;
    }

    json_t *row = must_pack("{s:s, s:s}", "op", name, "path", m->path.data);
    if (value)
        must_set(row, "value", must_copy(value));
    must_append(m->rows, row);
}

/* ---- comparing ---- */

static void compare(struct making *m, const struct place *at, const json_t *before,
                    const json_t *after);

/* The member of `after` that `i` is at, if it has this key: copies keep the order of members. */
static const json_t *same_member(void *i, const char *key, size_t len)
{
    if (!i || json_object_iter_key_len(i) != len || memcmp(json_object_iter_key(i), key, len) != 0)
        return NULL;
    return json_object_iter_value(i);
}

static void compare_objects(struct making *m, const struct place *at, json_t *before, json_t *after)
{
    void *other = json_object_iter(after);
    size_t common = 0;

    for (void *i = json_object_iter(before); i; i = json_object_iter_next(before, i)) {
        const char *key = json_object_iter_key(i);
        const size_t len = json_object_iter_key_len(i);
        const struct place here = { .up = at, .key = key, .key_len = len };
        const json_t *now = same_member(other, key, len);

        if (now)
            other = json_object_iter_next(after, other);
        else
            now = json_object_getn(after, key, len);
        common += now != NULL;
        if (now)
            compare(m, &here, json_object_iter_value(i), now);
        else
            operate(m, "remove", &here, NULL);
    }
    if (common == json_object_size(after))
        return;
    for (void *i = json_object_iter(after); i; i = json_object_iter_next(after, i)) {
        const char *key = json_object_iter_key(i);
        const size_t len = json_object_iter_key_len(i);
        const struct place here = { .up = at, .key = key, .key_len = len };

        if (!json_object_getn(before, key, len))
            operate(m, "add", &here, json_object_iter_value(i));
    }
}

/* What both begin and end with stays; then element by element; then the surplus goes or comes. */
static void compare_arrays(struct making *m, const struct place *at, const json_t *before,
                           const json_t *after)
{
    const size_t before_len = json_array_size(before);
    const size_t after_len = json_array_size(after);
    const size_t shorter = before_len < after_len ? before_len : after_len;
    size_t head = 0;
    size_t tail = 0;
    struct place here = { .up = at };

    while (head < shorter && json_equal(json_array_get(before, head), json_array_get(after, head)))
        head++;
    while (tail < shorter - head && json_equal(json_array_get(before, before_len - 1 - tail),
                                               json_array_get(after, after_len - 1 - tail)))
        tail++;

    const size_t both_end = shorter - tail;
    for (here.index = head; here.index < both_end; here.index++)
        compare(m, &here, json_array_get(before, here.index), json_array_get(after, here.index));
    for (size_t i = shorter; i < before_len; i++)
        operate(m, "remove", &here, NULL);
    for (; here.index < after_len - tail; here.index++)
        operate(m, "add", &here, json_array_get(after, here.index));
}

static void compare(struct making *m, const struct place *at, const json_t *before,
                    const json_t *after)
{
    if (before == after)
        return;
    if (json_is_object(before) && json_is_object(after))
        compare_objects(m, at, (json_t *)before, (json_t *)after);
    else if (json_is_array(before) && json_is_array(after))
        compare_arrays(m, at, before, after);
    else if (!json_equal(before, after))
        operate(m, "replace", at, after);
}

json_t *jpatch_make(const json_t *before, const json_t *after)
{
    struct making m = { .rows = json_array(), .path = BUF_INIT(0) };

    compare(&m, NULL, before, after);
    buf_done(&m.path);
    return m.rows;
}

bool jpatch_write(struct buf *out, const json_t *before, const json_t *after)
{
    struct making m = { .text = out, .path = BUF_INIT(0) };

    (void)buf_add(out, "[", 1);
    compare(&m, NULL, before, after);
    (void)buf_add(out, "]", 1);
    buf_done(&m.path);
    return m.any;
}
