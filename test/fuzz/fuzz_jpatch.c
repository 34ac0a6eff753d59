/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [doc, patch]: the patch is applied, both kinds.  And the patch that is made of doc and the second
 * value brings the one to the other.
 */
#include "base/jpatch.h"
#include "test/fuzz/json_mutator.h"

static void make_and_apply(const json_t *before, const json_t *after)
{
    json_t *doc = must_copy(before);
    json_auto_t *patch = jpatch_make(before, after);
    struct error e = { 0 };

    must(jpatch_apply(&doc, patch, &e) == 0);
    must(json_equal(doc, after));
    json_decref(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    json_auto_t *both = input_json(data, len);
    const json_t *before = json_array_get(both, 0);
    const json_t *second = json_array_get(both, 1);
    struct error e = { 0 };

    if (!second)
        return 0;
    json_t *doc = must_copy(before);
    if (jpatch_apply(&doc, second, &e) < 0)
        must(e.code != ERR_NONE && *e.msg && json_equal(doc, before));
    json_decref(doc);

    json_auto_t *merged = jmerge_apply(before, second);
    must(merged != NULL);
    make_and_apply(before, second);
    make_and_apply(second, before);
    return 0;
}
