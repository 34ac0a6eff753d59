/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry: metrics in order of their first use, each with its series.
 * One lock for all; it is held for a hash look-up, and at a scrape for writing
 * into memory.
 */
#include "base/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/metrics_process.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum {
    LABEL_VALUE_MAX = 255, /* longer ones are cut */
    KEY_MAX = METRIC_LABELS_MAX * (LABEL_VALUE_MAX + 1),
    COLLECTORS_MAX = 32,
    NUMBER_MAX = 32,
    DOUBLE_DIGITS = 17, /* always enough to read the same double back */
};

struct series {
    UT_hash_handle hh;
    double value;      /* counter, gauge; histogram: the sum */
    uint64_t count;    /* histogram: all observations */
    uint64_t *buckets; /* histogram: observations in this bucket alone */
    size_t key_len;
    char key[]; /* label values, a NUL behind each */
};

struct metric_state {
    struct series *series;
    size_t bucket_count;
    struct metric *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* guarded by lock */
static struct metric *first_metric;
static struct metric **last_metric = &first_metric;
static struct {
    metrics_collect_fn *fn;
    void *ctx;
} collectors[COLLECTORS_MAX];
static size_t collector_count;

/* ---- registry; lock held ---- */

static void enter(struct metric *m)
{
    if (m->state)
        return;

    m->state = must_calloc(1, sizeof(*m->state));
    if (m->type == METRIC_HISTOGRAM)
        while (m->state->bucket_count < METRIC_BUCKETS_MAX &&
               (m->buckets[m->state->bucket_count] != 0))
            m->state->bucket_count++;
    *last_metric = m;
    last_metric = &m->state->next;
}

static size_t gather_key(const struct metric *m, va_list ap, char key[KEY_MAX])
{
    size_t len = 0;

    for (size_t i = 0; m->labels[i]; i++) {
        const char *value = va_arg(ap, const char *);
        const size_t n = value ? strnlen(value, LABEL_VALUE_MAX) : 0;
        if (n > 0)
            memcpy(key + len, value, n);
        key[len + n] = '\0';
        str_make_utf8(key + len);
        len += n + 1;
    }
    return len;
}

static struct series *find_series(const struct metric *m, const char *key, size_t len)
{
    struct series *found = NULL;

    HASH_FIND(hh, m->state->series, key, len, found);
    return found;
}

/* NULL when there are too many. */
static struct series *make_series(struct metric *m, const char *key, size_t len)
{
    struct series *s = find_series(m, key, len);

    if (s || HASH_COUNT(m->state->series) >= METRIC_SERIES_MAX)
        return s;
    s = must_calloc(1, sizeof(*s) + len + 1);
    s->key_len = len;
    memcpy(s->key, key, len);
    if (m->type == METRIC_HISTOGRAM)
        s->buckets = must_calloc(m->state->bucket_count, sizeof(*s->buckets));
    HASH_ADD_KEYPTR(hh, m->state->series, s->key, len, s);
    return s;
}

static void observe(const struct metric *m, struct series *s, double value)
{
    s->value += value;
    s->count++;
    for (size_t i = 0; i < m->state->bucket_count; i++) {
        if (value <= m->buckets[i]) {
            s->buckets[i]++;
            return;
        }
    }
}

enum change { CHANGE_ADD, CHANGE_SET, CHANGE_OBSERVE };

static void apply(struct metric *m, enum change change, double value, va_list ap)
{
    char key[KEY_MAX];

    pthread_mutex_lock(&lock);
    enter(m);
    const size_t len = gather_key(m, ap, key);
    struct series *s = make_series(m, key, len);
    if (s) {
        switch (change) {
        case CHANGE_ADD:
            s->value += value;
            break;
        case CHANGE_SET:
            s->value = value;
            break;
        case CHANGE_OBSERVE:
            observe(m, s, value);
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

void metric_add(struct metric *m, double by, ...)
{
    va_list ap;

    must(m->type != METRIC_HISTOGRAM);
    va_start(ap, by);
    apply(m, CHANGE_ADD, by, ap);
    va_end(ap);
}

void metric_set(struct metric *m, double value, ...)
{
    va_list ap;

    must(m->type != METRIC_HISTOGRAM);
    va_start(ap, value);
    apply(m, CHANGE_SET, value, ap);
    va_end(ap);
}

void metric_observe(struct metric *m, double value, ...)
{
    va_list ap;

    must(m->type == METRIC_HISTOGRAM);
    va_start(ap, value);
    apply(m, CHANGE_OBSERVE, value, ap);
    va_end(ap);
}

void metric_remove(struct metric *m, ...)
{
    char key[KEY_MAX];
    va_list ap;

    pthread_mutex_lock(&lock);
    enter(m);
    va_start(ap, m);
    const size_t len = gather_key(m, ap, key);
    va_end(ap);
    struct series *s = find_series(m, key, len);
    if (s) {
        HASH_DEL(m->state->series, s);
        free(s->buckets);
        free(s);
    }
    pthread_mutex_unlock(&lock);
}

void metric_register(struct metric *m)
{
    pthread_mutex_lock(&lock);
    enter(m);
    if (!m->labels[0])
        (void)make_series(m, "", 0);
    pthread_mutex_unlock(&lock);
}

void metrics_on_scrape(metrics_collect_fn *fn, void *ctx)
{
    pthread_mutex_lock(&lock);
    must(collector_count < COLLECTORS_MAX);
    collectors[collector_count].fn = fn;
    collectors[collector_count].ctx = ctx;
    collector_count++;
    pthread_mutex_unlock(&lock);
}

/* ---- text exposition ---- */

/*
 * As Go writes a float64: the fewest digits that read back the same, and an exponent from 1e+06
 * and from 1e-05 on.
 */
static const char *number(double value, char out[NUMBER_MAX])
{
    if (isnan(value))
        return "NaN";
    if (isinf(value))
        return value > 0 ? "+Inf" : "-Inf";

    int digits = 1;
    for (; digits < DOUBLE_DIGITS; digits++) {
        (void)snprintf(out, NUMBER_MAX, "%.*e", digits - 1, value);
        if (strtod(out, NULL) == value)
            break;
    }
    (void)snprintf(out, NUMBER_MAX, "%.*e", digits - 1, value);
    const long exponent = strtol(strchr(out, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 6)
        (void)snprintf(out, NUMBER_MAX, "%.*f",
                       digits - 1 > exponent ? (int)(digits - 1 - exponent) : 0, value);
    return out;
}

static void add_label(struct buf *out, const char *name, const char *value, bool *is_first)
{
    (void)buf_addf(out, "%s%s=\"", *is_first ? "{" : ",", name);
    *is_first = false;
    for (; *value; value++) {
        if (*value == '\n')
            (void)buf_adds(out, "\\n");
        else if (*value == '\\' || *value == '"')
            (void)buf_addf(out, "\\%c", *value);
        else
            (void)buf_add(out, value, 1);
    }
    (void)buf_adds(out, "\"");
}

static void add_sample(struct buf *out, const struct metric *m, const char *suffix,
                       const struct series *s, const char *le, double value)
{
    char text[NUMBER_MAX];
    bool is_first = true;
    const char *label = s->key;

    (void)buf_addf(out, "%s%s", m->name, suffix);
    for (size_t i = 0; m->labels[i]; i++) {
        add_label(out, m->labels[i], label, &is_first);
        label += strlen(label) + 1;
    }
    if (le)
        add_label(out, "le", le, &is_first);
    (void)buf_addf(out, "%s %s\n", is_first ? "" : "}", number(value, text));
}

static void add_histogram(struct buf *out, const struct metric *m, const struct series *s)
{
    char le[NUMBER_MAX];
    uint64_t below = 0;

    for (size_t i = 0; i < m->state->bucket_count; i++) {
        below += s->buckets[i];
        add_sample(out, m, "_bucket", s, number(m->buckets[i], le), (double)below);
    }
    add_sample(out, m, "_bucket", s, "+Inf", (double)s->count);
    add_sample(out, m, "_sum", s, NULL, s->value);
    add_sample(out, m, "_count", s, NULL, (double)s->count);
}

static void add_head(struct buf *out, const struct metric *m)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };

    (void)buf_addf(out, "# HELP %s ", m->name);
    for (const char *at = m->help; *at; at++) {
        if (*at == '\n')
            (void)buf_adds(out, "\\n");
        else if (*at == '\\')
            (void)buf_adds(out, "\\\\");
        else
            (void)buf_add(out, at, 1);
    }
    (void)buf_addf(out, "\n# TYPE %s %s\n", m->name, types[m->type]);
}

static void add_metric(struct buf *out, const struct metric *m)
{
    /* A name without a sample is noise, and client libraries leave it out too. */
    if (!m->state->series)
        return;
    add_head(out, m);
    for (const struct series *s = m->state->series; s; s = s->hh.next) {
        if (m->type == METRIC_HISTOGRAM)
            add_histogram(out, m, s);
        else
            add_sample(out, m, "", s, NULL, s->value);
    }
}

void metrics_write(struct buf *out)
{
    pthread_mutex_lock(&lock);
    const size_t collectors_now = collector_count;
    pthread_mutex_unlock(&lock);
    /* A collector sets metrics, which takes the lock; entries are only ever added. */
    for (size_t i = 0; i < collectors_now; i++)
        collectors[i].fn(collectors[i].ctx);
    metrics_collect_process();

    pthread_mutex_lock(&lock);
    for (const struct metric *m = first_metric; m; m = m->state->next)
        add_metric(out, m);
    pthread_mutex_unlock(&lock);
}
