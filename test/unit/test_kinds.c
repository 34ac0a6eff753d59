/* SPDX-License-Identifier: Apache-2.0 */
/* The tables themselves: every kind and every type below it keeps to the rules of tables. */
#include "openapi/kinds.h"

#include "rows.h"

#include "base/str.h"
#include "openapi/index.h"
#include "openapi/validate.h"

enum { DOC_MAX = 140 };

static void check_doc(const char *owner, const char *name, const char *doc)
{
    const size_t len = doc ? strlen(doc) : 0;

    if (len < 2 || len > DOC_MAX || doc[len - 1] != '.' || strchr(doc, '\n') || !strchr(doc, ' '))
        fail_msg("%s.%s: not one line of some words with a full stop: %s", owner, name, doc);
}

/* A default must pass as a value of its own row. */
static void check_default(const struct schema *s, const struct field *f)
{
    json_auto_t *dflt = json_loads(f->dflt, JSON_DECODE_ANY, NULL);
    json_auto_t *object = json_object();
    scoped_findings found;

    if (!dflt)
        fail_msg("%s.%s: the default is not JSON", s->name, f->name);
    must_set(object, f->name, json_incref(dflt));
    findings_init(&found);
    schema_check(s, object, NULL, &found);
    for (size_t i = 0; i < found.len; i++) {
        if (streq(found.item[i].field, f->name))
            fail_msg("%s.%s: the default %s %s", s->name, f->name, f->dflt, found.item[i].message);
    }
}

static void check_row(const struct schema *s, const struct field *f)
{
    check_doc(s->name, f->name, f->doc);
    assert_int_equal(f->name_len, strlen(f->name));
    assert_ptr_equal(schema_field(s, f->name, f->name_len), f); /* unique, and found */
    assert_int_equal(f->type == FIELD_OBJECT, f->schema != NULL);
    if (f->dflt)
        check_default(s, f);
    if (f->is_set)
        assert_true(f->shape == FIELD_LIST && f->type == FIELD_STRING);
    if (f->list_key) {
        assert_int_equal(f->shape, FIELD_LIST);
        const struct field *key = schema_field(f->schema, f->list_key, strlen(f->list_key));
        if (!key || !key->required)
            fail_msg("%s.%s: items have no required '%s'", s->name, f->name, f->list_key);
    }
}

/* `seen`: component name to address; two types of one name would be one component. */
static void check_schema(const struct schema *s, json_t *seen)
{
    json_t *known = json_object_get(seen, s->name);

    if (known) {
        if (json_integer_value(known) != (json_int_t)(intptr_t)s)
            fail_msg("two types are named %s", s->name);
        return;
    }
    must_set(seen, s->name, json_integer((json_int_t)(intptr_t)s));
    check_doc("type", s->name, s->doc);
    for (const struct field *f = s->fields; f->name; f++) {
        check_row(s, f);
        if (f->schema)
            check_schema(f->schema, seen);
    }
}

static void tables_keep_their_rules(void **state)
{
    json_auto_t *seen = json_object();

    for (size_t i = 0; i < all_kinds_len; i++)
        check_schema(all_kinds[i]->schema, seen);
    assert_true(json_object_size(seen) > 200);
}

static void kinds_are_named_once(void **state)
{
    json_auto_t *names = json_object();

    for (size_t i = 0; i < all_kinds_len; i++) {
        const struct kind *k = all_kinds[i];
        assert_ptr_equal(kind_find(k->group, k->kind), k);
        assert_ptr_equal(kind_find_plural(k->group, k->plural), k);
        for (const char *const *s = k->short_names; *s; s++) {
            assert_null(json_object_get(names, *s));
            must_set(names, *s, json_true());
        }

        size_t storage = 0;
        for (const struct kind_version *v = k->versions; v->name; v++)
            storage += v->is_storage;
        assert_int_equal(storage, 1);
    }
    assert_null(kind_find("kubevirt.io", "Pod"));
    assert_null(kind_find_plural("instancetype.kubevirt.io", "virtualmachines"));
}

static const struct find_case {
    const char *name;
    const struct kind *kind;
    const char *path;
    int type; /* -1: not there */
} finds[] = {
    { "deep in a VMI", &kind_vmi, "spec.domain.cpu.features.policy", FIELD_STRING },
    { "the same through a VM's template", &kind_vm, "spec.template.spec.domain.cpu.cores",
      FIELD_INT32 },
    { "the same through a preset", &kind_preset, "spec.domain.memory.guest", FIELD_QUANTITY },
    { "an object", &kind_vmirs, "spec.selector", FIELD_OBJECT },
    { "nothing of that name", &kind_vmi, "spec.domain.cpus", -1 },
    { "nothing below a text", &kind_vmi, "spec.hostname.x", -1 },
    { "nothing below what is opaque", &kind_vmi, "metadata.name", -1 },
};

static void finds_by_path(void **state)
{
    const struct find_case *c = *state;
    const struct field *f = schema_find(c->kind->schema, c->path);

    assert_int_equal(f ? f->type : -1, c->type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_keep_their_rules),
        cmocka_unit_test(kinds_are_named_once),
    };
    return cmocka_run_group_tests_name("tables", tests, NULL, NULL) +
           RUN_ROWS("find", finds, finds_by_path);
}
