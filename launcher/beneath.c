// SPDX-License-Identifier: Apache-2.0
/* Files inside an image's tree; see beneath.h. */
#include "launcher/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static int open_in(int root_fd, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

static int open_root(const char *root, struct error *e)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, "\"%s\": %s", root,
                         strerror(errno));
    return fd;
}

/* The name that the kernel knows an open file by. */
static char *real_path(int fd)
{
    char link[64], path[PATH_MAX];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    return path[0] == '/' ? must_strdup(path) : NULL;
}

static int open_regular(int root_fd, const char *root, const char *path, char **ret_real,
                        struct error *e)
{
    struct stat st;
    scoped_fd int fd = open_in(root_fd, path, O_RDONLY);

    if (fd < 0)
        return error_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID, "\"%s\" in \"%s\": %s",
                         path, root, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(e, ERR_INVALID, "\"%s\" in \"%s\" is not a regular file", path, root);
    char *real = real_path(fd);
    if (!real)
        return error_set(e, ERR_INTERNAL, "\"%s\" in \"%s\" has no path", path, root);
    *ret_real = real;
    return TAKE_FD(fd);
}

int beneath_open(const char *root, const char *path, char **ret_real, struct error *e)
{
    scoped_fd int root_fd = open_root(root, e);
    if (root_fd < 0)
        return root_fd;
    return open_regular(root_fd, root, path, ret_real, e);
}

/* Name of the one regular file; "" when there is none, and *ret_more when there are several. */
static void find_only(DIR *d, char name[NAME_MAX + 1], bool *ret_more)
{
    struct stat st;

    *name = '\0';
    *ret_more = false;
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        if (entry->d_name[0] == '.' ||
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
            continue;
        *ret_more = *name != '\0';
        if (*ret_more)
            return;
        (void)snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
    }
}

int beneath_open_only(const char *root, const char *dir, char **ret_real, struct error *e)
{
    scoped_fd int root_fd = open_root(root, e);
    if (root_fd < 0)
        return root_fd;
    int dir_fd = open_in(root_fd, dir, O_RDONLY | O_DIRECTORY);
    if (dir_fd < 0)
        return error_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID, "\"%s\" in \"%s\": %s",
                         dir, root, strerror(errno));
    DIR *d = fdopendir(dir_fd);
    must(d != NULL);

    char name[NAME_MAX + 1];
    bool has_more;
    find_only(d, name, &has_more);
    (void)closedir(d);
    if (!*name || has_more)
        return error_set(e, has_more ? ERR_INVALID : ERR_NOT_FOUND,
                         "\"%s\" in \"%s\" holds %s (wanted: exactly one; or name it in "
                         "containerDisk.path)",
                         dir, root, has_more ? "several files" : "no file");
    scoped(free) char *path = must_asprintf("%s/%s", dir, name);
    return open_regular(root_fd, root, path, ret_real, e);
}

int make_dirs(const char *path, struct error *e)
{
    scoped(free) char *step = must_strdup(path);

    for (char *slash = strchr(step + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if (mkdir(step, 0770) < 0 && errno != EEXIST)
            return error_set(e, ERR_INTERNAL, "make directory \"%s\": %s", step, strerror(errno));
        if (!slash)
            return 0;
        *slash = '/';
    }
}
