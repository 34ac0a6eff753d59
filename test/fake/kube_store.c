/* SPDX-License-Identifier: Apache-2.0 */
/* Objects by collection and key, every change kept in order until compacted. */
#include "test/fake/kube_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

/* The next non-empty piece between separators, cut out of *rest; NULL at the end. */
static char *next_piece(char **rest, char separator)
{
    const char set[] = { separator, '\0' };
    char *piece = *rest + strspn(*rest, set);

    if (*piece == '\0')
        return NULL;
    *rest = piece + strcspn(piece, set);
    if (**rest)
        *(*rest)++ = '\0';
    return piece;
}

/* ---- paths ---- */

static void copy_segment(char *to, size_t size, const char *from)
{
    scoped(free) char *text = str_percent_decode(from);

    (void)snprintf(to, size, "%s", text);
}

struct fake_path fake_path_parse(const char *path)
{
    struct fake_path p = { 0 };
    scoped(free) char *text = must_strdup(path);
    char *segment[12] = { 0 };
    char *rest = text;
    size_t n = 0;

    for (char *s = next_piece(&rest, '/'); s && n < countof(segment); s = next_piece(&rest, '/'))
        segment[n++] = s;
    bool is_core = n >= 3 && streq(segment[0], "api");
    if (!is_core && !(n >= 4 && streq(segment[0], "apis")))
        return p;
    size_t at = is_core ? 2 : 3;
    copy_segment(p.group, sizeof(p.group), is_core ? "" : segment[1]);
    copy_segment(p.version, sizeof(p.version), segment[at - 1]);
    if (n >= at + 3 && streq(segment[at], "namespaces")) {
        copy_segment(p.ns, sizeof(p.ns), segment[at + 1]);
        at += 2;
    }
    copy_segment(p.plural, sizeof(p.plural), segment[at]);
    if (n > at + 1)
        copy_segment(p.name, sizeof(p.name), segment[at + 1]);
    if (n > at + 2)
        copy_segment(p.sub, sizeof(p.sub), segment[at + 2]);
    p.is_known = true;
    return p;
}

const char *fake_collection(const struct fake_path *p, char out[256])
{
    (void)snprintf(out, 256, "%s/%s", p->group, p->plural);
    return out;
}

/* ---- memory ---- */

void fake_store_init(struct fake_store *s)
{
    *s = (struct fake_store){ .collections = json_object(), .version = 100 };
}

void fake_store_compact(struct fake_store *s)
{
    for (size_t i = 0; i < s->changes_len; i++) {
        json_decref(s->changes[i].obj);
        json_decref(s->changes[i].old);
    }
    s->changes_len = 0;
    s->version += 10; /* as if others had written meanwhile */
    s->compacted = s->version;
}

void fake_store_done(struct fake_store *s)
{
    fake_store_compact(s);
    free(s->changes);
    json_decref(s->collections);
}

static json_t *collection_of(struct fake_store *s, const struct fake_path *p)
{
    char name[256];

    json_t *found = json_object_get(s->collections, fake_collection(p, name));
    if (!found) {
        found = json_object();
        must_set(s->collections, name, found);
    }
    return found;
}

static char *key_of(const struct fake_path *p)
{
    return must_asprintf("%s/%s", p->ns, p->name);
}

json_t *fake_store_peek(struct fake_store *s, const struct fake_path *p)
{
    scoped(free) char *key = key_of(p);

    return json_object_get(collection_of(s, p), key);
}

static void record(struct fake_store *s, const struct fake_path *p, json_t *obj, json_t *old)
{
    if (s->changes_len == s->changes_cap) {
        s->changes_cap = s->changes_cap ? s->changes_cap * 2 : 64;
        s->changes = must_realloc(s->changes, s->changes_cap * sizeof(*s->changes));
    }
    struct fake_change *c = &s->changes[s->changes_len++];
    *c = (struct fake_change){
        .version = s->version,
        .type = !old  ? "ADDED"
                : obj ? "MODIFIED"
                      : "DELETED",
        .old = json_incref(old),
    };
    (void)fake_collection(p, c->collection);
    if (obj) {
        c->obj = json_incref(obj);
        return;
    }
    char version[32];
    (void)snprintf(version, sizeof(version), "%lld", s->version);
    c->obj = must_copy(old);
    jpath_set_str(c->obj, "metadata.resourceVersion", version);
}

json_t *fake_store_write(struct fake_store *s, const struct fake_path *p, json_t *obj)
{
    scoped(free) char *key = key_of(p);
    json_t *collection = collection_of(s, p);
    json_auto_t *old = json_incref(json_object_get(collection, key));
    char text[32];

    s->version++;
    if (obj) {
        (void)snprintf(text, sizeof(text), "%lld", s->version);
        jpath_set_str(obj, "metadata.resourceVersion", text);
        record(s, p, obj, old);
        must_set(collection, key, obj);
    } else if (old) {
        record(s, p, NULL, old);
        (void)json_object_del(collection, key);
    }
    return obj;
}

/* ---- verbs ---- */

static int not_found(const struct fake_path *p, struct error *e)
{
    return error_set(e, ERR_NOT_FOUND, "%s%s%s \"%s\" not found", p->plural, p->group[0] ? "." : "",
                     p->group, p->name);
}

int fake_store_create(struct fake_store *s, const struct fake_path *p, const json_t *body,
                      json_t **ret, struct error *e)
{
    json_auto_t *obj = must_copy(body);
    struct fake_path at = *p;
    char now[RFC3339_MAX];
    char uid[37];
    char suffix[6];

    const char *prefix = jpath_str(obj, "metadata.generateName", "");
    if (!meta_name(obj)[0] && *prefix) {
        random_suffix(suffix, 5);
        scoped(free) char *name = must_asprintf("%s%s", prefix, suffix);
        jpath_set_str(obj, "metadata.name", name);
    }
    if (!meta_name(obj)[0])
        return error_set(e, ERR_INVALID, "name or generateName is required");
    (void)snprintf(at.name, sizeof(at.name), "%s", meta_name(obj));
    if (fake_store_peek(s, &at))
        return error_set(e, ERR_EXISTS, "%s \"%s\" already exists", p->plural, at.name);

    uuid_v4(uid);
    jpath_set_str(obj, "metadata.uid", uid);
    if (at.ns[0])
        jpath_set_str(obj, "metadata.namespace", at.ns);
    jpath_set_str(obj, "metadata.creationTimestamp", rfc3339(clock_wall_ms(&clock_real), now));
    if (json_object_get(obj, "spec"))
        jpath_set_int(obj, "metadata.generation", 1);
    *ret = json_incref(fake_store_write(s, &at, TAKE(obj)));
    return 0;
}

static void keep_member(json_t *mine, const json_t *old, const char *path)
{
    if (jpath_has(old, path))
        jpath_set(mine, path, json_incref(jpath(old, path)));
}

/* What a write may not change, and what follows from it. */
static int replace(struct fake_store *s, const struct fake_path *p, json_t *obj /* stolen */,
                   json_t **ret, struct error *e)
{
    json_auto_t *mine = obj;
    const json_t *old = fake_store_peek(s, p);
    const char *version = jpath_str(mine, "metadata.resourceVersion", "");

    if (*version && !streq(version, jpath_str(old, "metadata.resourceVersion", "")))
        return error_set(e, ERR_CONFLICT,
                         "the object has been modified; please apply your changes to "
                         "the latest version and try again");
    if (*meta_uid(mine) && !streq(meta_uid(mine), meta_uid(old)))
        return error_set(e, ERR_CONFLICT, "Precondition failed: UID in object meta: %s",
                         meta_uid(old));
    if (streq(p->sub, "status")) {
        json_t *status = json_incref(json_object_get(mine, "status"));
        json_decref(mine);
        mine = must_copy(old);
        if (status)
            must_set(mine, "status", status);
    }
    jpath_set_str(mine, "metadata.uid", meta_uid(old));
    keep_member(mine, old, "metadata.creationTimestamp");
    keep_member(mine, old, "metadata.deletionTimestamp");
    if (!json_equal(json_object_get(mine, "spec"), json_object_get(old, "spec")))
        jpath_set_int(mine, "metadata.generation", jpath_int(old, "metadata.generation", 0) + 1);

    if (meta_is_deleting(mine) && json_array_size(jpath_arr(mine, "metadata.finalizers")) == 0) {
        (void)fake_store_write(s, p, NULL);
        *ret = TAKE(mine);
        return 0;
    }
    *ret = json_incref(fake_store_write(s, p, TAKE(mine)));
    return 0;
}

int fake_store_update(struct fake_store *s, const struct fake_path *p, const json_t *body,
                      json_t **ret, struct error *e)
{
    if (!fake_store_peek(s, p))
        return not_found(p, e);
    return replace(s, p, must_copy(body), ret, e);
}

int fake_store_patch(struct fake_store *s, const struct fake_path *p, const char *content_type,
                     const json_t *patch, json_t **ret, struct error *e)
{
    const json_t *old = fake_store_peek(s, p);
    json_t *changed = NULL;

    if (!old && str_has_prefix(content_type, "application/apply-patch"))
        return fake_store_create(s, p, patch, ret, e);
    if (!old)
        return not_found(p, e);
    if (str_has_prefix(content_type, "application/json-patch+json")) {
        changed = must_copy(old);
        int r = jpatch_apply(&changed, patch, e);
        if (r < 0) {
            json_decref(changed);
            /* as the API server: a test that fails is invalid, not a conflict */
            return error_set(e, ERR_INVALID, "%s", e->msg);
        }
    } else {
        changed = jmerge_apply(old, patch);
    }
    return replace(s, p, changed, ret, e);
}

int fake_store_delete(struct fake_store *s, const struct fake_path *p, const json_t *options,
                      json_t **ret, struct error *e)
{
    const json_t *old = fake_store_peek(s, p);
    const char *uid = jpath_str(options, "preconditions.uid", NULL);
    char now[RFC3339_MAX];

    if (!old)
        return not_found(p, e);
    if (uid && !streq(uid, meta_uid(old)))
        return error_set(e, ERR_CONFLICT, "the UID in the precondition (%s) does not match", uid);
    if (json_array_size(jpath_arr(old, "metadata.finalizers")) == 0) {
        *ret = must_copy(old);
        (void)fake_store_write(s, p, NULL);
        return 0;
    }
    json_t *going = must_copy(old);
    if (!meta_is_deleting(going))
        jpath_set_str(going, "metadata.deletionTimestamp",
                      rfc3339(clock_wall_ms(&clock_real), now));
    *ret = json_incref(fake_store_write(s, p, going));
    return 0;
}

/* ---- selectors: "a=b,c==d,e!=f,g,!h" ---- */

static bool field_is(const json_t *obj, const char *path, const char *want)
{
    const char *have = jpath_str(obj, path, "");

    return streq(have, want);
}

static bool label_is(const json_t *obj, const char *key, const char *want)
{
    return streq(meta_label(obj, key), want);
}

static bool term_passes(const json_t *obj, char *term, bool is_field)
{
    char *eq = strchr(term, '=');

    if (!eq)
        return term[0] == '!' ? !meta_label(obj, term + 1) : meta_label(obj, term) != NULL;
    bool is_negated = eq > term && eq[-1] == '!';
    const char *value = eq[1] == '=' ? eq + 2 : eq + 1;
    eq[is_negated ? -1 : 0] = '\0';
    bool same = is_field ? field_is(obj, term, value) : label_is(obj, term, value);
    return same != is_negated;
}

static bool selector_passes(const json_t *obj, const char *selector, bool is_field)
{
    scoped(free) char *text = must_strdup(selector);
    char *rest = text;

    for (char *t = next_piece(&rest, ','); t; t = next_piece(&rest, ','))
        if (!term_passes(obj, t, is_field))
            return false;
    return true;
}

bool fake_filter_passes(const struct fake_filter *f, const json_t *obj)
{
    if (f->ns[0] && !streq(meta_namespace(obj), f->ns))
        return false;
    return selector_passes(obj, f->labels, false) && selector_passes(obj, f->fields, true);
}
