/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is the kind, the rest an object of it: judged, defaulted, brought to one form. */
#include "base/str.h"
#include "openapi/canonical.h"
#include "openapi/defaults.h"
#include "openapi/kinds.h"
#include "openapi/prune.h"
#include "openapi/validate.h"
#include "test/fuzz/json_mutator.h"

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < all_kinds_len; i++)
        if (streq(all_kinds[i]->kind, name))
            return all_kinds[i];
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    scoped(free) char *name = input_line(&data, &len);
    const struct kind *kind = kind_of(name ? name : "");
    json_auto_t *obj = input_json(data, len);
    scoped_findings f;

    findings_init(&f);
    if (!kind || !obj)
        return 0;
    schema_validate(kind, obj, &f);
    scoped(free) char *message = findings_message(&f);
    json_auto_t *causes = findings_causes(&f);
    must(message && causes);
    if (findings_any(&f))
        return 0;
    schema_default(kind->schema, obj);
    canonical_make(kind->schema, obj);
    schema_prune(kind->schema, obj);
    return 0;
}
