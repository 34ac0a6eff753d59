/* SPDX-License-Identifier: Apache-2.0 */
/* kubectl's loading rules for kubeconfig files. */
#include "kube/kubeconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/yaml.h"

int kube_read_file(const char *path, size_t max, char **ret, size_t *ret_len, struct error *e)
{
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    scoped_buf text = BUF_INIT(max);
    char piece[8192];

    *ret = NULL;
    if (fd < 0)
        return error_set(e, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_INTERNAL,
                         "open '%s': %s", path, strerror(errno));
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(e, ERR_INTERNAL, "read '%s': %s", path, strerror(errno));
        if (n == 0)
            break;
        if (!buf_add(&text, piece, (size_t)n))
            return error_set(e, ERR_TOO_LARGE, "'%s' is larger than %zu bytes", path, max);
    }
    if (ret_len)
        *ret_len = text.len;
    *ret = buf_take(&text);
    return 0;
}

/* ---- one file ---- */

/* Members that name files relative to the kubeconfig. */
static const char *const cluster_files[] = { "certificate-authority", NULL };
static const char *const user_files[] = { "client-certificate", "client-key", "tokenFile", NULL };

static const struct section {
    const char *list;  /* "clusters": [{name, cluster: {...}}] */
    const char *entry; /* "cluster" */
    const char *const *files;
} sections[] = {
    { "clusters", "cluster", cluster_files },
    { "users", "user", user_files },
    { "contexts", "context", NULL },
};

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return must_strdup(".");
    return slash == path ? must_strdup("/") : must_strndup(path, (size_t)(slash - path));
}

static void make_absolute(json_t *entry, const char *path, const char *directory)
{
    const char *file = jpath_str(entry, path, "");

    if (file[0] == '\0' || file[0] == '/')
        return;
    scoped(free) char *whole = must_asprintf("%s/%s", directory, file);
    jpath_set_str(entry, path, whole);
}

static void place_files(json_t *entry, const struct section *s, const char *directory)
{
    for (size_t i = 0; s->files && s->files[i]; i++)
        make_absolute(entry, s->files[i], directory);
    /* A plugin given as a path, not as a name to look for. */
    if (strchr(jpath_str(entry, "exec.command", ""), '/'))
        make_absolute(entry, "exec.command", directory);
}

static void merge_section(json_t *into, const json_t *file, const struct section *s,
                          const char *directory)
{
    json_t *named = jpath_make_obj(into, s->list);
    json_t *row;
    size_t i;

    json_array_foreach(jpath_arr(file, s->list), i, row) {
        const char *name = jpath_str(row, "name", NULL);
        if (!name || json_object_get(named, name))
            continue;
        json_t *entry = json_is_object(json_object_get(row, s->entry))
                            ? must_copy(json_object_get(row, s->entry))
                            : json_object();
        place_files(entry, s, directory);
        must_set(named, name, entry);
    }
}

static int merge_file(json_t *into, const char *path, bool must_exist, struct error *e)
{
    scoped(free) char *text = NULL;
    scoped(free) char *directory = directory_of(path);
    json_auto_t *file = NULL;
    size_t len = 0;

    int r = kube_read_file(path, KUBECONFIG_FILE_MAX, &text, &len, e);
    if (r == -ERR_NOT_FOUND && !must_exist) {
        *e = (struct error){ 0 };
        return 0;
    }
    if (r >= 0)
        r = yaml_parse(&file, text, len, e);
    if (r < 0)
        return error_wrap(e, "kubeconfig '%s'", path);

    for (size_t i = 0; i < countof(sections); i++)
        merge_section(into, file, &sections[i], directory);
    if (!jpath_has(into, "current-context") && jpath_str(file, "current-context", "")[0])
        jpath_set_str(into, "current-context", jpath_str(file, "current-context", ""));
    return 0;
}

/* ---- all of them ---- */

static int merge_list(json_t *into, const char *list, struct error *e)
{
    while (*list) {
        size_t len = strcspn(list, ":");
        scoped(free) char *path = must_strndup(list, len);
        int r = len > 0 ? merge_file(into, path, false, e) : 0;
        if (r < 0)
            return r;
        list += len + (list[len] == ':');
    }
    return 0;
}

int kubeconfig_load(json_t **ret, const char *explicit_file, struct error *e)
{
    json_auto_t *config = must_pack("{s:{}, s:{}, s:{}}", "clusters", "users", "contexts");
    const char *list = getenv("KUBECONFIG");
    const char *home = getenv("HOME");
    int r = 0;

    *ret = NULL;
    if (explicit_file && *explicit_file) {
        r = merge_file(config, explicit_file, true, e);
    } else if (list && *list) {
        r = merge_list(config, list, e);
    } else if (home && *home) {
        scoped(free) char *path = must_asprintf("%s/.kube/config", home);
        r = merge_file(config, path, false, e);
    }
    if (r >= 0)
        *ret = TAKE(config);
    return r;
}

static const char *first_set(const char *a, const char *b)
{
    return a && *a ? a : b;
}

/* The entry of a name that somebody asked for; {} when nobody did. */
static int entry_of(const json_t *config, const char *list, const char *what, const char *name,
                    json_t **ret, struct error *e)
{
    const json_t *found =
        name && *name ? json_object_get(json_object_get(config, list), name) : NULL;

    if (name && *name && !found)
        return error_set(e, ERR_BAD_REQUEST, "%s '%s' does not exist in the kubeconfig", what,
                         name);
    *ret = found ? must_copy(found) : json_object();
    return 0;
}

int kubeconfig_pick(const json_t *config, const struct kube_config_request *q, json_t **ret_cluster,
                    json_t **ret_user, json_t **ret_context, struct error *e)
{
    json_auto_t *cluster = NULL;
    json_auto_t *user = NULL;
    json_auto_t *context = NULL;

    const char *name = first_set(q->context, jpath_str(config, "current-context", ""));
    int r = entry_of(config, "contexts", "context", name, &context, e);
    if (r >= 0)
        r = entry_of(config, "clusters", "cluster",
                     first_set(q->cluster, jpath_str(context, "cluster", "")), &cluster, e);
    if (r >= 0)
        r = entry_of(config, "users", "user", first_set(q->user, jpath_str(context, "user", "")),
                     &user, e);
    if (r < 0)
        return r;
    *ret_cluster = TAKE(cluster);
    *ret_user = TAKE(user);
    *ret_context = TAKE(context);
    return jpath_str(*ret_cluster, "server", "")[0] ? 1 : 0;
}
