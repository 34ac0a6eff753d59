// SPDX-License-Identifier: Apache-2.0
/* Paths inside a container image: what is found, and that nothing outside is. */
#include "launcher/beneath.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "test/unit/rows.h"

static char root[64];

static void in_root(char out[200], const char *path)
{
    (void)snprintf(out, 200, "%s/%s", root, path);
}

static void make_file(const char *path)
{
    char full[200];
    in_root(full, path);
    scoped_fd int fd = open(full, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
}

static void make_link(const char *target, const char *path)
{
    char full[200];
    in_root(full, path);
    assert_int_equal(symlink(target, full), 0);
}

static void make_dir(const char *path)
{
    char full[200];
    in_root(full, path);
    assert_int_equal(mkdir(full, 0700), 0);
}

static int set_up(void **state)
{
    (void)snprintf(root, sizeof(root), "/tmp/beneath.XXXXXX");
    assert_non_null(mkdtemp(root));
    make_dir("boot");
    make_dir("disk");
    make_dir("empty");
    make_dir("two");
    make_file("boot/vmlinuz-6");
    make_link("vmlinuz-6", "boot/vmlinuz");
    make_link("/boot/vmlinuz-6", "kernel");
    make_link("../../../../../../etc/hostname", "boot/up");
    make_link("/etc/passwd", "boot/passwd");
    make_link("/proc/self/exe", "boot/magic");
    make_link("loop", "loop");
    make_file("disk/root.img");
    make_dir("disk/lost+found");
    make_file("disk/.hidden");
    make_file("two/a.img");
    make_file("two/b.img");
    char fifo[200];
    in_root(fifo, "boot/fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    return remove(path);
}

static int remove_tree(void **state)
{
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const struct path_case {
    const char *name, *path;
    const char *real; /* below the root; NULL: refused */
    int code;
} cases[] = {
    { "a plain file", "/boot/vmlinuz-6", "boot/vmlinuz-6", 0 },
    { "without a leading slash", "boot/vmlinuz-6", "boot/vmlinuz-6", 0 },
    { "a relative link", "/boot/vmlinuz", "boot/vmlinuz-6", 0 },
    { "an absolute link stays inside", "/kernel", "boot/vmlinuz-6", 0 },
    { "dots at the root stay there", "/../../boot/vmlinuz-6", "boot/vmlinuz-6", 0 },
    { "a link upwards does not get out", "/boot/up", NULL, ERR_NOT_FOUND },
    { "an absolute link to the outside", "/boot/passwd", NULL, ERR_NOT_FOUND },
    { "a link through /proc", "/boot/magic", NULL, ERR_NOT_FOUND },
    { "a link to itself", "/loop", NULL, ERR_INVALID },
    { "a directory", "/boot", NULL, ERR_INVALID },
    { "a fifo, without waiting for its writer", "/boot/fifo", NULL, ERR_INVALID },
    { "nothing there", "/boot/none", NULL, ERR_NOT_FOUND },
};

static void opens(void **state)
{
    const struct path_case *c = *state;
    scoped(free) char *real = NULL;
    struct error e = { 0 };
    scoped_fd int fd = beneath_open(root, c->path, &real, &e);

    if (!c->real) {
        assert_int_equal(fd, -c->code);
        return;
    }
    char want[200];
    in_root(want, c->real);
    assert_true(fd >= 0);
    assert_string_equal(real, want);
}

static const struct only_case {
    const char *name, *dir;
    const char *real;
    int code;
} only_cases[] = {
    { "the one file, hidden ones and directories aside", "disk", "disk/root.img", 0 },
    { "no file", "empty", NULL, ERR_NOT_FOUND },
    { "two files", "two", NULL, ERR_INVALID },
    { "no directory", "none", NULL, ERR_NOT_FOUND },
};

static void opens_only(void **state)
{
    const struct only_case *c = *state;
    scoped(free) char *real = NULL;
    struct error e = { 0 };
    scoped_fd int fd = beneath_open_only(root, c->dir, &real, &e);

    if (!c->real) {
        assert_int_equal(fd, -c->code);
        return;
    }
    char want[200];
    in_root(want, c->real);
    assert_true(fd >= 0);
    assert_string_equal(real, want);
}

int main(void)
{
    ROW_TESTS(paths, cases, opens);
    ROW_TESTS(onlys, only_cases, opens_only);
    int bad = cmocka_run_group_tests_name("beneath", paths, set_up, remove_tree);
    return bad + cmocka_run_group_tests_name("beneath only", onlys, set_up, remove_tree);
}
