// SPDX-License-Identifier: Apache-2.0
/* The Domain value: revisions, what is told, that readers keep what they got. */
#include "launcher/machine.h"

#include "base/jpath.h"
#include "test/unit/rows.h"

static void count(void *arg)
{
    ++*(int *)arg;
}

static void is_hidden_until_shown(void **state)
{
    int told = 0;
    struct machine *m = machine_new("ns_vm", "u", count, &told);

    machine_update(m, json_q("{'state':'Running'}"));
    assert_null(machine_get(m));
    assert_int_equal(told, 0);
    machine_show(m);
    machine_show(m);
    assert_int_equal(told, 1);
    json_auto_t *v = machine_get(m);
    assert_string_equal(jpath_str(v, "state", ""), "Running");
    assert_string_equal(jpath_str(v, "name", ""), "ns_vm");
    machine_free(m);
}

static void only_changes_are_told(void **state)
{
    int told = 0;
    struct machine *m = machine_new("ns_vm", "u", count, &told);

    machine_show(m);
    machine_update(m, json_q("{'state':'Running','pid':7}"));
    json_auto_t *first = machine_get(m);
    machine_update(m, json_q("{'state':'Running','pid':7}"));
    machine_update(m, json_q("{'absent':null}"));
    assert_int_equal(told, 2);
    machine_update(m, json_q("{'pid':null}"));
    assert_int_equal(told, 3);
    json_auto_t *second = machine_get(m);
    assert_int_equal(jpath_int(first, "pid", 0), 7);
    assert_false(jpath_has(second, "pid"));
    assert_true(jpath_int(second, "revision", 0) > jpath_int(first, "revision", 0));
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_hidden_until_shown),
        cmocka_unit_test(only_changes_are_told),
    };
    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
