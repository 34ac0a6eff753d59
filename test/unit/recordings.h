/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings of upstream's decisions (test/golden/webhooks): read line by line, and asked of our
 * own mutators and validators as virt-api asks them. */
#ifndef TEST_UNIT_RECORDINGS_H
#define TEST_UNIT_RECORDINGS_H

#include <lzma.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "webhooks/mutators.h"
#include "webhooks/validators.h"

#define GOLDEN "test/golden/webhooks/"

/* Slow builds take a sample. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { EVERY_NTH = 10 };
#else
enum { EVERY_NTH = 1 };
#endif

/* ---- lines ---- */

struct lines {
    char *text; /* owned */
    char *next;
};

static inline void lines_open(struct lines *l, const char *path)
{
    lzma_stream xz = LZMA_STREAM_INIT;
    struct buf out = BUF_INIT(0);
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
        (void)buf_add(&out, text, sizeof(text) - xz.avail_out);
    }
    assert_int_equal(r, LZMA_STREAM_END);
    lzma_end(&xz);
    fclose(file);
    l->text = l->next = buf_take(&out);
}

/* The next line, or NULL at the end.  New. */
static inline json_t *lines_next(struct lines *l)
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

static inline void lines_close(struct lines *l)
{
    free(l->text);
}

/* ---- our decision ---- */

struct asker {
    const struct kind *kind;
    review_fn *mutate, *validate;
};

/* Who answers a line: by the path of upstream's validating webhook. */
static inline const struct asker *asker_of(const json_t *line)
{
    static const struct {
        const char *path;
        struct asker asker;
    } hooks[] = {
        { "/virtualmachines-validate", { &kind_vm, mutate_vm, validate_vm } },
        { "/virtualmachineinstances-validate-create",
          { &kind_vmi, mutate_vmi, validate_vmi_create } },
        { "/virtualmachineinstances-validate-update",
          { &kind_vmi, mutate_vmi, validate_vmi_update } },
        { "/virtualmachinereplicaset-validate", { &kind_vmirs, NULL, validate_vmirs } },
        { "/vmipreset-validate", { &kind_preset, NULL, validate_preset } },
        { "/migration-validate-create", { &kind_migration, NULL, validate_migration } },
    };

    for (size_t i = 0; i < countof(hooks); i++)
        if (streq(hooks[i].path, jpath_str(line, "path", "")))
            return &hooks[i].asker;
    fail_msg("no webhook %s", jpath_str(line, "path", ""));
    return NULL;
}

static inline json_t *request_of(const json_t *line, const struct kind *kind, const json_t *object)
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

/* What an API server gets to know of a line, and how that came about. */
struct decision {
    bool is_denied, by_mutator;
    int code;        /* of a refusal */
    json_t *mutated; /* the object with the patch applied */

    struct review mutating, validating;
    json_t *first, *second; /* what they were asked */
};

static inline void start_review(struct review *rv, const struct cluster_config *config,
                                const json_t *body, const struct kind *kind)
{
    struct error e;

    *rv = (struct review){ .config = config, .installation = "kubevirt" };
    findings_init(&rv->findings);
    assert_int_equal(review_read(rv, body, kind, &e), 0);
}

/* Take what counts from the answer as it is sent. */
static inline void take_answer(struct decision *d, const struct review *rv, const json_t *body)
{
    scoped_buf text = BUF_INIT(0);
    struct error e;

    review_answer(rv, body, &text);
    json_auto_t *answer = json_loadb(text.data, text.len, 0, NULL);
    assert_non_null(answer);
    d->is_denied = !jpath_bool(answer, "response.allowed", true);
    d->code = (int)jpath_int(answer, "response.status.code", 0);

    const char *patch = jpath_str(answer, "response.patch", NULL);
    if (!patch)
        return;
    scoped(free) char *operations = str_unbase64(patch, &(size_t){ 0 });
    json_auto_t *list = json_loads(operations, 0, NULL);
    assert_non_null(list);
    assert_int_equal(jpatch_apply(&d->mutated, list, &e), 0);
    assert_json(d->mutated, rv->changed);
}

/* The object of `line` mutated, with `presets` (or NULL) stored, and what came out validated. */
static inline void decide(struct decision *d, const json_t *line,
                          const struct cluster_config *config, const json_t *presets)
{
    const struct asker *asker = asker_of(line);
    const json_t *object = json_object_get(line, "object");

    d->mutated = must_copy(object);
    d->first = request_of(line, asker->kind, object);
    start_review(&d->mutating, config, d->first, asker->kind);
    if (asker->mutate == mutate_vmi)
        mutate_vmi_with(&d->mutating, presets);
    else if (asker->mutate)
        asker->mutate(&d->mutating);
    take_answer(d, &d->mutating, d->first);
    d->by_mutator = d->is_denied;

    d->second = request_of(line, asker->kind, d->mutated);
    start_review(&d->validating, config, d->second, asker->kind);
    if (d->by_mutator)
        return;
    asker->validate(&d->validating);
    take_answer(d, &d->validating, d->second);
}

/* The review that decided. */
static inline const struct review *decider(const struct decision *d)
{
    return d->by_mutator ? &d->mutating : &d->validating;
}

static inline void decision_done(struct decision *d)
{
    review_done(&d->mutating);
    review_done(&d->validating);
    json_decref(d->first);
    json_decref(d->second);
    json_decref(d->mutated);
}

#endif
