/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutators and validators against decisions that upstream's own webhooks made
 * (test/golden/webhooks): the share of equal verdicts, of equal sets of cause fields, and of equal
 * mutated objects must not fall.  SHOW=verdict|causes|mutated lists the lines that differ.
 */
#include <lzma.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "webhooks/mutators.h"
#include "webhooks/validators.h"

#define GOLDEN "test/golden/webhooks/"

/* Slow builds take a sample, whose shares are a little off. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { EVERY_NTH = 10, SAMPLE_PERCENT = 2 };
#else
enum { EVERY_NTH = 1, SAMPLE_PERCENT = 0 };
#endif

/* ---- reading a recording ---- */

struct lines {
    struct buf text;
    char *next;
};

static void read_xz(const char *path, struct buf *out)
{
    lzma_stream xz = LZMA_STREAM_INIT;
    uint8_t in[16384];
    uint8_t text[65536];
    FILE *file = fopen(path, "re");
    lzma_ret r = LZMA_OK;

    assert_non_null(file);
    assert_int_equal(lzma_stream_decoder(&xz, UINT64_MAX, 0), LZMA_OK);
    while (r == LZMA_OK) {
        if (xz.avail_in == 0) {
            xz.next_in = in;
            xz.avail_in = fread(in, 1, sizeof(in), file);
        }
        xz.next_out = text;
        xz.avail_out = sizeof(text);
        r = lzma_code(&xz, feof(file) ? LZMA_FINISH : LZMA_RUN);
        (void)buf_add(out, text, sizeof(text) - xz.avail_out);
    }
    assert_int_equal(r, LZMA_STREAM_END);
    lzma_end(&xz);
    fclose(file);
}

static json_t *next_line(struct lines *l)
{
    char *line = l->next;
    char *end = line ? strchr(line, '\n') : NULL;

    if (!end)
        return NULL;
    *end = '\0';
    l->next = end + 1;
    json_t *v = json_loads(line, 0, NULL);
    assert_non_null(v);
    return v;
}

/* ---- what is not compared ---- */

static bool is_dropped_when_empty(const char *key)
{
    static const char *const maps[] = { "resources", "devices",  "metadata",
                                        "domain",    "template", "spec" };

    for (size_t i = 0; i < countof(maps); i++)
        if (streq(key, maps[i]))
            return true;
    return false;
}

static void drop_noise(json_t *v)
{
    const char *key;
    void *next;
    json_t *item;
    size_t i;

    json_object_foreach_safe(v, next, key, item) {
        drop_noise(item);
        if (json_is_null(item) || streq(key, "creationTimestamp") ||
            (is_dropped_when_empty(key) && json_is_object(item) && json_object_size(item) == 0))
            json_object_del(v, key);
    }
    json_array_foreach(v, i, item)
        drop_noise(item);
}

/* What was made at random stands as "*" in the recording. */
static void hide_random(json_t *mine, const json_t *theirs)
{
    static const char *const paths[] = {
        "spec.domain.firmware.uuid",
        "spec.domain.firmware.serial",
        "spec.template.spec.domain.firmware.uuid",
        "spec.template.spec.domain.firmware.serial",
    };

    for (size_t i = 0; i < countof(paths); i++)
        if (streq(jpath_str(theirs, paths[i], ""), "*") && *jpath_str(mine, paths[i], ""))
            jpath_set_str(mine, paths[i], "*");
}

static json_t *normal(const json_t *object, const json_t *theirs)
{
    json_t *v = must_copy(object);
    json_int_t user = jpath_int(v, "status.runtimeUser", -1);

    json_object_del(v, "status");
    if (user >= 0)
        jpath_set_int(v, "status.runtimeUser", user);
    drop_noise(v);
    hide_random(v, theirs);
    return v;
}

/* ---- causes ---- */

/*
 * Upstream's path, and the one that names the field: by rule, see docs/COMPATIBILITY.md.  Matched
 * at the end of the path, without the prefix (spec, spec.template.spec) and with every index as [].
 */
static const struct {
    const char *theirs, *ours;
} better_paths[] = {
    { "domain.devices.disks.domain.devices.disks.disk[].pciAddress",
      "domain.devices.disks[].disk.pciAddress" },
    { "domain.devices.disks.domain.devices.disks[].name", "domain.devices.disks[].name" },
    { "domain.devices.disks.domain.devices.disks[].io", "domain.devices.disks[].io" },
    { "domain.devices.disks.domain.devices.disks[]", "domain.devices.disks[]" },
    { "domain.devices.disks.luns.reservation", "domain.devices.disks[].lun.reservation" },
    { "domain.devices.filesystems", "domain.devices.filesystems[]" },
    { "domain.volumes[]", "volumes[]" },
    { "domain.ioThreads.count", "domain.ioThreads.supplementalPoolThreadCount" },
    { "HostDevices", "domain.devices.hostDevices" },
    { "GPUs", "domain.devices.gpus" },
    { "Sound", "domain.devices.sound" },
    { "video", "domain.devices.video" },
    { "launchSecurity", "domain.launchSecurity" },
    { "acpi", "domain.firmware.acpi" },
    { "acpi.slicNameRef", "domain.firmware.acpi.slicNameRef" },
    { "acpi.msdmNameRef", "domain.firmware.acpi.msdmNameRef" },
    { "interfaces", "networks" },
    { "nameservers", "dnsConfig.nameservers[]" },
    { "searchDomains", "dnsConfig.searches[]" },
    { "options", "dnsConfig.options[].name" },
    { "", "domain.devices.interfaces[].dhcpOptions.privateOptions[].option" },
    { "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
      "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms" },
    { "topologySpreadConstraints.labelSelector.matchExpressions[].operator",
      "topologySpreadConstraints[].labelSelector" },
    { "topologySpreadConstraints.labelSelector.matchLabels",
      "topologySpreadConstraints[].labelSelector" },
    { "dataVolumeTemplate[].name", "dataVolumeTemplates[].name" },
};

/* "spec.template.spec.volumes[3].name" is "volumes[].name"; the end of `out` is what was there. */
static void without_place(const char *field, char out[FINDING_TEXT_MAX])
{
    static const char *const prefixes[] = { "spec.template.spec", "spec" };
    size_t len = 0;

    for (size_t i = 0; i < countof(prefixes); i++) {
        size_t n = strlen(prefixes[i]);

        if (strncmp(field, prefixes[i], n) == 0 && (field[n] == '.' || field[n] == '\0')) {
            field += n + (field[n] == '.');
            break;
        }
    }
    for (; *field; field++) {
        out[len++] = *field;
        if (*field == '[')
            field += strcspn(field, "]") - 1;
    }
    out[len] = '\0';
}

/* Is ours what we say where they say theirs? */
static bool is_same_field(const char *theirs, const char *ours)
{
    char a[FINDING_TEXT_MAX], b[FINDING_TEXT_MAX];

    if (streq(theirs, ours))
        return true;
    if (!*theirs)
        return streq(ours, "spec.domain"); /* no amount of memory */
    without_place(theirs, a);
    without_place(ours, b);
    if (streq(a, b))
        return !strchr(theirs, '[') || strstr(theirs, "ports[") != NULL;
    for (size_t i = 0; i < countof(better_paths); i++)
        if (streq(a, better_paths[i].theirs) && streq(b, better_paths[i].ours))
            return true;
    return false;
}

static json_t *their_fields(const json_t *causes, bool *ret_is_schema)
{
    json_t *set = json_object();
    size_t i;
    json_t *cause;

    *ret_is_schema = json_array_size(causes) > 0;
    json_array_foreach(causes, i, cause) {
        if (*json_string_value(json_array_get(cause, 0)))
            *ret_is_schema = false;
        must_set(set, json_string_value(json_array_get(cause, 1)), json_true());
    }
    return set;
}

static json_t *our_fields(const struct findings *f)
{
    json_t *set = json_object();

    for (size_t i = 0; i < f->len; i++)
        must_set(set, f->item[i].field, json_true());
    return set;
}

static bool has_field(const json_t *ours, const char *theirs)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)ours, key, v)
        if (is_same_field(theirs, key))
            return true;
    return false;
}

static bool is_known(const json_t *theirs, const char *ours)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)theirs, key, v)
        if (is_same_field(key, ours))
            return true;
    return false;
}

/* Every field of theirs is among ours, and (unless their list was cut) the other way round. */
static bool is_same_set(const json_t *theirs, const json_t *ours, bool is_cut)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)theirs, key, v)
        if (!has_field(ours, key))
            return false;
    json_object_foreach((json_t *)ours, key, v)
        if (!is_cut && !is_known(theirs, key))
            return false;
    return true;
}

/* ---- one line ---- */

struct tally {
    const char *config;
    struct cluster_config *cluster;
    json_t *presets;
    const char *show;
    size_t lines, verdict, causes, with_causes, mutated, with_mutated;
};

struct decision {
    struct review mutating, validating;
    bool is_denied, by_mutator;
};

static const struct {
    const char *path;
    const struct kind *kind;
    review_fn *mutate, *validate;
} hooks[] = {
    { "/virtualmachines-validate", &kind_vm, mutate_vm, validate_vm },
    { "/virtualmachineinstances-validate-create", &kind_vmi, mutate_vmi, validate_vmi_create },
    { "/virtualmachineinstances-validate-update", &kind_vmi, mutate_vmi, validate_vmi_update },
    { "/virtualmachinereplicaset-validate", &kind_vmirs, NULL, validate_vmirs },
    { "/vmipreset-validate", &kind_preset, NULL, validate_preset },
    { "/migration-validate-create", &kind_migration, NULL, validate_migration },
};

static json_t *request_of(const json_t *line, const struct kind *kind, const json_t *object)
{
    json_t *body =
        must_pack("{s:s, s:{s:s, s:O, s:s, s:{s:O}, s:{s:s, s:s}, s:O}}", "kind", "AdmissionReview",
                  "request", "uid", "u", "operation", json_object_get(line, "operation"),
                  "namespace", "default", "userInfo", "username", json_object_get(line, "user"),
                  "resource", "group", kind->group, "resource", kind->plural, "object", object);
    const json_t *old = json_object_get(line, "oldObject");

    if (old)
        must_set(json_object_get(body, "request"), "oldObject", must_copy(old));
    return body;
}

static void start_review(struct review *rv, const struct tally *t, const json_t *body,
                         const struct kind *kind)
{
    struct error e;

    *rv = (struct review){ .config = t->cluster, .installation = "kubevirt" };
    findings_init(&rv->findings);
    assert_int_equal(review_read(rv, body, kind, &e), 0);
}

static void decide_line(struct tally *t, const json_t *line, struct decision *d)
{
    size_t h = 0;

    while (h < countof(hooks) && !streq(hooks[h].path, jpath_str(line, "path", "")))
        h++;
    assert_true(h < countof(hooks));

    json_auto_t *first = request_of(line, hooks[h].kind, json_object_get(line, "object"));
    start_review(&d->mutating, t, first, hooks[h].kind);
    if (hooks[h].mutate == mutate_vmi)
        mutate_vmi_with(&d->mutating, t->presets);
    else if (hooks[h].mutate)
        hooks[h].mutate(&d->mutating);
    d->by_mutator = d->is_denied = review_is_refused(&d->mutating);

    json_t *object = d->mutating.changed ? d->mutating.changed : (json_t *)d->mutating.object;
    json_auto_t *second = request_of(line, hooks[h].kind, object);
    start_review(&d->validating, t, second, hooks[h].kind);
    if (!d->is_denied) {
        hooks[h].validate(&d->validating);
        d->is_denied = review_is_refused(&d->validating);
    }
    if (!d->mutating.changed)
        d->mutating.changed = must_copy(d->mutating.object);
}

static void show(const struct tally *t, const char *what, const json_t *line, const char *fmt, ...)
{
    va_list ap;

    if (!streq(t->show, what))
        return;
    fprintf(stderr, "# %s %s ", what, jpath_str(line, "id", ""));
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static void compare_mutated(struct tally *t, const json_t *line, const struct decision *d)
{
    const json_t *theirs = json_object_get(line, "mutated");

    if (!theirs || d->by_mutator)
        return;
    json_auto_t *a = normal(theirs, theirs);
    json_auto_t *b = normal(d->mutating.changed, theirs);

    t->with_mutated++;
    if (json_equal(a, b)) {
        t->mutated++;
        return;
    }
    scoped(free) char *want = must_dumps(a, JSON_SORT_KEYS);
    scoped(free) char *got = must_dumps(b, JSON_SORT_KEYS);
    show(t, "mutated", line, "\n  want %s\n  got  %s", want, got);
}

static void compare_causes(struct tally *t, const json_t *line, const struct decision *d)
{
    const struct review *rv = d->by_mutator ? &d->mutating : &d->validating;
    const json_t *causes = json_object_get(line, "causes");
    bool is_schema;
    json_auto_t *theirs = their_fields(causes, &is_schema);
    json_auto_t *ours = our_fields(&rv->findings);
    /* A schema fault has no field there; and ten causes are all that is ever shown. */
    bool is_cut = json_array_size(causes) >= FINDINGS_SHOWN;
    bool is_equal = is_schema || json_array_size(causes) == 0 || is_same_set(theirs, ours, is_cut);

    t->with_causes++;
    t->causes += is_equal;
    if (is_equal)
        return;
    scoped(free) char *want = must_dumps(theirs, JSON_SORT_KEYS);
    scoped(free) char *message = findings_message(&rv->findings);
    show(t, "causes", line, "\n  want %s\n  got  %s", want, message);
}

static void compare(struct tally *t, const json_t *line)
{
    struct decision d = { .is_denied = false };
    bool their_denied = json_is_true(json_object_get(line, "mutatorDenied")) ||
                        json_is_false(json_object_get(line, "allowed"));

    if (json_object_get(line, "broke"))
        return;
    decide_line(t, line, &d);
    t->lines++;
    t->verdict += d.is_denied == their_denied;
    if (d.is_denied != their_denied) {
        const struct review *rv = d.by_mutator ? &d.mutating : &d.validating;
        const json_t *list = json_object_get(line, "causes");
        scoped(free) char *causes = list ? must_dumps(list, 0) : must_strdup("a refusal");
        scoped(free) char *message = findings_message(&rv->findings);

        show(t, "verdict", line, "%s want %s got %s%s", jpath_str(line, "path", ""),
             their_denied ? causes : "allowed", message, rv->denied.msg);
    } else if (d.is_denied) {
        compare_causes(t, line, &d);
    }
    compare_mutated(t, line, &d);
    review_done(&d.mutating);
    review_done(&d.validating);
}

/* ---- the recordings ---- */

struct recording {
    const char *name, *file, *config;
    double verdict, causes, mutated; /* the least share, in percent */
};

static struct cluster_config *read_config(const char *path)
{
    json_auto_t *kubevirt = json_load_file(path, 0, NULL);
    struct cluster_config *config = NULL;
    struct error e;

    assert_non_null(kubevirt);
    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    return config;
}

static double percent(size_t part, size_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 100;
}

static void agrees(void **state)
{
    const struct recording *r = *state;
    struct lines l = { .text = BUF_INIT(0) };
    struct tally t = { .config = r->name, .show = getenv("SHOW") };
    size_t n = 0;

    t.cluster = read_config(r->config);
    read_xz(r->file, &l.text);
    l.next = buf_take(&l.text);
    char *text = l.next;
    for (json_t *line = next_line(&l); line; line = next_line(&l)) {
        if (json_object_get(line, "presets"))
            t.presets = json_incref(json_object_get(line, "presets"));
        else if (n++ % EVERY_NTH == 0)
            compare(&t, line);
        json_decref(line);
    }
    free(text);
    json_decref(t.presets);
    cluster_config_unref(t.cluster);

    print_message(
        "## golden %s: %zu lines, verdicts %.2f %%, cause fields %.2f %%, mutated objects %.2f %%\n",
        r->name, t.lines, percent(t.verdict, t.lines), percent(t.causes, t.with_causes),
        percent(t.mutated, t.with_mutated));
    assert_true(t.lines > 0);
    assert_true(percent(t.verdict, t.lines) >= r->verdict - SAMPLE_PERCENT);
    assert_true(percent(t.causes, t.with_causes) >= r->causes - SAMPLE_PERCENT);
    assert_true(percent(t.mutated, t.with_mutated) >= r->mutated - SAMPLE_PERCENT);
}

/*
 * config-gates.json and config-tuned.json had not been taken up when these were made: devices are
 * refused whose gates are listed, machines get the default type.  All are decisions under
 * config-plain.json.
 */
// clang-format off
static const struct recording recordings[] = {
    { "plain", GOLDEN "admission-plain.jsonl.xz", GOLDEN "config-plain.json", 99.9, 98.5, 99.6 },
    { "gates", GOLDEN "admission-gates.jsonl.xz", GOLDEN "config-plain.json", 99.9, 98.5, 99.6 },
    { "tuned", GOLDEN "admission-tuned.jsonl.xz", GOLDEN "config-plain.json", 99.9, 98.5, 99.6 },
    { "presets", GOLDEN "admission-presets.jsonl.xz", GOLDEN "config-plain.json", 100, 100, 100 },
};
// clang-format on

int main(void)
{
    return RUN_ROWS("golden_admission", recordings, agrees);
}
