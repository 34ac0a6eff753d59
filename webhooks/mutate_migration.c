/* SPDX-License-Identifier: Apache-2.0 */
/* A migration is found by its instance's name, and is not forgotten half-way (spec 02, 3.4). */
#include "base/jpath.h"
#include "base/must.h"
#include "webhooks/mutators.h"
#include "webhooks/rules_vmi.h"

static const char finalizer[] = "kubevirt.io/migrationJobFinalize";

void mutate_migration(struct review *rv)
{
    if (!check_shape(rv))
        return;

    json_t *migration = must_copy(rv->object);

    rv->changed = migration;
    jpath_set_str(migration, "metadata.labels['kubevirt.io/vmi-name']",
                  jpath_str(migration, "spec.vmiName", ""));
    if (!meta_has_finalizer(migration, finalizer))
        must_append(jpath_make_arr(migration, "metadata.finalizers"), json_string(finalizer));
}
