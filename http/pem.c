/* SPDX-License-Identifier: Apache-2.0 */
/* PEM texts and files behind /proc/self/fd paths. */
#include "http/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/str.h"

enum { PEM_BYTES_MAX = 4 * 1024 * 1024, LOOK_EVERY_MS = 1000 };

static const char *const part_names[PEM_PARTS] = { "CA", "client certificate", "client key" };

struct pem_set {
    atomic_int refs;
    unsigned generation;
    int fd[PEM_PARTS]; /* -1 when absent */
    char *path[PEM_PARTS];
};

/* Enough of a stat to notice a new file, also when a symlink of a Secret volume was swapped. */
struct signature {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
};

struct pem_store {
    pthread_mutex_t lock;
    /* guarded by lock */
    char *file[PEM_PARTS];
    char *text[PEM_PARTS];
    struct signature seen[PEM_PARTS];
    int64_t looked_ms;
    unsigned generation;
    bool is_stale;           /* the last attempt to replace current failed: try again */
    struct pem_set *current; /* NULL: to be made */
};

static char *dup_or_null(const char *s)
{
    return s ? must_strdup(s) : NULL;
}

struct pem_store *pem_store_new(const char *const file[PEM_PARTS],
                                const char *const text[PEM_PARTS])
{
    struct pem_store *s = must_calloc(1, sizeof(*s));

    must(pthread_mutex_init(&s->lock, NULL) == 0);
    for (int i = 0; i < PEM_PARTS; i++) {
        s->text[i] = dup_or_null(text[i]);
        s->file[i] = text[i] ? NULL : dup_or_null(file[i]);
    }
    return s;
}

void pem_store_free(struct pem_store *s)
{
    if (!s)
        return;
    pem_set_unref(s->current);
    for (int i = 0; i < PEM_PARTS; i++) {
        free(s->file[i]);
        free(s->text[i]);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

void pem_set_unref(struct pem_set *m)
{
    if (!m || atomic_fetch_sub(&m->refs, 1) > 1)
        return;
    for (int i = 0; i < PEM_PARTS; i++) {
        if (m->fd[i] >= 0)
            (void)close(m->fd[i]);
        free(m->path[i]);
    }
    free(m);
}

const char *pem_set_path(const struct pem_set *m, enum pem_part part)
{
    return m->path[part];
}

unsigned pem_set_generation(const struct pem_set *m)
{
    return m->generation;
}

static bool look(const char *path, struct signature *ret)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    *ret = (struct signature){
        .dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .mtime = st.st_mtim
    };
    return true;
}

static bool is_same(const struct signature *a, const struct signature *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static int read_file(struct buf *out, const char *path, const char *what, struct error *e)
{
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(e, ERR_INTERNAL, "%s file \"%s\": %s", what, path, strerror(errno));

    char chunk[4096];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(e, ERR_INTERNAL, "%s file \"%s\": %s", what, path, strerror(errno));
        if (n == 0)
            return 0;
        if (!buf_add(out, chunk, (size_t)n))
            return error_set(e, ERR_INTERNAL, "%s file \"%s\" is too large", what, path);
    }
}

static int memfd_of(const struct buf *text, struct error *e)
{
    scoped_fd int fd = memfd_create("pem", MFD_CLOEXEC);
    if (fd < 0)
        return error_set(e, ERR_INTERNAL, "memfd: %s", strerror(errno));

    for (size_t done = 0; done < text->len;) {
        ssize_t n = write(fd, text->data + done, text->len - done);
        if (n <= 0)
            return error_set(e, ERR_INTERNAL, "memfd: %s", strerror(errno));
        done += (size_t)n;
    }
    return TAKE_FD(fd);
}

/*
 * libcurl reuses a connection when the paths are equal, and descriptor numbers
 * come again: a run of slashes that changes with the generation keeps a path
 * from meaning two contents in a row.
 */
static char *fd_path(int fd, unsigned generation)
{
    static const char slashes[] = "////////////////////////////////";

    return must_asprintf("/proc/self/fd%.*s%d", 1 + (int)(generation % (sizeof(slashes) - 1)),
                         slashes, fd);
}

static int make_set(struct pem_store *s, struct pem_set **ret, struct error *e)
{
    struct pem_set *m = must_calloc(1, sizeof(*m));

    m->refs = 1;
    m->generation = s->generation;
    for (int i = 0; i < PEM_PARTS; i++)
        m->fd[i] = -1;
    for (int i = 0; i < PEM_PARTS; i++) {
        scoped_buf text = BUF_INIT(PEM_BYTES_MAX);
        int r = 0;
        if (s->file[i]) {
            (void)look(s->file[i], &s->seen[i]);
            r = read_file(&text, s->file[i], part_names[i], e);
        } else if (s->text[i]) {
            (void)buf_adds(&text, s->text[i]);
        } else {
            continue;
        }
        if (r == 0)
            r = m->fd[i] = memfd_of(&text, e);
        if (r < 0) {
            pem_set_unref(m);
            return r;
        }
        m->path[i] = fd_path(m->fd[i], m->generation);
    }
    *ret = m;
    return 0;
}

static bool files_changed(const struct pem_store *s)
{
    for (int i = 0; i < PEM_PARTS; i++) {
        struct signature now;
        if (s->file[i] && look(s->file[i], &now) && !is_same(&now, &s->seen[i]))
            return true;
    }
    return false;
}

/* Replace s->current; what was good before stays when the new one cannot be made. */
static int refresh(struct pem_store *s, struct error *e)
{
    struct pem_set *made = NULL;

    s->generation++;
    int r = make_set(s, &made, e);
    s->is_stale = r < 0;
    if (r < 0)
        return s->current ? 0 : r;
    pem_set_unref(s->current);
    s->current = made;
    return 0;
}

int pem_store_get(struct pem_store *s, struct pem_set **ret, struct error *e)
{
    int64_t now = clock_mono_ms(&clock_real);
    int r = 0;

    (void)pthread_mutex_lock(&s->lock);
    if (!s->current) {
        r = refresh(s, e);
    } else if (now - s->looked_ms >= LOOK_EVERY_MS) {
        s->looked_ms = now;
        if (s->is_stale || files_changed(s))
            r = refresh(s, e);
    }
    if (r == 0) {
        atomic_fetch_add(&s->current->refs, 1);
        *ret = s->current;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return r;
}

void pem_store_set_pair(struct pem_store *s, const char *cert, const char *key)
{
    struct error e;

    (void)pthread_mutex_lock(&s->lock);
    for (int i = PEM_CERT; i <= PEM_KEY; i++) {
        free(s->file[i]);
        free(s->text[i]);
        s->file[i] = NULL;
        s->text[i] = dup_or_null(i == PEM_CERT ? cert : key);
    }
    (void)refresh(s, &e); /* a CA file that cannot be read is reported by the next get */
    (void)pthread_mutex_unlock(&s->lock);
}

void pem_store_renew(struct pem_store *s)
{
    struct error e;

    (void)pthread_mutex_lock(&s->lock);
    (void)refresh(s, &e);
    (void)pthread_mutex_unlock(&s->lock);
}
