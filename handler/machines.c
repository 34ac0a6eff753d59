/* SPDX-License-Identifier: Apache-2.0 */
/* The list of this node's machines and their records. */
#include "handler/machines.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/launcher.h"
#include "handler/podfs.h"

enum { RECORD_BYTES_MAX = 64 * 1024 };

struct machines {
    char *dir;
    int dir_fd; /* -1: no records */
    pthread_mutex_t lock;
    struct machine *first; /* guarded by lock */
    size_t count;          /* guarded by lock */
};

static int make_dirs(const char *path)
{
    scoped(free) char *part = must_strdup(path);

    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        (void)mkdir(part, 0755);
        *p = '/';
    }
    return mkdir(part, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

struct machines *machines_new(const char *dir)
{
    struct machines *ms = must_calloc(1, sizeof(*ms));

    must(pthread_mutex_init(&ms->lock, NULL) == 0);
    ms->dir_fd = -1;
    if (!dir)
        return ms;
    ms->dir = must_strdup(dir);
    if (make_dirs(dir) == 0)
        ms->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ms->dir_fd < 0)
        log_warn("no place for records of machines; a restart will not know orphans", "dir", dir,
                 "why", strerror(errno));
    return ms;
}

static void machine_free(struct machine *m)
{
    launcher_stop(m->launcher);
    json_decref(m->pod_ips);
    free(m->sync_message);
    free(m->written_from);
    free(m->key);
    free(m->uid);
    free(m->pod_uid);
    free(m);
}

void machines_free(struct machines *ms)
{
    if (!ms)
        return;
    while (ms->first) {
        struct machine *m = ms->first;

        ms->first = m->next;
        machine_free(m);
    }
    if (ms->dir_fd >= 0)
        (void)close(ms->dir_fd);
    pthread_mutex_destroy(&ms->lock);
    free(ms->dir);
    free(ms);
}

static void read_record(struct machines *ms, const char *name, machines_record_fn *seen, void *ctx)
{
    struct error e;
    json_auto_t *record = NULL;
    scoped(free) char *text = NULL;
    int r = podfs_read_in_root(ms->dir_fd, name, RECORD_BYTES_MAX, &text, &e);

    if (r == 0)
        r = json_parse(&record, text, strlen(text), &e);
    const char *uid = jpath_str(record, "uid", "");
    const char *pod_uid = jpath_str(record, "podUID", "");
    if (r < 0 || !streq(uid, name) || !podfs_uid_is_valid(pod_uid)) {
        log_warn("a machine's record cannot be read; removed", "file", name);
        (void)unlinkat(ms->dir_fd, name, 0);
        return;
    }
    scoped(free) char *key =
        must_asprintf("%s/%s", jpath_str(record, "namespace", ""), jpath_str(record, "name", ""));
    seen(key, uid, pod_uid, jpath_arr(record, "podIPs"), ctx);
}

void machines_read_records(struct machines *ms, machines_record_fn *seen, void *ctx)
{
    int fd = ms->dir_fd >= 0 ? dup(ms->dir_fd) : -1;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (!d)
        return;
    for (const struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        /* Files that are being written begin with a dot. */
        if (podfs_uid_is_valid(entry->d_name))
            read_record(ms, entry->d_name, seen, ctx);
    }
    (void)closedir(d);
}

struct machine *machines_add(struct machines *ms, const char *key, const char *uid,
                             const char *pod_uid, struct launcher *launcher)
{
    struct machine *m = must_calloc(1, sizeof(*m));

    m->key = must_strdup(key);
    m->uid = must_strdup(uid);
    m->pod_uid = must_strdup(pod_uid);
    m->launcher = launcher;
    pthread_mutex_lock(&ms->lock);
    m->next = ms->first;
    ms->first = m;
    ms->count++;
    pthread_mutex_unlock(&ms->lock);
    return m;
}

static struct machine *find(struct machines *ms, const char *uid)
{
    for (struct machine *m = ms->first; m; m = m->next) {
        if (streq(m->uid, uid))
            return m;
    }
    return NULL;
}

struct machine *machines_find(struct machines *ms, const char *uid)
{
    pthread_mutex_lock(&ms->lock);
    struct machine *m = find(ms, uid);
    pthread_mutex_unlock(&ms->lock);
    return m;
}

struct machine *machines_find_other(struct machines *ms, const char *key, const char *uid)
{
    struct machine *found = NULL;

    pthread_mutex_lock(&ms->lock);
    for (struct machine *m = ms->first; m && !found; m = m->next) {
        if (streq(m->key, key) && !streq(m->uid, uid))
            found = m;
    }
    pthread_mutex_unlock(&ms->lock);
    return found;
}

struct launcher *machines_launcher(struct machines *ms, const char *uid)
{
    pthread_mutex_lock(&ms->lock);
    struct machine *m = find(ms, uid);
    struct launcher *l = m && m->launcher ? launcher_ref(m->launcher) : NULL;
    pthread_mutex_unlock(&ms->lock);
    return l;
}

size_t machines_count(struct machines *ms)
{
    pthread_mutex_lock(&ms->lock);
    size_t n = ms->count;
    pthread_mutex_unlock(&ms->lock);
    return n;
}

int machines_record(struct machines *ms, struct machine *m, struct error *e)
{
    char ns[254], name[254];

    if (ms->dir_fd < 0 || key_split(m->key, ns, name) < 0)
        return 0;
    scoped(free) char *socket =
        must_asprintf("%s/volumes/kubernetes.io~empty-dir/sockets/launcher-sock", m->pod_uid);
    json_auto_t *record = must_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "namespace", ns,
                                    "uid", m->uid, "podUID", m->pod_uid, "socketFile", socket);
    if (m->pod_ips)
        must_set(record, "podIPs", must_copy(m->pod_ips));
    scoped(free) char *text = must_dumps(record, 0);
    int r = podfs_write_file(ms->dir_fd, m->uid, text, strlen(text), 0, e);

    m->is_recorded = m->is_recorded || r == 0;
    return r;
}

void machines_remove(struct machines *ms, struct machine *m)
{
    pthread_mutex_lock(&ms->lock);
    for (struct machine **p = &ms->first; *p; p = &(*p)->next) {
        if (*p == m) {
            *p = m->next;
            ms->count--;
            break;
        }
    }
    pthread_mutex_unlock(&ms->lock);
    if (ms->dir_fd >= 0)
        (void)unlinkat(ms->dir_fd, m->uid, 0);
    machine_free(m);
}
