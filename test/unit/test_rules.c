/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of rules themselves; what they refuse is shown by test/rules. */
#include "rows.h"
#include "webhooks/rules.h"
#include "webhooks/rules_interfaces.h"
#include "webhooks/rules_vm.h"
#include "webhooks/rules_vmi.h"

static const struct {
    const char *name;
    const struct rule *rules;
} tables[] = {
    { "compute", compute_rules },
    { "firmware", firmware_rules },
    { "disks", disk_rules },
    { "storage", storage_rules },
    { "volumes", volume_rules },
    { "networks", network_rules },
    { "interfaces", interface_rules },
    { "devices", device_rules },
    { "claims", claim_rules },
    { "pod", pod_rules },
    { "scheduling", scheduling_rules },
    { "placement", placement_rules },
    { "credentials", credential_rules },
    { "presets", preset_rules },
    { "machines", vm_template_rules },
    { "instances", vmi_create_rules },
    { "discontinued gates", discontinued_gate_rules },
    { "discontinued interfaces", discontinued_interface_rules },
};

/* Those that only compare with the row's own members. */
static bool needs_message(const struct rule *r)
{
    rule_fn *const worded_by_row[] = { rule_one_of,       rule_dns_label, rule_dns_subdomain,
                                       rule_not_negative, rule_not_empty, rule_gate,
                                       rule_refuse };

    for (size_t i = 0; i < sizeof(worded_by_row) / sizeof(worded_by_row[0]); i++)
        if (worded_by_row[i] == r->check)
            return true;
    return false;
}

static void check_table(const struct rule *rules)
{
    size_t n = 0;

    for (const struct rule *r = rules; r->check; r++, n++) {
        assert_non_null(r->path);
        assert_int_equal(r->rows != NULL, r->check == rule_below || r->check == rule_each);
        if (needs_message(r))
            assert_true(r->message && *r->message);
        if (r->check == rule_one_of)
            assert_true(r->values && *r->values);
        if (r->check == rule_gate)
            assert_true(r->gate && strstr(r->message, r->gate));
        if (r->rows)
            check_table(r->rows);
        assert_true(n < 100);
    }
    assert_true(n > 0);
}

static void rows_are_whole(void **state)
{
    check_table(*(const struct rule *const *)*state);
}

int main(void)
{
    struct CMUnitTest tests[sizeof(tables) / sizeof(tables[0])];

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        tests[i] = (struct CMUnitTest){ .name = tables[i].name,
                                        .test_func = rows_are_whole,
                                        .initial_state = (void *)&tables[i].rules };
    return cmocka_run_group_tests_name("tables of rules", tests, NULL, NULL);
}
