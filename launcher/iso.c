// SPDX-License-Identifier: Apache-2.0
/* ISO images; see iso.h. */
#include "launcher/iso.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/must.h"
#include "base/str.h"
#include "launcher/beneath.h"

static const char tool[] = "/usr/bin/xorrisofs";
enum { ISO_TIMEOUT_MS = 30 * 1000 };

void iso_files_free(struct iso_files *f)
{
    for (size_t i = 0; i < f->len; i++) {
        free(f->item[i].name);
        free(f->item[i].path);
    }
    free(f);
}

int iso_files_add(struct iso_files *f, const char *name, const char *path, struct error *e)
{
    if (f->len == ISO_FILES_MAX)
        return error_set(e, ERR_INVALID, "more than %d files for an ISO image", ISO_FILES_MAX);
    /* The tool separates name and path by "=" and knows "\" as an escape. */
    if (!*name || *name == '-' || strpbrk(name, "=\\\n") || strstr(name, ".."))
        return error_set(e, ERR_INVALID, "file name \"%s\" cannot be put into an ISO image", name);
    f->item[f->len++] = (struct iso_file){ must_strdup(name), must_strdup(path) };
    return 0;
}

int iso_files_add_dir(struct iso_files *f, const char *dir, struct error *e)
{
    DIR *d = opendir(dir);
    int r = 0;

    if (!d)
        return error_set(e, ERR_NOT_FOUND, "\"%s\": %s", dir, strerror(errno));
    for (struct dirent *entry = readdir(d); entry && r >= 0; entry = readdir(d)) {
        struct stat st;
        if (entry->d_name[0] == '.' || fstatat(dirfd(d), entry->d_name, &st, 0) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        scoped(free) char *path = must_asprintf("%s/%s", dir, entry->d_name);
        r = iso_files_add(f, entry->d_name, path, e);
    }
    (void)closedir(d);
    return r;
}

static int make_parent(const char *path, struct error *e)
{
    scoped(free) char *dir = must_strdup(path);
    char *slash = strrchr(dir, '/');

    must(slash != NULL && slash != dir);
    *slash = '\0';
    return make_dirs(dir, e);
}

int iso_make(struct reaper *reaper, const char *out, const char *label,
             const struct iso_files *files, struct error *e)
{
    scoped(free) char *staging = must_asprintf("%s.staging", out);
    const char *const head[] = {
        tool,  "-quiet",       "-output", staging,         "-volid",
        label, "-joliet",      "-rock",   "-follow-links", "-partition_cyl_align",
        "on",  "-graft-points"
    };
    scoped(free) const char **argv = must_calloc(countof(head) + files->len + 1, sizeof(*argv));
    size_t n = 0;

    int r = make_parent(out, e);
    if (r < 0)
        return r;
    for (; n < countof(head); n++)
        argv[n] = head[n];
    for (size_t i = 0; i < files->len; i++)
        argv[n++] = must_asprintf("%s=%s", files->item[i].name, files->item[i].path);
    r = reaper_run(reaper, argv, ISO_TIMEOUT_MS, e);
    for (size_t i = countof(head); i < n; i++)
        free((char *)argv[i]);
    if (r < 0)
        return r;
    if (rename(staging, out) < 0)
        return error_set(e, ERR_INTERNAL, "rename to \"%s\": %s", out, strerror(errno));
    return 0;
}
