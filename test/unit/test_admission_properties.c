/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every object, whatever is in it: tried on objects that are made of two recorded
 * ones (recordings.h), a third of them with one value changed.  An answer comes; the patch makes of
 * the object what was decided; to mutate once more changes nothing, nor does an update to what was
 * admitted; and defaults put no fault of shape into an object that had none.
 */
#include "base/jpatch.h"
#include "openapi/validate.h"
#include "recordings.h"

enum { KEPT = 300, STRIDE = 37 };

/* Objects of one kind, as users sent them. */
struct objects {
    const char *path; /* of the webhook */
    json_t *lines;
    size_t mixed, admitted, refused, by_mutator;
};

/* Everything of both: members merged, lists one after the other. */
static void join(json_t *into, const json_t *from)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)from, key, v) {
        json_t *mine = json_object_get(into, key);

        if (json_is_object(mine) && json_is_object(v))
            join(mine, v);
        else if (json_is_array(mine) && json_is_array(v))
            must(json_array_extend(mine, v) == 0);
        else
            must_set(into, key, must_copy(v));
    }
}

/* A line like `a` whose object is mixed with b's: joined, or merged as a patch. */
static json_t *mix(const json_t *a, const json_t *b, bool is_joined)
{
    json_t *line = must_copy(a);
    json_t *object = json_object_get(line, "object");
    json_t *spec = json_object_get(object, "spec");
    const json_t *other = jpath(b, "object.spec");

    if (is_joined)
        join(spec, other);
    else
        must_set(object, "spec", jmerge_apply(spec, other));
    return line;
}

/* Put `with` in the place of one value that holds no others; `left` values are passed over. */
static void put_somewhere(json_t *v, const json_t *with, size_t *left)
{
    const char *key;
    void *next;
    json_t *item;
    size_t i;

    json_object_foreach_safe(v, next, key, item) {
        if (json_is_object(item) || json_is_array(item))
            put_somewhere(item, with, left);
        else if ((*left)-- == 0)
            must_set(v, key, must_copy(with));
    }
    json_array_foreach(v, i, item) {
        if (json_is_object(item) || json_is_array(item))
            put_somewhere(item, with, left);
        else if ((*left)-- == 0)
            must(json_array_set_new(v, i, must_copy(with)) == 0);
    }
}

/* One value of the object becomes another, mostly of the same type. */
static void scramble(json_t *line, size_t turn)
{
    static const char *const values[] = {
        "\"\"", "\"A_bad\"",  "\"-1Gi\"", "\"1.5Gi\"", "\"512\"", "0",    "-1",
        "1",    "2147483647", "1e3",      "true",      "false",   "null", "\"virtio\"",
    };
    json_auto_t *with = json_loads(values[turn % countof(values)], JSON_DECODE_ANY, NULL);
    size_t left = turn * STRIDE % 61;

    put_somewhere(jpath(line, "object.spec"), with, &left);
}

static bool has_shape(const struct kind *kind, const json_t *object)
{
    scoped_findings f;

    findings_init(&f);
    schema_validate(kind, object, &f);
    return !findings_misshapen(&f);
}

/* Times differ from call to call. */
static json_t *without_times(const json_t *object)
{
    json_t *v = must_copy(object);

    jpath_del(v, "status.phaseTransitionTimestamps");
    return v;
}

static void check_stays(const struct decision *d, const json_t *line,
                        const struct cluster_config *config)
{
    struct decision again;
    json_auto_t *next = must_copy(line);

    must_set(next, "object", must_copy(d->mutated));
    decide(&again, next, config, NULL);
    json_auto_t *before = without_times(d->mutated);
    json_auto_t *after = without_times(again.mutated);
    assert_json(after, before);
    assert_int_equal(again.is_denied, d->is_denied);
    decision_done(&again);
}

/* To store again what was admitted is an update that changes nothing. */
static void check_update(const struct decision *d, const json_t *line,
                         const struct cluster_config *config)
{
    struct decision again;
    json_auto_t *next = must_copy(line);

    if (streq(jpath_str(line, "path", ""), "/virtualmachineinstances-validate-create"))
        jpath_set_str(next, "path", "/virtualmachineinstances-validate-update");
    jpath_set_str(next, "operation", "UPDATE");
    must_set(next, "object", must_copy(d->mutated));
    must_set(next, "oldObject", must_copy(d->mutated));
    decide(&again, next, config, NULL);
    if (again.is_denied)
        print_error("%s\n", decider(&again)->findings.item[0].message);
    assert_false(again.is_denied);
    assert_json(again.mutated, d->mutated);
    decision_done(&again);
}

static void check_line(struct objects *o, const json_t *line, const struct cluster_config *config)
{
    const struct kind *kind = asker_of(line)->kind;
    struct decision d;

    decide(&d, line, config, NULL);
    o->mixed++;
    o->admitted += !d.is_denied;
    o->refused += d.is_denied;
    o->by_mutator += d.by_mutator;
    if (!d.by_mutator) {
        check_stays(&d, line, config);
        if (!d.is_denied)
            check_update(&d, line, config);
        if (has_shape(kind, d.mutating.object))
            assert_true(has_shape(kind, d.mutated));
    }
    decision_done(&d);
}

static void keep_lines(struct objects *o)
{
    struct lines l;

    size_t n = 0;

    o->lines = json_array();
    lines_open(&l, GOLDEN "admission-plain.jsonl.xz");
    for (json_t *line = lines_next(&l); line; line = lines_next(&l)) {
        if (json_array_size(o->lines) < KEPT / EVERY_NTH &&
            streq(jpath_str(line, "path", ""), o->path) &&
            streq(jpath_str(line, "operation", ""), "CREATE") && n++ % (2 * EVERY_NTH) == 0)
            must_append(o->lines, json_incref(line));
        json_decref(line);
    }
    lines_close(&l);
}

struct mixture {
    const char *name, *path;
    const char *config; /* NULL: the defaults */
};

static void holds(void **state)
{
    const struct mixture *m = *state;
    struct objects o = { .path = m->path };
    json_auto_t *kubevirt = m->config ? json_load_file(m->config, 0, NULL) : NULL;
    struct cluster_config *config;
    struct error e;

    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    keep_lines(&o);
    const size_t n = json_array_size(o.lines);
    assert_true(n > 10);
    for (size_t i = 0; i < 4 * n; i++) {
        const json_t *a = json_array_get(o.lines, i % n);
        const json_t *b = json_array_get(o.lines, (i * STRIDE + i / n + 1) % n);
        json_auto_t *line = mix(a, b, i % 2 == 0);

        if (i % 3 == 0)
            scramble(line, i / 3);
        check_line(&o, line, config);
    }
    print_message("## mixtures, %s: %zu objects, %zu admitted, %zu refused (%zu by the mutator)\n",
                  m->name, o.mixed, o.admitted, o.refused, o.by_mutator);
    assert_true(o.admitted > 0 && o.refused > o.by_mutator);
    json_decref(o.lines);
    cluster_config_unref(config);
}

// clang-format off
static const struct mixture mixtures[] = {
    { "machines", "/virtualmachines-validate", NULL },
    { "machines, with gates", "/virtualmachines-validate", GOLDEN "config-gates.json" },
    { "instances", "/virtualmachineinstances-validate-create", NULL },
    { "instances, with gates", "/virtualmachineinstances-validate-create", GOLDEN "config-gates.json" },
    { "replica sets", "/virtualmachinereplicaset-validate", NULL },
    { "presets", "/vmipreset-validate", NULL },
};
// clang-format on

int main(void)
{
    return RUN_ROWS("admission_properties", mixtures, holds);
}
