/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For targets whose input is JSON, perhaps behind a first line: half of the time an input stays
 * JSON and one value of it is exchanged, for another one of the same input or for a nasty one, so
 * that what stands behind the parser is reached.  Include in one file of a program.
 */
#ifndef TEST_FUZZ_JSON_MUTATOR_H
#define TEST_FUZZ_JSON_MUTATOR_H

#include "test/fuzz/target.h"

/* libFuzzer's own mutator. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t max) __attribute__((weak));
/* What libFuzzer calls instead of its own. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned seed);

/* Count all values below v down in *left, and stop at the one that ends it. */
static json_t *value_below(json_t *v, size_t *left)
{
    const char *key;
    json_t *item;
    size_t i;
    json_t *found = NULL;

    if ((*left)-- == 0)
        return v;
    json_object_foreach(v, key, item) {
        found = value_below(item, left);
        if (found)
            return found;
    }
    json_array_foreach(v, i, item) {
        found = value_below(item, left);
        if (found)
            return found;
    }
    return NULL;
}

static json_t *some_value(json_t *v, unsigned *seed)
{
    size_t left = SIZE_MAX;

    (void)value_below(v, &left);
    left = (size_t)rand_r(seed) % (SIZE_MAX - left);
    return value_below(v, &left);
}

static json_t *nasty_value(json_t *whole, unsigned *seed)
{
    static const char *const texts[] = {
        "null",      "true",     "0",      "-1",     "9223372036854775807",
        "0.5",       "\"\"",     "\"-1\"", "\"9E\"", "\"1Gi\"",
        "[]",        "{}",       "[null]", "[{}]",   "{\"\":{}}",
        "\"small\"", "\"../x\"",
    };
    const size_t i = (size_t)rand_r(seed) % (2 * countof(texts));

    return i < countof(texts) ? json_loads(texts[i], JSON_DECODE_ANY, NULL)
                              : json_deep_copy(some_value(whole, seed));
}

/* Exchange, add or remove one member or element. */
static void change_one(json_t *whole, unsigned *seed)
{
    json_t *in = some_value(whole, seed);
    json_t *v = nasty_value(whole, seed);
    const int how = rand_r(seed) % 4;

    if (json_object_size(in) > 0) {
        size_t at = (size_t)rand_r(seed) % json_object_size(in);
        void *i = json_object_iter(in);
        while (at-- > 0)
            i = json_object_iter_next(in, i);
        if (how == 0)
            (void)json_object_del(in, json_object_iter_key(i));
        else
            (void)json_object_iter_set(in, i, v);
    } else if (json_array_size(in) > 0) {
        const size_t at = (size_t)rand_r(seed) % json_array_size(in);
        if (how == 0)
            (void)json_array_remove(in, at);
        else if (how == 1)
            (void)json_array_insert(in, at, v);
        else
            (void)json_array_set(in, at, v);
    }
    json_decref(v);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned seed)
{
    const uint8_t *at = data;
    size_t left = len;
    scoped(free) char *line = input_line(&at, &left);
    json_auto_t *whole = seed % 2 ? input_json(at, left) : NULL;

    if (!json_is_object(whole) && !json_is_array(whole))
        return LLVMFuzzerMutate(data, len, max);
    for (int n = 1 + rand_r(&seed) % 3; n > 0; n--)
        change_one(whole, &seed);

    scoped(free) char *text = json_dumps(whole, JSON_COMPACT);
    const size_t head = (size_t)(at - data), text_len = text ? strlen(text) : 0;
    if (text_len == 0 || head + text_len > max)
        return LLVMFuzzerMutate(data, len, max);
    memcpy(data + head, text, text_len);
    return head + text_len;
}

#endif
