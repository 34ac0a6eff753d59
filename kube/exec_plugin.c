/* SPDX-License-Identifier: Apache-2.0 */
/* Spawn the program, read its bounded answer within the deadline, check what it says. */
#include "kube/exec_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/config.h"

static const char *const versions[] = { "client.authentication.k8s.io/v1",
                                        "client.authentication.k8s.io/v1beta1" };

static bool version_is_known(const char *version)
{
    for (size_t i = 0; i < countof(versions); i++)
        if (streq(versions[i], version))
            return true;
    return false;
}

/* Strings of the list that starts with `first`, NULL-terminated; the strings themselves are new
 * too. */
struct string_list {
    char **item;
    size_t len;
};

static void list_add(struct string_list *l, char *s)
{
    l->item = must_realloc(l->item, (l->len + 2) * sizeof(*l->item));
    l->item[l->len++] = s;
    l->item[l->len] = NULL;
}

static void list_done(struct string_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        free(l->item[i]);
    free(l->item);
}

static struct string_list arguments(const json_t *exec)
{
    struct string_list argv = { 0 };
    json_t *arg;
    size_t i;

    list_add(&argv, must_strdup(jpath_str(exec, "command", "")));
    json_array_foreach(jpath_arr(exec, "args"), i, arg)
        if (json_is_string(arg))
            list_add(&argv, must_strdup(json_string_value(arg)));
    return argv;
}

static bool may_ask(const json_t *exec)
{
    return !streq(jpath_str(exec, "interactiveMode", "IfAvailable"), "Never") &&
           isatty(STDIN_FILENO);
}

static char *exec_info(const json_t *exec, const json_t *cluster)
{
    json_auto_t *info =
        must_pack("{s:s, s:s, s:{s:b}}", "apiVersion", jpath_str(exec, "apiVersion", ""), "kind",
                  "ExecCredential", "spec", "interactive", may_ask(exec));

    if (jpath_bool(exec, "provideClusterInfo", false) && cluster)
        jpath_set(info, "spec.cluster", must_copy(cluster));
    return must_dumps(info, JSON_COMPACT);
}

static bool is_variable(const char *setting, const char *name)
{
    size_t len = strlen(name);
    return strncmp(setting, name, len) == 0 && setting[len] == '=';
}

static bool is_overridden(const char *setting, const json_t *env)
{
    json_t *row;
    size_t i;

    json_array_foreach(env, i, row)
        if (is_variable(setting, jpath_str(row, "name", "")))
            return true;
    return is_variable(setting, "KUBERNETES_EXEC_INFO");
}

static struct string_list environment(const json_t *exec, const json_t *cluster)
{
    const json_t *env = jpath_arr(exec, "env");
    struct string_list all = { 0 };
    json_t *row;
    size_t i;

    for (char **setting = environ; setting && *setting; setting++)
        if (!is_overridden(*setting, env))
            list_add(&all, must_strdup(*setting));
    json_array_foreach(env, i, row)
        list_add(&all,
                 must_asprintf("%s=%s", jpath_str(row, "name", ""), jpath_str(row, "value", "")));
    scoped(free) char *info = exec_info(exec, cluster);
    list_add(&all, must_asprintf("KUBERNETES_EXEC_INFO=%s", info));
    return all;
}

static int spawn(const json_t *exec, const json_t *cluster, int out_fd, pid_t *ret_pid)
{
    struct string_list argv = arguments(exec);
    struct string_list env = environment(exec, cluster);
    posix_spawn_file_actions_t actions;

    must(posix_spawn_file_actions_init(&actions) == 0);
    must(posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO) == 0);
    if (!may_ask(exec))
        must(posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ==
             0);

    /* Our threads block the signals that main reads; a child must not inherit that. */
    posix_spawnattr_t attr;
    sigset_t none;
    (void)sigemptyset(&none);
    must(posix_spawnattr_init(&attr) == 0);
    must(posix_spawnattr_setsigmask(&attr, &none) == 0);
    must(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK) == 0);

    int r = posix_spawnp(ret_pid, argv.item[0], &actions, &attr, argv.item, env.item);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    list_done(&argv);
    list_done(&env);
    return r;
}

/* Everything the program writes until it closes its end. */
static int read_answer(int fd, struct buf *out, struct error *e)
{
    int64_t until = clock_mono_ms(&clock_real) + EXEC_PLUGIN_TIMEOUT_MS;
    char piece[4096];

    for (;;) {
        int64_t left = until - clock_mono_ms(&clock_real);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            return error_set(e, ERR_TIMEOUT, "no answer within %d s",
                             EXEC_PLUGIN_TIMEOUT_MS / 1000);
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return error_set(e, ERR_INTERNAL, "read: %s", strerror(errno));
        if (n == 0)
            return 0;
        if (!buf_add(out, piece, (size_t)n))
            return error_set(e, ERR_TOO_LARGE, "answer is larger than %zu bytes", out->max);
    }
}

static int run(const json_t *exec, const json_t *cluster, struct buf *out, struct error *e)
{
    int pipe_fd[2];
    int status = 0;
    pid_t pid = 0;

    if (pipe2(pipe_fd, O_CLOEXEC) < 0)
        return error_set(e, ERR_INTERNAL, "pipe: %s", strerror(errno));
    int cause = spawn(exec, cluster, pipe_fd[1], &pid);
    (void)close(pipe_fd[1]);
    if (cause != 0) {
        (void)close(pipe_fd[0]);
        return error_set(e, ERR_UNAUTHORIZED, "start: %s", strerror(cause));
    }
    int r = read_answer(pipe_fd[0], out, e);
    (void)close(pipe_fd[0]);
    if (r < 0)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (r < 0)
        return r;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(e, ERR_UNAUTHORIZED, "ended with %s %d",
                         WIFEXITED(status) ? "exit code" : "signal",
                         WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 0;
}

static int check_answer(json_t **ret_status, const json_t *exec, const struct buf *out,
                        struct error *e)
{
    json_auto_t *answer = NULL;

    int r = json_parse(&answer, out->data, out->len, e);
    if (r < 0)
        return r;
    if (!streq(jpath_str(answer, "kind", ""), "ExecCredential") ||
        !streq(jpath_str(answer, "apiVersion", ""), jpath_str(exec, "apiVersion", "")))
        return error_set(e, ERR_UNAUTHORIZED, "answer is no ExecCredential of %s",
                         jpath_str(exec, "apiVersion", ""));

    json_t *status = jpath_obj(answer, "status");
    bool has_cert = jpath_has(status, "clientCertificateData");
    if (has_cert != jpath_has(status, "clientKeyData"))
        return error_set(e, ERR_UNAUTHORIZED,
                         "certificate without key, or key without certificate");
    if (!has_cert && !jpath_str(status, "token", "")[0])
        return error_set(e, ERR_UNAUTHORIZED, "answer has neither a token nor a certificate");
    *ret_status = json_incref(status);
    return 0;
}

int exec_plugin_run(json_t **ret_status, const json_t *exec, const json_t *cluster, struct error *e)
{
    scoped_buf out = BUF_INIT(EXEC_PLUGIN_OUTPUT_MAX);
    const char *command = jpath_str(exec, "command", "");

    *ret_status = NULL;
    if (!version_is_known(jpath_str(exec, "apiVersion", "")))
        return error_set(e, ERR_BAD_REQUEST, "exec plugin '%s': apiVersion '%s' is not supported",
                         command, jpath_str(exec, "apiVersion", ""));
    int r = command[0] ? run(exec, cluster, &out, e)
                       : error_set(e, ERR_BAD_REQUEST, "no command is given");
    if (r >= 0)
        r = check_answer(ret_status, exec, &out, e);
    if (r < 0)
        return error_wrap(e, "exec plugin '%s'", command);
    return 0;
}
