/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One memory with a bound, least recently used first out, for three things: how
 * many events an object may still have, which messages a reason came with, and
 * which event stands for which facts.
 */
#include "kube/correlator.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/bucket.h"
#include "kube/event.h"

enum { EVENT_REFILL_S = 300, EVENT_NAME_MAX = 230, EVENT_PREFIX_MAX = 64 };
static const char combined[] = "(combined from similar events): ";

struct memory {
    UT_hash_handle hh;
    struct memory *next, *prev; /* last used first */
    struct bucket bucket;       /* "object": how many more */
    json_t *messages;           /* "similar": {message: true} */
    int64_t last_ms;
    char *name; /* "event": the object that stands for it; NULL: none yet */
    char *first_time;
    json_int_t count;
    char key[];
};

struct correlator {
    struct memory *known;
    struct memory *recent;
    size_t len;
};

static void memory_drop(struct correlator *c, struct memory *m)
{
    HASH_DEL(c->known, m);
    DL_DELETE(c->recent, m);
    c->len--;
    json_decref(m->messages);
    free(m->name);
    free(m->first_time);
    free(m);
}

/* The memory of a key, made when there is none. */
static struct memory *recall(struct correlator *c, const char *key, bool *ret_is_new)
{
    struct memory *m = NULL;
    size_t len = strlen(key);

    HASH_FIND(hh, c->known, key, len, m);
    *ret_is_new = m == NULL;
    if (m) {
        DL_DELETE(c->recent, m);
    } else {
        while (c->len >= EVENT_REMEMBERED)
            memory_drop(c, c->recent->prev);
        m = must_calloc(1, sizeof(*m) + len + 1);
        memcpy(m->key, key, len + 1);
        HASH_ADD_KEYPTR(hh, c->known, m->key, len, m);
        c->len++;
    }
    DL_PREPEND(c->recent, m);
    return m;
}

/* ---- keys; '\n' cannot stand in names, so parts cannot run into each other ---- */

static char *object_key(const char *what, const struct event_facts *f)
{
    return must_asprintf("%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s", what, f->component, f->host,
                         jpath_str(f->involved, "kind", ""),
                         jpath_str(f->involved, "namespace", ""),
                         jpath_str(f->involved, "name", ""), jpath_str(f->involved, "uid", ""),
                         jpath_str(f->involved, "apiVersion", ""));
}

static char *similar_key(const char *what, const struct event_facts *f)
{
    scoped(free) char *object = object_key(what, f);

    return must_asprintf("%s\n%s\n%s", object, f->type, f->reason);
}

/* ---- the three rules ---- */

static bool may_speak(struct correlator *c, const struct event_facts *f, int64_t wall_ms)
{
    scoped(free) char *key = object_key("object", f);
    bool is_new;

    struct memory *m = recall(c, key, &is_new);
    if (is_new)
        m->bucket = bucket_make(1.0 / EVENT_REFILL_S, EVENT_BURST, wall_ms);
    return bucket_try(&m->bucket, wall_ms);
}

/* So many different messages of one reason that they share one event from now on? */
static bool is_crowd(struct correlator *c, const struct event_facts *f, int64_t wall_ms)
{
    scoped(free) char *key = similar_key("similar", f);
    bool is_new;

    struct memory *m = recall(c, key, &is_new);
    if (!m->messages || wall_ms - m->last_ms > EVENT_SIMILAR_MS) {
        json_decref(m->messages);
        m->messages = json_object();
    }
    m->last_ms = wall_ms;
    if (json_object_get(m->messages, f->message))
        return json_object_size(m->messages) >= EVENT_SIMILAR_MAX;
    if (json_object_size(m->messages) >= EVENT_SIMILAR_MAX)
        return true; /* enough are known: this one need not be remembered */
    must_set(m->messages, f->message, json_true());
    return json_object_size(m->messages) >= EVENT_SIMILAR_MAX;
}

/* The message, bounded, cut between two characters. */
static char *bounded_message(const char *prefix, const char *message)
{
    char *text = must_asprintf("%s%s", prefix, message);
    size_t len = strlen(text);

    if (len > EVENT_MESSAGE_MAX) {
        len = EVENT_MESSAGE_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
        text[len] = '\0';
    }
    return text;
}

static const char *namespace_of(const struct event_facts *f)
{
    const char *ns = jpath_str(f->involved, "namespace", "");

    return *ns ? ns : "default";
}

static json_t *new_event(const struct event_facts *f, const struct memory *m, const char *message,
                         const char *now)
{
    json_t *event = must_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s}", "apiVersion", "v1", "kind",
                              "Event", "metadata", "name", m->name, "namespace", namespace_of(f),
                              "reason", f->reason, "message", message, "type", f->type);

    must_set(event, "involvedObject", must_copy(f->involved));
    jpath_set_str(event, "source.component", f->component);
    if (f->host[0])
        jpath_set_str(event, "source.host", f->host);
    must_set(event, "firstTimestamp", json_string(m->first_time));
    must_set(event, "lastTimestamp", json_string(now));
    must_set(event, "count", json_integer(m->count));
    must_set(event, "reportingComponent", json_string(f->component));
    must_set(event, "reportingInstance", json_string(f->host));
    return event;
}

static char *event_name(const struct event_facts *f)
{
    uint64_t moment = (uint64_t)clock_wall_ms(&clock_real) * 1000000;
    uint32_t dice;

    random_bytes(&dice, sizeof(dice));
    moment += dice % 1000000; /* two within one millisecond */
    return must_asprintf("%.*s.%llx", EVENT_NAME_MAX, jpath_str(f->involved, "name", "unknown"),
                         (unsigned long long)moment);
}

/* ---- public ---- */

struct correlator *correlator_new(void)
{
    return must_calloc(1, sizeof(struct correlator));
}

void correlator_free(struct correlator *c)
{
    if (!c)
        return;
    while (c->recent)
        memory_drop(c, c->recent);
    free(c);
}

struct event_verdict correlator_judge(struct correlator *c, const struct event_facts *f,
                                      int64_t wall_ms)
{
    struct event_verdict v = { .fate = EVENT_DROP };
    char now[RFC3339_MAX];
    bool is_new;

    bool crowd = is_crowd(c, f, wall_ms);
    scoped(free) char *message = bounded_message(crowd ? combined : "", f->message);
    scoped(free) char *similar = similar_key("event", f);
    scoped(free) char *key = must_asprintf("%s\n%s", similar, crowd ? "" : message);
    if (!may_speak(c, f, wall_ms))
        return v;

    rfc3339(wall_ms, now);
    struct memory *m = recall(c, key, &is_new);
    if (!m->name) {
        m->name = event_name(f);
        m->first_time = must_strdup(now);
        m->count = 0;
    }
    m->count++;
    v.fate = m->count == 1 ? EVENT_NEW : EVENT_REPEAT;
    v.event = v.fate == EVENT_NEW ? new_event(f, m, message, now)
                                  : must_pack("{s:I, s:s, s:s}", "count", m->count, "lastTimestamp",
                                              now, "message", message);
    v.namespace = must_strdup(namespace_of(f));
    v.name = must_strdup(m->name);
    v.memory = must_strdup(key);
    return v;
}

void correlator_forget(struct correlator *c, const char *memory)
{
    struct memory *m = NULL;

    HASH_FIND_STR(c->known, memory, m);
    if (m)
        memory_drop(c, m);
}

void event_verdict_done(struct event_verdict *v)
{
    json_decref(v->event);
    free(v->namespace);
    free(v->name);
    free(v->memory);
    *v = (struct event_verdict){ 0 };
}
