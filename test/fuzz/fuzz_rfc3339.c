/* SPDX-License-Identifier: Apache-2.0 */
/* A time that is read is written so that it is read back as the same millisecond. */
#include "base/clock.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    scoped(free) char *text = input_text(data, len);
    char printed[RFC3339_MAX];
    int64_t ms, back;

    if (rfc3339_parse(text, &ms) < 0)
        return 0;
    must(strlen(rfc3339_micro(ms, printed)) < RFC3339_MAX);
    must(strlen(rfc3339(ms, printed)) < RFC3339_MAX);
    must(rfc3339_parse(rfc3339_milli(ms, printed), &back) == 0);

    /* An offset may lead out of the years that are written. */
    static const int64_t first_ms = -62167219200000, end_ms = 253402300800000;
    must(back == ms || ms < first_ms || ms >= end_ms);
    return 0;
}
