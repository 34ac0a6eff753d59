/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every rule of the webhooks has rows that show it.  test/rules has the catalogue (one line a rule)
 * and the rows (README.md there says what a row may hold); a row is an object that is mutated and
 * then validated, as the API server asks, and what must come of it.
 */
#include <glob.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "sheet_http.h"
#include "sheet_subjects.h"
#include "test/fake/kube.h"
#include "webhooks/hooks.h"
#include "webhooks/mutators.h"

enum { ROWS_MAX = 4000, RULES_MAX = 2000, NAME_MAX_BYTES = 200 };

/* ---- kinds that rows may name ---- */

#define DOMAIN "'domain':{'devices':{},'memory':{'guest':'1Gi'}}"
#define TYPED(kind, metadata, spec) \
    "{'apiVersion':'kubevirt.io/v1','kind':'" kind "','metadata':{" metadata "},'spec':{" spec "}}"

// clang-format off
static const struct subject_kind {
    const char *name;
    const char *good;              /* what the row's patches change */
    const char *mutate;            /* paths; NULL: no such webhook */
    const char *create, *update, *delete;
} subject_kinds[] = {
    { "VMI", TYPED("VirtualMachineInstance", "'name':'m','namespace':'ns'", DOMAIN), "/virtualmachineinstances-mutate",
      "/virtualmachineinstances-validate-create", "/virtualmachineinstances-validate-update", NULL },
    { "VM", TYPED("VirtualMachine", "'name':'m','namespace':'ns'", "'runStrategy':'Halted','template':{'spec':{" DOMAIN "}}"),
      "/virtualmachines-mutate", "/virtualmachines-validate", "/virtualmachines-validate", NULL },
    { "VM/status", TYPED("VirtualMachine", "'name':'m','namespace':'ns'", "'runStrategy':'Halted','template':{'spec':{" DOMAIN "}}"),
      NULL, "/status-validate", "/status-validate", NULL },
    { "VMIRS", TYPED("VirtualMachineInstanceReplicaSet", "'name':'r','namespace':'ns'",
      "'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{" DOMAIN "}}"),
      NULL, "/virtualmachinereplicaset-validate", "/virtualmachinereplicaset-validate", NULL },
    { "Preset", TYPED("VirtualMachineInstancePreset", "'name':'p','namespace':'ns'", "'selector':{},'domain':{'devices':{}}"),
      NULL, "/vmipreset-validate", "/vmipreset-validate", NULL },
    { "Migration", TYPED("VirtualMachineInstanceMigration", "'name':'g','namespace':'ns'", "'vmiName':'m'"),
      "/migration-mutate-create", "/migration-validate-create", "/migration-validate-update", NULL },
    { "Instancetype", "{'metadata':{'name':'i','namespace':'ns'},'spec':{'cpu':{'guest':1},'memory':{'guest':'1Gi'}}}",
      NULL, "/virtualmachineinstancetypes-validate", "/virtualmachineinstancetypes-validate", NULL },
    { "ClusterInstancetype", "{'metadata':{'name':'i'},'spec':{'cpu':{'guest':1},'memory':{'guest':'1Gi'}}}",
      NULL, "/virtualmachineclusterinstancetypes-validate", "/virtualmachineclusterinstancetypes-validate", NULL },
    { "Preference", "{'metadata':{'name':'p','namespace':'ns'},'spec':{}}",
      NULL, "/virtualmachinepreferences-validate", "/virtualmachinepreferences-validate", NULL },
    { "ClusterPreference", "{'metadata':{'name':'p'},'spec':{}}",
      NULL, "/virtualmachineclusterpreferences-validate", "/virtualmachineclusterpreferences-validate", NULL },
    { "KubeVirt", TYPED("KubeVirt", "'name':'kubevirt','namespace':'kubevirt'", "'configuration':{}"),
      NULL, "/kubevirt-validate-create", "/kubevirt-validate-update", "/kubevirt-validate-delete" },
    { "Eviction", "{'metadata':{'name':'virt-launcher-m','namespace':'ns'}}", NULL, "/pod-eviction-validate", NULL, NULL },
};
// clang-format on

static const struct subject_kind *kind_of(const json_t *row)
{
    const char *name = jpath_str(row, "kind", "");

    for (size_t i = 0; i < countof(subject_kinds); i++)
        if (streq(subject_kinds[i].name, name))
            return &subject_kinds[i];
    fail_msg("no kind \"%s\" in subject_kinds[]", name);
    return NULL;
}

/* ---- a row's request ---- */

struct sheet_row {
    char name[NAME_MAX_BYTES];
    json_t *json;
};

/* "kubevirt-handler" is that account of the installation. */
static char *user_of(const json_t *row)
{
    const char *user = jpath_str(row, "user", "someone");

    return str_has_prefix(user, "kubevirt-")
               ? must_asprintf("system:serviceaccount:kubevirt:%s", user)
               : must_strdup(user);
}

static void merge_member(json_t **object, const json_t *row, const char *member, const char *at)
{
    const json_t *patch = json_object_get(row, member);

    if (!patch)
        return;
    json_auto_t *whole = *at ? must_pack("{s:O}", at, patch) : must_copy(patch);
    json_t *merged = jmerge_apply(*object, whole);
    json_decref(*object);
    *object = merged;
}

struct request {
    json_t *object, *old; /* owned */
    const char *operation;
    char *user;
};

static struct request request_of_row(const json_t *row, const struct subject_kind *kind)
{
    struct request q = { .operation = jpath_str(row, "op", "CREATE"), .user = user_of(row) };

    q.object = json_q(kind->good);
    if (!streq(q.operation, "CREATE")) {
        merge_member(&q.object, row, "old", "");
        q.old = must_copy(q.object);
    }
    merge_member(&q.object, row, "spec", "spec");
    merge_member(&q.object, row, "metadata", "metadata");
    merge_member(&q.object, row, "object", "");
    if (streq(q.operation, "DELETE")) {
        json_decref(q.object);
        q.object = NULL;
    }
    return q;
}

static struct cluster_config *config_of(const json_t *row)
{
    json_t *kubevirt = json_q("{'spec':{'configuration':{}}}");
    const json_t *gates = json_object_get(row, "gates");
    struct cluster_config *config = NULL;
    struct error e = { 0 };

    merge_member(&kubevirt, row, "kubevirt", "");
    if (json_object_get(row, "config"))
        jpath_set(kubevirt, "spec.configuration", must_copy(json_object_get(row, "config")));
    if (gates)
        jpath_set(kubevirt, "spec.configuration.developerConfiguration.featureGates",
                  must_copy(gates));
    if (cluster_config_new(&config, kubevirt, &e) < 0)
        fail_msg("config: %s", e.msg);
    json_decref(kubevirt);
    return config;
}

/* ---- what comes of it ---- */

struct outcome {
    json_t *causes; /* sorted "Cause field" */
    json_t *warnings;
    json_t *object;  /* as it was validated */
    json_t *answers; /* "mutator", "validator", the "object", and the "cluster" afterwards */
    int code;        /* of any other refusal, else 0 */
    char message[500];
};

static void take_outcome(struct outcome *o, struct review *rv)
{
    size_t i;
    json_t *warning;

    for (size_t f = 0; f < rv->findings.len; f++) {
        const struct finding *finding = &rv->findings.item[f];
        scoped(free) char *text =
            must_asprintf("%s %s", cause_text(finding->cause), finding->field);

        assert_true(*finding->message != '\0');
        must_append(o->causes, json_string(text));
    }
    json_array_foreach(rv->warnings, i, warning)
        must_append(o->warnings, must_copy(warning));
    if (rv->denied.code != ERR_NONE) {
        o->code = error_http(rv->denied.code);
        (void)snprintf(o->message, sizeof(o->message), "%s", rv->denied.msg);
    }
}

/* What virt-api would have in its stores of the row's "cluster". */
static json_t *stored(void *ctx, const struct kube_kind *kind, const char *key)
{
    char ns[254], name[254];
    json_t *found = NULL;
    struct error e;

    if (!ctx || key_split(key, ns, name) < 0)
        return NULL;
    (void)kube_get(ctx, kind, *ns ? ns : NULL, name, &found, &e);
    return found;
}

/* One webhook's decision; the object becomes what it made of it. */
static void ask(struct outcome *o, const char *path, const struct request *q, const json_t *row,
                struct kube *kube)
{
    const struct webhook *hook = webhook_find(path);
    assert_non_null(hook);
    const char *plural = jpath_str(row, "request.resource.resource", kind_vm.plural);
    const struct kind *kind = hook->kind ? hook->kind : kind_find_plural(kind_vm.group, plural);
    struct cluster_config *config = config_of(row);
    json_auto_t *body =
        must_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:O?, s:O?}}", "kind",
                  "AdmissionReview", "request", "uid", "u", "operation", q->operation, "namespace",
                  "ns", "userInfo", "username", q->user, "resource", "group", kind->group,
                  "resource", kind->plural, "object", o->object, "oldObject", q->old);
    struct review rv = { .installation = "kubevirt",
                         .config = config,
                         .stored = stored,
                         .stored_ctx = kube,
                         .kube = webhook_asks(hook, body) ? kube : NULL,
                         .takes_deletion = streq(hook->operations, "DELETE") };
    struct error e = { 0 };

    merge_member(&body, row, "request", "request");
    findings_init(&rv.findings);
    if (review_read(&rv, body, kind, &e) < 0)
        fail_msg("%s: %s", path, e.msg);
    if (hook->decide == mutate_vmi)
        mutate_vmi_with(&rv, json_object_get(row, "presets"));
    else
        hook->decide(&rv);
    take_outcome(o, &rv);
    must_set(o->answers, hook->flags & HOOK_MUTATES ? "mutator" : "validator",
             answer_of_review(&rv, body));
    if (rv.changed) {
        json_decref(o->object);
        o->object = json_incref(rv.changed);
    }
    review_done(&rv);
    cluster_config_unref(config);
}

static bool is_refused(const struct outcome *o)
{
    return o->code || json_array_size(o->causes) > 0;
}

/* ---- the API server of webhooks that ask it: the row's "cluster" and "fails" ---- */

static const struct kube_kind *kind_of_stored(const json_t *object)
{
    static const struct {
        const char *name;
        const struct kube_kind *kind;
    } kinds[] = {
        { "Pod", &KIND_POD },
        { "VirtualMachineInstance", &KIND_VMI },
        { "VirtualMachine", &KIND_VM },
        { "VirtualMachineInstanceMigration", &KIND_MIGRATION },
        { "VirtualMachineInstanceReplicaSet", &KIND_VMIRS },
        { "KubeVirt", &KIND_KUBEVIRT },
        { "VirtualMachineInstancetype", &KIND_INSTANCETYPE },
        { "VirtualMachineClusterInstancetype", &KIND_CLUSTER_INSTANCETYPE },
        { "VirtualMachinePreference", &KIND_PREFERENCE },
        { "VirtualMachineClusterPreference", &KIND_CLUSTER_PREFERENCE },
        { "ControllerRevision", &KIND_CONTROLLER_REVISION },
        { "PersistentVolumeClaim", &KIND_PVC },
        { "DataVolume", &KIND_DATA_VOLUME },
        { "DataSource", &KIND_DATA_SOURCE },
        { "VolumeSnapshot", &KIND_VOLUME_SNAPSHOT },
        { "CustomResourceDefinition", &KIND_CRD },
    };
    size_t k = 0;

    while (k < countof(kinds) && !streq(kinds[k].name, jpath_str(object, "kind", "")))
        k++;
    assert_true(k < countof(kinds));
    return kinds[k].kind;
}

static struct fake_kube *cluster_of(const json_t *row)
{
    const json_t *objects = json_object_get(row, "cluster");
    const char *words;
    json_t *status, *object;
    size_t i;

    if (!objects)
        return NULL;
    struct fake_kube *fake = fake_kube_start();
    json_array_foreach(objects, i, object)
        (void)fake_kube_put(fake, kind_of_stored(object), must_copy(object));
    json_object_foreach(json_object_get(row, "fails"), words, status)
        fake_kube_fail(fake, words, (int)json_integer_value(status), -1, -1);
    return fake;
}

/* What became of the row's "cluster", and what was asked of the API server. */
static void compare_cluster(const json_t *row, struct fake_kube *fake, struct outcome *o)
{
    json_t *now = json_array();
    const char *words;
    json_t *times, *object;
    size_t i;

    json_array_foreach(json_object_get(row, "cluster"), i, object)
        must_append(now, fake_kube_get(fake, kind_of_stored(object), meta_namespace(object),
                                       meta_name(object)));
    must_set(o->answers, "cluster", now);
    json_object_foreach(json_object_get(row, "asked"), words, times)
        assert_int_equal(fake_kube_asked(fake, words), json_integer_value(times));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

static json_t *sorted(const json_t *texts)
{
    size_t n = json_array_size(texts), i;
    json_t **items = must_calloc(n + 1, sizeof(*items));
    json_t *result = json_array();
    json_t *item;

    json_array_foreach(texts, i, item)
        items[i] = item;
    qsort(items, n, sizeof(*items), compare_texts);
    for (i = 0; i < n; i++)
        must_append(result, json_incref(items[i]));
    free(items);
    return result;
}

static void compare_object(const json_t *row, const json_t *object)
{
    compare_values(json_object_get(row, "set"), object);
    compare_unset(row, object);
}

static void compare_warnings(const json_t *want, const json_t *got)
{
    size_t i, j;
    json_t *words, *warning;

    if (json_is_integer(want) && json_integer_value(want) != (json_int_t)json_array_size(got))
        fail_msg("%zu warnings", json_array_size(got));
    json_array_foreach(want, i, words) {
        bool is_found = false;

        json_array_foreach(got, j, warning)
            is_found |= strstr(json_string_value(warning), json_string_value(words)) != NULL;
        if (!is_found)
            fail_msg("no warning says \"%s\"", json_string_value(words));
    }
}

static void compare(const json_t *row, const struct outcome *o)
{
    json_auto_t *got = sorted(o->causes);
    json_auto_t *want = sorted(json_object_get(row, "want"));

    if (o->code != jpath_int(row, "code", 0))
        fail_msg("code %d: %s", o->code, o->message);
    if (!strstr(o->message, jpath_str(row, "message", "")))
        fail_msg("message \"%s\"", o->message);
    assert_json(got, want);
    compare_object(row, o->object);
    compare_values(json_object_get(row, "answer"), o->answers);
    compare_words(json_object_get(row, "says"), o->answers);
    compare_warnings(json_object_get(row, "warnings"), o->warnings);
}

static void row_holds(void **state)
{
    const struct sheet_row *r = *state;
    const json_t *row = r->json;
    const struct subject_kind *kind = kind_of(row);
    struct fake_kube *fake = cluster_of(row);
    struct kube *kube = fake ? fake_kube_client(fake) : NULL;
    struct request q = request_of_row(row, kind);
    struct outcome o = { .causes = json_array(),
                         .warnings = json_array(),
                         .answers = json_object(),
                         .object = json_incref(q.object) };
    const char *validate = streq(q.operation, "UPDATE")   ? kind->update
                           : streq(q.operation, "DELETE") ? kind->delete
                                                          : kind->create;

    if (kind->mutate && jpath_bool(row, "mutate", true))
        ask(&o, kind->mutate, &q, row, kube);
    if (!is_refused(&o))
        ask(&o, validate, &q, row, kube);
    if (o.object)
        must_set(o.answers, "object", json_incref(o.object));
    if (fake)
        compare_cluster(row, fake, &o);
    compare(row, &o);

    json_decref(o.causes);
    json_decref(o.warnings);
    json_decref(o.answers);
    json_decref(o.object);
    json_decref(q.object);
    json_decref(q.old);
    free(q.user);
    if (fake)
        fake_kube_free(fake);
}

static void subject_holds(void **state)
{
    const struct sheet_row *r = *state;
    struct cluster_config *config = config_of(r->json);

    if (json_object_get(r->json, "http"))
        http_row_holds(r->json);
    else if (json_object_get(r->json, "hook"))
        hook_row_holds(r->json);
    else if (json_object_get(r->json, "gate"))
        gate_row_holds(r->json, config);
    else
        setting_row_holds(r->json, config);
    cluster_config_unref(config);
}

/* ---- the files ---- */

typedef void line_fn(const char *file, size_t line, char *text);

static void each_line(const char *pattern, line_fn *take)
{
    glob_t files;

    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t f = 0; f < files.gl_pathc; f++) {
        FILE *file = fopen(files.gl_pathv[f], "re");
        char *text = NULL;
        size_t size = 0;

        assert_non_null(file);
        for (size_t line = 1; getline(&text, &size, file) > 0; line++) {
            text[strcspn(text, "\n")] = '\0';
            if (*text && *text != '#')
                take(files.gl_pathv[f], line, text);
        }
        free(text);
        fclose(file);
    }
    globfree(&files);
}

static struct sheet_row rows[ROWS_MAX];
static size_t rows_len;

static struct rule_line {
    char *id;
    bool is_shown; /* by a row that refuses or changes something */
} catalogue[RULES_MAX];
static size_t catalogue_len;
static size_t mistakes; /* in the files themselves */

static struct rule_line *rule_by_id(const char *id)
{
    for (size_t i = 0; i < catalogue_len; i++)
        if (streq(catalogue[i].id, id))
            return &catalogue[i];
    return NULL;
}

static void mistake(const char *file, size_t line, const char *what)
{
    print_error("%s:%zu: %s\n", file, line, what);
    mistakes++;
}

static void take_rule(const char *file, size_t line, char *text)
{
    char *tab = strchr(text, '\t');

    if (!tab || !tab[1]) {
        mistake(file, line, "a rule is an id, a tab, and what it says");
        return;
    }
    *tab = '\0';
    if (rule_by_id(text))
        mistake(file, line, "this id is there already");
    assert_true(catalogue_len < RULES_MAX);
    catalogue[catalogue_len++].id = must_strdup(text);
}

static bool shows_its_rule(const json_t *row)
{
    static const char *const fields[] = { "code",   "set",  "unset", "warnings",
                                          "answer", "says", "is",    "asked" };
    bool is_shown = json_array_size(json_object_get(row, "want")) > 0;

    for (size_t i = 0; i < countof(fields); i++)
        is_shown |= json_object_get(row, fields[i]) != NULL;
    return is_shown;
}

static const char *unknown_member(const json_t *row)
{
    static const char *const members[] = {
        "rule",   "kind",    "op",     "name",  "spec",     "metadata", "object",  "old",
        "user",   "request", "config", "gates", "kubevirt", "presets",  "cluster", "fails",
        "asked",  "mutate",  "want",   "code",  "set",      "unset",    "message", "warnings",
        "answer", "says",    "hook",   "http",  "gate",     "setting",  "is",
    };
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)row, key, v) {
        size_t i = 0;

        while (i < countof(members) && !streq(members[i], key))
            i++;
        if (i == countof(members))
            return key;
    }
    return NULL;
}

static void take_row(const char *file, size_t line, char *text)
{
    json_error_t why;
    json_t *row = json_loads(text, 0, &why);
    struct rule_line *rule = rule_by_id(jpath_str(row, "rule", ""));

    if (!row)
        mistake(file, line, why.text);
    else if (!rule)
        mistake(file, line, "the catalogue has no such rule");
    else if (unknown_member(row))
        mistake(file, line, "a row has no such member");
    if (!row || !rule)
        return;
    rule->is_shown |= shows_its_rule(row);

    assert_true(rows_len < ROWS_MAX);
    struct sheet_row *r = &rows[rows_len++];
    r->json = row;
    (void)snprintf(r->name, sizeof(r->name), "%s %s:%zu %s", rule->id, strrchr(file, '/') + 1, line,
                   jpath_str(row, "name", ""));
}

static void every_rule_is_shown(void **state)
{
    size_t shown = 0;

    for (size_t i = 0; i < catalogue_len; i++) {
        shown += catalogue[i].is_shown;
        if (!catalogue[i].is_shown)
            print_error("no row shows the rule %s\n", catalogue[i].id);
    }
    print_message("## rules of spec 02: %zu of %zu covered, by %zu rows\n", shown, catalogue_len,
                  rows_len);
    assert_int_equal(mistakes, 0);
    assert_int_equal(shown, catalogue_len);
    assert_true(catalogue_len > 0);
}

int main(void)
{
    static struct CMUnitTest tests[ROWS_MAX + 1];

    each_line("test/rules/*.tsv", take_rule);
    each_line("test/rules/*.jsonl", take_row);
    tests[0] =
        (struct CMUnitTest){ .name = "every rule is shown", .test_func = every_rule_is_shown };
    for (size_t i = 0; i < rows_len; i++)
        tests[i + 1] =
            (struct CMUnitTest){ .name = rows[i].name,
                                 .test_func = json_object_get(rows[i].json, "is") ? subject_holds
                                                                                  : row_holds,
                                 .initial_state = &rows[i] };

    int failed = _cmocka_run_group_tests("sheet rules", tests, rows_len + 1, NULL, NULL);
    sheet_server_done();

    for (size_t i = 0; i < rows_len; i++)
        json_decref(rows[i].json);
    for (size_t i = 0; i < catalogue_len; i++)
        free(catalogue[i].id);
    return failed;
}
