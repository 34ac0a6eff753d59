/* SPDX-License-Identifier: Apache-2.0 */
/* The list of faults: places as text, bounds, what a Status shows. */
#include "openapi/findings.h"

#include "rows.h"

static const struct at spec = { .name = "spec" };
static const struct at disks = { .up = &spec, .name = "domain.devices.disks" };
static const struct at disk = { .up = &disks, .index = 2 };
static const struct at labels = { .up = &spec, .name = "labels" };

static const struct place_case {
    const char *name;
    struct at at;
    const char *want;
} places[] = {
    { "a member at the top has no dot", { .name = "kind" }, "kind" },
    { "a member of a list's item",
      { .up = &disk, .name = "bus" },
      "spec.domain.devices.disks[2].bus" },
    { "a map's key stands in brackets",
      { .up = &labels, .name = "a.b/c", .is_key = true },
      "spec.labels[a.b/c]" },
};

static void writes_places(void **state)
{
    const struct place_case *c = *state;
    scoped(free) char *text = at_text(&c->at);

    assert_string_equal(text, c->want);
}

static void cuts_between_characters(void **state)
{
    char name[2 * FINDING_TEXT_MAX];
    scoped_findings f;

    findings_init(&f);
    for (size_t i = 0; i + 2 < sizeof(name); i += 2) /* a two-byte letter again and again */
        memcpy(name + i, "\xc3\xa4", 3);
    for (size_t shift = 0; shift < 2; shift++)
        findings_add(&f, CAUSE_INVALID, name + 2 * shift, "%s%s", shift ? "x" : "", name);

    json_auto_t *causes = findings_causes(&f); /* aborts on half a character */
    assert_int_equal(json_array_size(causes), 2);
    assert_true(strlen(f.item[0].field) < FINDING_TEXT_MAX);
    assert_non_null(strstr(f.item[1].message, "..."));
}

static void keeps_fifty_and_counts_the_rest(void **state)
{
    scoped_findings f;

    findings_init(&f);
    for (int i = 0; i < FINDINGS_MAX + 7; i++)
        findings_add(&f, CAUSE_INVALID, "spec", "fault %d", i);
    assert_int_equal(f.len, FINDINGS_MAX);
    assert_int_equal(f.dropped, 7);
    assert_true(findings_full(&f));

    scoped(free) char *message = findings_message(&f);
    assert_non_null(strstr(message, "spec: fault 0, "));
    assert_non_null(strstr(message, "fault 9, and 47 more validation errors"));

    json_auto_t *causes = findings_causes(&f);
    assert_int_equal(json_array_size(causes), FINDINGS_MAX);
}

static void shows_causes_as_clients_read_them(void **state)
{
    scoped_findings f;

    findings_init(&f);
    findings_add(&f, CAUSE_NOT_SUPPORTED, "spec.dnsPolicy", "use one of a, b");
    findings_add(&f, CAUSE_REQUIRED, NULL, "say something");

    json_auto_t *got = findings_causes(&f);
    json_auto_t *want =
        json_q("[{'reason':'FieldValueNotSupported','field':'spec.dnsPolicy',"
               "'message':'use one of a, b'},"
               "{'reason':'FieldValueRequired','field':'','message':'say something'}]");
    assert_json(got, want);

    scoped(free) char *message = findings_message(&f);
    assert_string_equal(message, "spec.dnsPolicy: use one of a, b, say something");
}

static void costs_nothing_when_empty(void **state)
{
    scoped_findings f;

    findings_init(&f);
    assert_false(findings_any(&f));
    json_auto_t *causes = findings_causes(&f);
    assert_int_equal(json_array_size(causes), 0);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(keeps_fifty_and_counts_the_rest),
        cmocka_unit_test(shows_causes_as_clients_read_them),
        cmocka_unit_test(costs_nothing_when_empty),
    };
    return RUN_ROWS("places", places, writes_places) +
           cmocka_run_group_tests_name("findings", others, NULL, NULL);
}
