/* SPDX-License-Identifier: Apache-2.0 */
/* A pod cannot lead virt-handler out of its own directory. */
#include "handler/podfs.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "handler/dial.h"
#include "handler/launcher.h"
#include "test/unit/rows.h"

#define POD "11111111-2222-3333-4444-555555555555"
#define VOLUMES POD "/volumes/kubernetes.io~empty-dir"
#define MACHINE "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define OWN VOLUMES "/private/" MACHINE

static char root[] = "/tmp/podfs.XXXXXX";
static int listener = -1;

static void listen_at(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };

    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 1), 0);
}

static int make_pods(void **state)
{
    static const char *const dirs[] = {
        POD, POD "/volumes", VOLUMES, VOLUMES "/sockets", VOLUMES "/private", OWN, "outside"
    };

    assert_non_null(mkdtemp(root));
    assert_int_equal(chdir(root), 0);
    for (size_t i = 0; i < countof(dirs); i++)
        assert_int_equal(mkdir(dirs[i], 0700), 0);
    listen_at("outside/launcher-sock");
    assert_int_equal(symlink("../../../../outside", VOLUMES "/planted"), 0);
    assert_int_equal(symlink("../../../../outside/launcher-sock", VOLUMES "/sockets/planted"), 0);
    assert_int_equal(link("outside/launcher-sock", VOLUMES "/sockets/launcher-sock"), 0);
    assert_int_equal(mknod(OWN "/virt-file", S_IFREG | 0600, 0), 0);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

static int remove_pods(void **state)
{
    (void)close(listener);
    assert_int_equal(chdir("/"), 0);
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void opens_a_volume(void **state)
{
    struct error e;
    int fd = podfs_open_volume(root, POD, "sockets", &e);

    assert_true(fd >= 0);
    (void)close(fd);
}

static void refuses_a_linked_volume(void **state)
{
    struct error e;

    assert_int_equal(podfs_open_volume(root, POD, "planted", &e), -ERR_FORBIDDEN);
}

static void an_absent_volume_is_not_found(void **state)
{
    struct error e;

    assert_int_equal(podfs_open_volume(root, POD, "none", &e), -ERR_NOT_FOUND);
    assert_int_equal(podfs_open_volume(root, "0000", "sockets", &e), -ERR_NOT_FOUND);
    assert_int_equal(podfs_pod_exists(root, "0000", &e), 0);
    assert_int_equal(podfs_pod_exists(root, POD, &e), 1);
}

static void refuses_a_pod_uid_that_is_a_path(void **state)
{
    static const char *const uids[] = { "", "..", "a/b", "../" POD, "a b" };
    struct error e;

    for (size_t i = 0; i < countof(uids); i++)
        assert_int_equal(podfs_open_volume(root, uids[i], "sockets", &e), -ERR_INVALID);
}

static void refuses_a_linked_socket(void **state)
{
    struct error e;
    int dir = podfs_open_volume(root, POD, "sockets", &e);

    assert_int_equal(podfs_open_socket(dir, "planted", &e), -ERR_FORBIDDEN);
    assert_int_equal(podfs_open_socket(dir, "../../../../outside/launcher-sock", &e),
                     -ERR_FORBIDDEN);
    (void)close(dir);
}

static void connects_to_the_socket_that_was_opened(void **state)
{
    struct error e;
    int dir = podfs_open_volume(root, POD, "sockets", &e);
    int at = podfs_open_socket(dir, "launcher-sock", &e);

    assert_true(at >= 0);
    /* What lies under the name later does not matter any more. */
    assert_int_equal(unlink(VOLUMES "/sockets/launcher-sock"), 0);
    assert_int_equal(symlink("/nowhere", VOLUMES "/sockets/launcher-sock"), 0);
    int fd = podfs_connect(at, &e);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)close(at);
    (void)close(dir);
}

static void writes_a_file_as_a_whole(void **state)
{
    struct error e;
    int dir = podfs_open_volume(root, POD, "private", &e);
    scoped(free) char *text = NULL;

    /* A link in the file's place is replaced, not followed. */
    assert_int_equal(symlink("../../../../outside/victim", VOLUMES "/private/network.json"), 0);
    assert_int_equal(podfs_write_file(dir, "network.json", "{}", 2, getuid(), &e), 0);
    assert_int_equal(access("outside/victim", F_OK), -1);
    assert_int_equal(podfs_read_in_root(dir, "network.json", 100, &text, &e), 0);
    assert_string_equal(text, "{}");
    (void)close(dir);
}

static void reads_a_container_file_within_its_root(void **state)
{
    struct error e;
    int pod = open(POD, O_PATH | O_DIRECTORY | O_CLOEXEC);
    scoped(free) char *text = NULL;

    assert_int_equal(symlink("/outside/victim", POD "/resolv.conf"), 0);
    assert_int_equal(podfs_read_in_root(pod, "resolv.conf", 100, &text, &e), -ERR_NOT_FOUND);
    assert_int_equal(mkfifo(POD "/fifo", 0600), 0);
    assert_int_equal(podfs_read_in_root(pod, "fifo", 100, &text, &e), -ERR_FORBIDDEN);
    (void)close(pod);
}

/* ---- QEMU's sockets ---- */

/*
 * Everything is in place, then `moved` (what a pod can change, or could after an escape) goes
 * elsewhere and a link to it takes its place.
 */
static const struct stream_case {
    const char *name, *socket;
    const char *moved; /* NULL: nothing */
    const char *says;  /* of the refusal; NULL: connected */
} streams[] = {
    { "the console's own socket", "virt-serial0", NULL, NULL },
    { "the screen's own socket", "virt-vnc", NULL, NULL },
    { "a redirection's own socket", "virt-usbredir-0", NULL, NULL },
    { "the console's socket is a link", "virt-serial0", OWN "/virt-serial0", "link" },
    { "the screen's socket is a link", "virt-vnc", OWN "/virt-vnc", "link" },
    { "a redirection's socket is a link", "virt-usbredir-0", OWN "/virt-usbredir-0", "link" },
    { "the machine's directory is a link", "virt-serial0", OWN, "link" },
    { "the private directory is a link", "virt-vnc", VOLUMES "/private", "link" },
    { "the volumes' directory is a link", "virt-vnc", VOLUMES, "link" },
    { "the pod's directory is a link", "virt-usbredir-0", POD, "link" },
    { "a name that climbs", "../../../../../outside/launcher-sock", NULL, "link" },
    { "a file instead of a socket", "virt-file", NULL, "not a socket" },
    { "no socket", "virt-none", NULL, "does not exist" },
};

/* Bound from within the directory: the whole path is too long for a socket's.  -1 where none is
 * to be. */
static int listen_for(const char *name)
{
    static const char *const kinds[] = { "virt-serial0", "virt-vnc", "virt-usbredir-0" };
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    bool is_wanted = false;

    for (size_t i = 0; i < countof(kinds); i++)
        is_wanted = is_wanted || streq(kinds[i], name);
    if (!is_wanted)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
    assert_int_equal(chdir(OWN), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(chdir(root), 0);
    return fd;
}

static void dials_only_the_machines_own(void **state)
{
    const struct stream_case *c = *state;
    const struct launcher_options o = {
        .key = "ns/vm", .vmi_uid = MACHINE, .pod_uid = POD, .clock = &clock_real
    };
    scoped(launcher_unref) struct launcher *l = launcher_new(&o);
    const struct dial d = { .pods_dir = root, .socket = c->socket, .launcher = l };
    scoped(free) char *path = must_asprintf(OWN "/%s", c->socket);
    scoped(free) char *elsewhere = must_asprintf("%s/outside/elsewhere", root);
    struct error e = { 0 };

    int peer = listen_for(c->socket);
    if (c->moved) {
        assert_int_equal(rename(c->moved, elsewhere), 0);
        assert_int_equal(symlink(elsewhere, c->moved), 0);
    }
    int fd = dial_socket(&d, &e);
    if (c->moved) {
        assert_int_equal(unlink(c->moved), 0);
        assert_int_equal(rename(elsewhere, c->moved), 0);
    }
    if (peer >= 0) {
        assert_int_equal(unlink(path), 0);
        (void)close(peer);
    }
    if (!c->says) {
        assert_true(fd >= 0);
        (void)close(fd);
        return;
    }
    assert_int_equal(fd, -ERR_BAD_REQUEST);
    assert_non_null(strstr(e.msg, c->says));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_a_volume),
        cmocka_unit_test(refuses_a_linked_volume),
        cmocka_unit_test(an_absent_volume_is_not_found),
        cmocka_unit_test(refuses_a_pod_uid_that_is_a_path),
        cmocka_unit_test(refuses_a_linked_socket),
        cmocka_unit_test(connects_to_the_socket_that_was_opened),
        cmocka_unit_test(writes_a_file_as_a_whole),
        cmocka_unit_test(reads_a_container_file_within_its_root),
    };

    ROW_TESTS(dials, streams, dials_only_the_machines_own);
    struct CMUnitTest all[countof(tests) + countof(streams)];

    memcpy(all, tests, sizeof(tests));
    memcpy(all + countof(tests), dials, sizeof(dials));
    return cmocka_run_group_tests_name("podfs", all, make_pods, remove_pods);
}
