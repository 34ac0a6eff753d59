/* SPDX-License-Identifier: Apache-2.0 */
/* The quick reader takes a text only as jansson does, to the same value; leaving members out, no
 * other texts. */
#include "base/jread.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = len ? (const char *)data : "";
    json_auto_t *quick = jread(text, len, JSON_DEPTH_MAX, JSON_CONTAINERS_FREE);
    json_auto_t *whole = input_json(data, len);
    static const char *const unread[] = { "kind", "options", "a", NULL };
    json_auto_t *less = jread_but(text, len, JSON_DEPTH_MAX, JSON_CONTAINERS_FREE, unread);
    json_error_t why;

    must(quick || !less);
    if (!quick)
        return 0;
    json_auto_t *slow = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    must(json_equal(quick, slow));
    must(json_equal(quick, whole));
    return 0;
}
