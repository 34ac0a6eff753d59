/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for a quantity is printed so that it is read back as the same one. */
#include "base/quantity.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    scoped(free) char *text = input_text(data, len);
    char printed[QUANTITY_TEXT_MAX], again[QUANTITY_TEXT_MAX];
    struct quantity q, back;

    if (quantity_parse(text, &q) < 0)
        return 0;
    must(quantity_parse(quantity_format(q, printed), &back) == 0);
    must(quantity_cmp(q, back) == 0);
    must(strcmp(quantity_format(back, again), printed) == 0);

    const struct quantity none = quantity_sub(q, q);
    must(quantity_value(none) == 0 && quantity_milli(none) == 0);
    (void)quantity_add(q, q);
    (void)quantity_sub(quantity_from_bytes(INT64_MIN), q);
    return 0;
}
