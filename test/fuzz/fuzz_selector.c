/* SPDX-License-Identifier: Apache-2.0 */
/* [selector, labels] */
#include "base/selector.h"
#include "test/fuzz/json_mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    json_auto_t *both = input_json(data, len);
    const json_t *selector = json_array_get(both, 0);
    const json_t *labels = json_array_get(both, 1);
    struct error e = { 0 };

    if (!selector)
        return 0;
    (void)selector_matches(selector, labels);
    if (selector_validate(selector, &e) < 0) {
        must(*e.msg);
        return 0;
    }
    scoped(free) char *query = selector_to_query(selector);
    must(query != NULL);
    return 0;
}
