/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what belongs to a pod without being led elsewhere by it. */
#include "handler/podfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum { UID_LEN_MAX = 64, REL_PATH_MAX = 512 };

static const char empty_dir[] = "volumes/kubernetes.io~empty-dir";

bool podfs_uid_is_valid(const char *uid)
{
    size_t len = uid ? strlen(uid) : 0;

    if (len == 0 || len > UID_LEN_MAX)
        return false;
    for (const char *p = uid; *p; p++) {
        if (!isalnum((unsigned char)*p) && *p != '-')
            return false;
    }
    return true;
}

static int open_how(int dir_fd, const char *rel, int flags, uint64_t resolve)
{
    struct open_how how = {
        .flags = (uint64_t)flags | O_CLOEXEC,
        .resolve = resolve,
    };

    return (int)syscall(SYS_openat2, dir_fd, rel, &how, sizeof(how));
}

static int open_failed(const char *rel, struct error *e)
{
    int err = errno;

    if (err == ENOENT || err == ENOTDIR)
        return error_set(e, ERR_NOT_FOUND, "'%s' does not exist", rel);
    if (err == ELOOP || err == EXDEV)
        return error_set(e, ERR_FORBIDDEN, "'%s' leads through a link", rel);
    return error_set(e, ERR_INTERNAL, "open '%s': %s", rel, strerror(err));
}

int podfs_open(int dir_fd, const char *rel, int flags, struct error *e)
{
    int fd =
        open_how(dir_fd, rel, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

    return fd < 0 ? open_failed(rel, e) : fd;
}

int podfs_open_volume(const char *pods_dir, const char *pod_uid, const char *volume,
                      struct error *e)
{
    char rel[REL_PATH_MAX];

    if (!podfs_uid_is_valid(pod_uid))
        return error_set(e, ERR_INVALID, "pod UID is not one");

    scoped_fd int pods = open(pods_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (pods < 0)
        return error_set(e, ERR_INTERNAL, "open '%s': %s", pods_dir, strerror(errno));
    (void)snprintf(rel, sizeof(rel), "%s/%s/%s", pod_uid, empty_dir, volume);
    return podfs_open(pods, rel, O_PATH | O_DIRECTORY, e);
}

int podfs_pod_exists(const char *pods_dir, const char *pod_uid, struct error *e)
{
    if (!podfs_uid_is_valid(pod_uid))
        return error_set(e, ERR_INVALID, "pod UID is not one");

    scoped_fd int pods = open(pods_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (pods < 0)
        return error_set(e, ERR_INTERNAL, "open '%s': %s", pods_dir, strerror(errno));

    scoped_fd int pod = podfs_open(pods, pod_uid, O_PATH | O_DIRECTORY, e);
    if (pod >= 0)
        return 1;
    return e->code == ERR_NOT_FOUND ? 0 : pod;
}

int podfs_open_socket(int dir_fd, const char *rel, struct error *e)
{
    struct stat st;
    scoped_fd int fd = podfs_open(dir_fd, rel, O_PATH, e);

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
        return error_set(e, ERR_FORBIDDEN, "'%s' is not a socket", rel);
    return TAKE_FD(fd);
}

const char *podfs_socket_path(int socket_fd, char out[PODFS_SOCKET_PATH_MAX])
{
    (void)snprintf(out, PODFS_SOCKET_PATH_MAX, "/proc/self/fd/%d", socket_fd);
    return out;
}

static int connect_to(int fd, int socket_fd, struct error *e)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };

    /* An O_PATH descriptor of the socket, not a path that the pod could swap meanwhile. */
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d", socket_fd);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return 0;

    int err = errno;
    if (err == ECONNREFUSED || err == ENOENT)
        return error_set(e, ERR_UNAVAILABLE, "nobody listens");
    if (err == EAGAIN)
        return error_set(e, ERR_TIMEOUT, "the listener does not accept");
    return error_set(e, ERR_INTERNAL, "connect: %s", strerror(err));
}

int podfs_connect(int socket_fd, struct error *e)
{
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return error_set(e, ERR_INTERNAL, "socket: %s", strerror(errno));
    int r = connect_to(fd, socket_fd, e);
    return r < 0 ? r : TAKE_FD(fd);
}

int podfs_connect_within(int socket_fd, int ms, struct error *e)
{
    const struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    /* unix(7): a blocking connect waits for the backlog, as long as a send may. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return error_set(e, ERR_INTERNAL, "socket: %s", strerror(errno));
    int r = connect_to(fd, socket_fd, e);
    if (r < 0)
        return r;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return error_set(e, ERR_INTERNAL, "socket: %s", strerror(errno));
    return TAKE_FD(fd);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int podfs_write_file(int dir_fd, const char *name, const void *data, size_t len, uid_t uid,
                     struct error *e)
{
    char suffix[9];
    char temporary[128];

    random_suffix(suffix, sizeof(suffix) - 1);
    (void)snprintf(temporary, sizeof(temporary), ".%s.%s", name, suffix);

    scoped_fd int fd =
        openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return error_set(e, ERR_INTERNAL, "create '%s': %s", name, strerror(errno));
    /* An ordinary user (tests) cannot give files away; for one, the file stays its own. */
    bool is_given = geteuid() != 0 || fchown(fd, uid, uid) == 0;
    if (is_given && write_all(fd, data, len) == 0 && renameat(dir_fd, temporary, dir_fd, name) == 0)
        return 0;

    int err = errno;
    (void)unlinkat(dir_fd, temporary, 0);
    return error_set(e, ERR_INTERNAL, "write '%s': %s", name, strerror(err));
}

int podfs_read_in_root(int root_fd, const char *path, size_t max, char **ret, struct error *e)
{
    struct stat st;
    scoped_fd int fd = open_how(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, RESOLVE_IN_ROOT);

    if (fd < 0)
        return open_failed(path, e);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(e, ERR_FORBIDDEN, "'%s' is not a regular file", path);

    scoped(free) char *text = must_malloc(max + 1);
    size_t len = 0;
    while (len < max) {
        ssize_t n = read(fd, text + len, max - len);

        if (n < 0)
            return error_set(e, ERR_INTERNAL, "read '%s': %s", path, strerror(errno));
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    *ret = TAKE(text);
    return 0;
}
