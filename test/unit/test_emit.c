/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas and CRDs as others read them. */
#include "openapi/emit.h"

#include "rows.h"

#include "base/jpath.h"
#include "base/str.h"
#include "openapi/rows.h"

/*
 * kubectl apply keeps a copy of the object in an annotation, and annotations
 * have 256 KiB in all: a bigger CRD could not be applied.
 */
enum { CRD_BYTES_MAX = 250 * 1024 };

static bool always(const json_t *value)
{
    return value != NULL;
}

// clang-format off
TYPE(leaf, "Leaf", "A leaf.",
    STRING("key", "Key.", REQUIRED));

TYPE(every_row, "EveryRow", "One of each.",
    STRING("text", "Text.", .min_length = 1, .max_length = 9, .pattern = "^a$", .dflt = "\"a\""),
    STRING("choice", "Choice.", ONE_OF("a", "b"), NULLABLE),
    BOOL("flag", "Flag.", REQUIRED),
    INT32("small", "Small.", .min = 1, .max = 7),
    INT64("big", "Big.", .has_min = true),
    INT("plain", "Plain.", RULES({ "self > 0", "must be above 0", always })),
    NUMBER("number", "Number."),
    QUANTITY("quantity", "Quantity."),
    INT_OR_STRING("port", "Port."),
    TIME("time", "Time."),
    OPAQUE("opaque", "Opaque."),
    PRESENCE("presence", "Presence.", INERT),
    OBJECT("leaf", leaf, "Leaf.", .open = true),
    LIST("leaves", leaf, "Leaves.", .list_key = "key", .max_items = 3),
    STRINGS("set", "Set.", SET),
    QUANTITY_MAP("amounts", "Amounts."),
    MAP("by_name", leaf, "By name."));

#define LEAF "'type':'object','required':['key'],'properties':{'key':{'type':'string','description':'Key.'}}"
#define QUANTITY_JSON                                                                                    \
    "'anyOf':[{'type':'integer'},{'type':'string'}],'x-kubernetes-int-or-string':true,"                  \
    "'pattern':'^(\\\\+|-)?(([0-9]+(\\\\.[0-9]*)?)|(\\\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|"              \
    "([eE](\\\\+|-)?(([0-9]+(\\\\.[0-9]*)?)|(\\\\.[0-9]+))))?$'"

static const struct emit_case {
    const char *name; /* the row */
    const char *want; /* structural */
    const char *v3;   /* NULL: the same */
    const char *v2;   /* NULL: as v3 */
} emits[] = {
#define ROW(n, w, ...) { .name = n, .want = w, ##__VA_ARGS__ }
    ROW("text", "{'type':'string','description':'Text.','minLength':1,'maxLength':9,'pattern':'^a$','default':'a'}"),
    ROW("choice", "{'type':'string','description':'Choice.','enum':['a','b'],'nullable':true}",
        .v2 = "{'type':'string','description':'Choice.','enum':['a','b']}"),
    ROW("flag", "{'type':'boolean','description':'Flag.'}"),
    ROW("small", "{'type':'integer','format':'int32','description':'Small.','minimum':1,'maximum':7}"),
    ROW("big", "{'type':'integer','format':'int64','description':'Big.','minimum':0}"),
    ROW("plain", "{'type':'integer','description':'Plain.',"
               "'x-kubernetes-validations':[{'rule':'self > 0','message':'must be above 0'}]}",
        .v3 = "{'type':'integer','description':'Plain.'}"),
    ROW("number", "{'type':'number','description':'Number.'}"),
    ROW("quantity", "{'description':'Quantity.'," QUANTITY_JSON "}",
        .v2 = "{'type':'string','description':'Quantity.'}"),
    ROW("port", "{'description':'Port.','anyOf':[{'type':'integer'},{'type':'string'}],"
              "'x-kubernetes-int-or-string':true}",
        .v2 = "{'type':'string','format':'int-or-string','description':'Port.'}"),
    ROW("time", "{'type':'string','format':'date-time','description':'Time.'}"),
    ROW("opaque", "{'type':'object','description':'Opaque.','x-kubernetes-preserve-unknown-fields':true}"),
    ROW("presence", "{'type':'object','description':'Presence. Not acted on yet.'}"),
    ROW("leaf", "{" LEAF ",'description':'Leaf.','x-kubernetes-preserve-unknown-fields':true}",
        .v3 = "{'description':'Leaf.','allOf':[{'$ref':'#/components/schemas/v1.Leaf'}]}",
        .v2 = "{'description':'Leaf.','$ref':'#/definitions/v1.Leaf'}"),
    ROW("leaves", "{'type':'array','items':{" LEAF "},'description':'Leaves.','maxItems':3,"
                "'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['key']}",
        .v3 = "{'type':'array','items':{'allOf':[{'$ref':'#/components/schemas/v1.Leaf'}]},'description':'Leaves.',"
      "'maxItems':3,'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['key']}",
        .v2 = "{'type':'array','items':{'$ref':'#/definitions/v1.Leaf'},'description':'Leaves.',"
      "'maxItems':3,'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['key']}"),
    ROW("set", "{'type':'array','items':{'type':'string'},'description':'Set.','x-kubernetes-list-type':'set'}"),
    ROW("amounts", "{'type':'object','description':'Amounts.','additionalProperties':{" QUANTITY_JSON "}}",
        .v2 = "{'type':'object','description':'Amounts.','additionalProperties':{'type':'string'}}"),
    ROW("by_name", "{'type':'object','description':'By name.','additionalProperties':{" LEAF "}}",
        .v3 = "{'type':'object','description':'By name.','additionalProperties':"
      "{'allOf':[{'$ref':'#/components/schemas/v1.Leaf'}]}}",
        .v2 = "{'type':'object','description':'By name.','additionalProperties':{'$ref':'#/definitions/v1.Leaf'}}"),
};
// clang-format on

static void emits_in(enum schema_dialect dialect, const char *row, const char *text)
{
    json_auto_t *schema = schema_json(&every_row, dialect);
    json_auto_t *want = json_q(text);

    assert_json(json_object_get(json_object_get(schema, "properties"), row), want);
}

static void emits_rows(void **state)
{
    const struct emit_case *c = *state;
    const char *v3 = c->v3 ? c->v3 : c->want;

    emits_in(SCHEMA_STRUCTURAL, c->name, c->want);
    emits_in(SCHEMA_V3, c->name, v3);
    emits_in(SCHEMA_V2, c->name, c->v2 ? c->v2 : v3);
}

static void every_row_is_looked_at(void **state)
{
    size_t n = 0;

    while (every_row.fields[n].name)
        n++;
    assert_int_equal(n, countof(emits));
    json_auto_t *schema = schema_json(&every_row, SCHEMA_STRUCTURAL);
    assert_string_equal(jpath_str(schema, "required[0]", ""), "flag");
    assert_int_equal(json_array_size(jpath(schema, "required")), 1);
}

static void gathers_components(void **state)
{
    json_auto_t *components = json_object();

    schema_components(&every_row, SCHEMA_V3, components);
    assert_int_equal(json_object_size(components), 2);
    assert_non_null(json_object_get(components, "v1.EveryRow"));
    assert_non_null(json_object_get(components, "v1.Leaf"));
}

/* Read back what was written: every name, and whether it is required, is that of the row. */
static void reads_back(const struct schema *s, const json_t *schema, bool is_root)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *required = json_object_get(schema, "required");
    size_t n_rows = 0, n_required = 0;

    for (const struct field *f = s->fields; f->name; f++, n_rows++) {
        const json_t *p = json_object_get(properties, f->name);
        assert_non_null(p);
        n_required += f->required;
        if (is_root && streq(f->name, "metadata"))
            continue;
        if (f->shape == FIELD_LIST)
            p = json_object_get(p, "items");
        else if (f->shape == FIELD_MAP)
            p = json_object_get(p, "additionalProperties");
        assert_true(json_object_get(p, "type") || json_object_get(p, "x-kubernetes-int-or-string"));
        assert_null(json_object_get(p, "$ref"));
        if (f->schema)
            reads_back(f->schema, p, false);
    }
    assert_int_equal(json_object_size(properties), n_rows);
    assert_int_equal(json_array_size(required), n_required);
}

static void check_crd(const struct kind *k)
{
    json_auto_t *crd = crd_json(k);
    scoped(free) char *text = must_dumps(crd, JSON_COMPACT);
    scoped(free) char *name = must_asprintf("%s.%s", k->plural, k->group);
    size_t i;
    json_t *version;

    if (strlen(text) > CRD_BYTES_MAX)
        fail_msg("%s: %zu bytes, too big for kubectl apply", k->kind, strlen(text));
    assert_string_equal(jpath_str(crd, "metadata.name", ""), name);
    json_array_foreach(jpath(crd, "spec.versions"), i, version) {
        const json_t *schema = jpath(version, "schema.openAPIV3Schema");
        reads_back(k->schema, schema, true);
        assert_null(jpath(schema, "properties.metadata.properties"));
        assert_int_equal(jpath_has(version, "subresources.status"), k->has_status);
        assert_int_equal(jpath_has(version, "subresources.scale"), k->has_scale);
        assert_int_equal(jpath_has(version, "deprecationWarning"),
                         jpath_bool(version, "deprecated", false));
    }
}

static void crds_hold_their_tables(void **state)
{
    for (size_t i = 0; i < all_kinds_len; i++)
        check_crd(all_kinds[i]);
}

/* Everything of a CRD but the schema, whole. */
static void crd_of_a_replica_set(void **state)
{
    json_auto_t *crd = crd_json(&kind_vmirs);
    size_t i;
    json_t *version;

    json_array_foreach(jpath(crd, "spec.versions"), i, version)
        json_object_del(version, "schema");

    json_auto_t *want = json_q(
        "{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition',"
        "'metadata':{'name':'virtualmachineinstancereplicasets.kubevirt.io','labels':{'kubevirt.io':''}},"
        "'spec':{'group':'kubevirt.io','scope':'Namespaced','conversion':{'strategy':'None'},"
        "'names':{'kind':'VirtualMachineInstanceReplicaSet','plural':'virtualmachineinstancereplicasets',"
        "'singular':'virtualmachineinstancereplicaset','shortNames':['vmirs','vmirss'],'categories':['all']},"
        "'versions':[{'name':'v1','served':true,'storage':true}]}}");
    json_auto_t *columns = json_q(
        "[{'name':'Desired','type':'integer','jsonPath':'.spec.replicas','description':'Instances wanted.'},"
        "{'name':'Current','type':'integer','jsonPath':'.status.replicas','description':'Instances that exist.'},"
        "{'name':'Ready','type':'integer','jsonPath':'.status.readyReplicas','description':'Instances that are ready.'},"
        "{'name':'Age','type':'date','jsonPath':'.metadata.creationTimestamp'}]");
    json_auto_t *subresources =
        json_q("{'status':{},'scale':{'specReplicasPath':'.spec.replicas','statusReplicasPath':"
               "'.status.replicas','labelSelectorPath':'.status.labelSelector'}}");
    json_t *versions = jpath(want, "spec.versions");
    json_t *v1 = json_array_get(versions, 0);
    must_set(v1, "additionalPrinterColumns", json_incref(columns));
    must_set(v1, "subresources", json_incref(subresources));

    json_t *old = must_copy(v1);
    must_set(old, "name", json_string("v1alpha3"));
    must_set(old, "storage", json_false());
    must_set(old, "deprecated", json_true());
    must_set(
        old, "deprecationWarning",
        json_string(
            "kubevirt.io/v1alpha3 is now deprecated and will be removed in a future release."));
    must_append(versions, old);
    assert_json(crd, want);
}

static void reference_names_every_kind(void **state)
{
    scoped_buf page = BUF_INIT(0);

    reference_write(&page);
    for (size_t i = 0; i < all_kinds_len; i++) {
        scoped(free) char *title = must_asprintf("## Kind %s\n", all_kinds[i]->kind);
        assert_non_null(strstr(page.data, title));
    }
    assert_non_null(strstr(page.data, "| `cores` | integer | Cores in each socket. |"));
    assert_null(strstr(page.data, "| field | type | what it is |\n|---|---|---|\n\n"));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(every_row_is_looked_at),     cmocka_unit_test(gathers_components),
        cmocka_unit_test(crds_hold_their_tables),     cmocka_unit_test(crd_of_a_replica_set),
        cmocka_unit_test(reference_names_every_kind),
    };
    return RUN_ROWS("emit", emits, emits_rows) +
           cmocka_run_group_tests_name("whole", others, NULL, NULL);
}
