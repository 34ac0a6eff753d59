/* SPDX-License-Identifier: Apache-2.0 */
/* kubectl-virt as it is run: words, flags, what it sends, what it prints, its exit status.  Skipped
 * where the program has not been built beside the tests. */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "http/server.h"
#include "test/unit/rows.h"

/* After a failure the versions are compared; nothing else has been asked then. */
#define COMPARED "GET /apis/subresources.kubevirt.io "
#define V1 "/apis/subresources.kubevirt.io/v1/namespaces/"

static struct http_server *server;
static char url[64];
static char program[PATH_MAX + 32];
static int tell_fd; /* what was asked, a line a request */

enum { ARGS = 10, TEXT = 8192 };

/* $ stands for the server's URL. */
static const struct row {
    const char *name;
    const char *args[ARGS];
    int status;
    const char *out, *err; /* parts of what is printed */
    const char *asked;     /* a part of what the server was asked; "": nothing */
} rows[] = {
    { "without a command: the list of commands", .out = "Available Commands:", .asked = "" },
    { "help", { "help" }, .out = "guestosinfo", .asked = "" },
    { "its version", { "--version" }, .out = "kubectl virt v", .asked = "" },
    { "an unknown command", { "nosuch" }, 1, .err = "unknown command \"nosuch\"", .asked = "" },
    { "an unknown flag", { "start", "--nope", "vm" }, 1, .err = "--nope", .asked = "" },
    { "too few arguments",
      { "start" },
      1,
      .err = "usage: kubectl virt start [flags] VM",
      .asked = "" },
    { "too many arguments", { "start", "a", "b" }, 1, .err = "usage:", .asked = "" },
    { "help of a command", { "stop", "--help" }, .out = "--grace-period", .asked = "" },
    { "global flags", { "options" }, .out = "--kubeconfig", .asked = "" },
    { "version of the client alone",
      { "version", "--client" },
      .out = "Client Version: version.Info{GitVersion:\"v",
      .asked = "" },

    { "version as a document",
      { "version", "-o", "yaml", "-s", "$" },
      .out = "serverVersion:\n  hostname: h\n",
      .asked = COMPARED },
    { "start",
      { "-s", "$", "start", "vm" },
      .out = "VM vm was scheduled to start",
      .asked = "PUT " V1 "default/virtualmachines/vm/start {\"paused\":false}" },
    { "start, paused, in a namespace",
      { "start", "vm", "--paused", "-n", "ns", "-s", "$" },
      .out = "VM vm was scheduled to start",
      .asked = "PUT " V1 "ns/virtualmachines/vm/start {\"paused\":true}" },
    { "a namespace as kubectl prints it",
      { "start", "vm", "-n", "namespace/ns", "-s", "$" },
      .asked = "PUT " V1 "ns/virtualmachines/vm/start" },
    { "a name that needs escaping",
      { "start", "a/../b", "-s", "$" },
      .asked = "PUT " V1 "default/virtualmachines/a%2F..%2Fb/start" },
    { "any global flag before the command",
      { "--as", "bob", "-s", "$", "start", "vm" },
      .out = "scheduled to start",
      .asked = "PUT " V1 "default/virtualmachines/vm/start" },
    { "a dry run says so",
      { "start", "vm", "--dry-run", "-s", "$" },
      .out = "Dry Run execution\n",
      .asked = "\"dryRun\":[\"All\"]" },
    { "stop at once",
      { "stop", "vm", "--force", "--grace-period=0", "-s", "$" },
      .out = "VM vm was scheduled to stop",
      .asked = "vm/stop {\"gracePeriod\":0}" },
    { "stop by force without a grace period",
      { "stop", "vm", "--force", "-s", "$" },
      1,
      .err = "--force and --grace-period",
      .asked = COMPARED },
    { "restart with a grace period but without force",
      { "restart", "vm", "--grace-period", "0", "-s", "$" },
      1,
      .err = "--force and --grace-period",
      .asked = COMPARED },
    { "restart at once",
      { "restart", "vm", "--force", "--grace-period", "0", "-s", "$" },
      .asked = "vm/restart {\"gracePeriodSeconds\":0}" },
    { "a refusal in the server's words",
      { "stop", "refused", "-s", "$" },
      1,
      .err = "error stopping VirtualMachine VM is not running\n",
      .asked = "refused/stop" },
    { "pause of an instance",
      { "pause", "vmi", "vm", "-s", "$" },
      .out = "VMI vm was scheduled to pause",
      .asked = "PUT " V1 "default/virtualmachineinstances/vm/pause" },
    { "unpause of something else",
      { "unpause", "pod", "vm", "-s", "$" },
      1,
      .err = "unknown resource type \"pod\"",
      .asked = COMPARED },
    { "soft-reboot",
      { "soft-reboot", "vm", "-s", "$" },
      .asked = "PUT " V1 "default/virtualmachineinstances/vm/softreboot" },
    { "guestosinfo is printed",
      { "guestosinfo", "vm", "-s", "$" },
      .out = "\"hostname\": \"h\"",
      .asked = "GET " V1 "default/virtualmachineinstances/vm/guestosinfo" },
    { "preset preview without an instance",
      { "preset", "preview", "-s", "$" },
      1,
      .err = "either the name of an instance or --filename is expected",
      .asked = COMPARED },
    { "preset preview of both",
      { "preset", "preview", "vm", "-f", "-", "-s", "$" },
      1,
      .err = "either the name",
      .asked = COMPARED },
    { "preset with another word",
      { "preset", "apply", "vm", "-s", "$" },
      1,
      .err = "unknown command \"apply\" for \"kubectl virt preset\"",
      .asked = "" },
    { "preset preview in an unknown format",
      { "preset", "preview", "vm", "-o", "xml", "-s", "$" },
      1,
      .err = "\"xml\" is not diff, yaml or json",
      .asked = COMPARED },
    { "preset preview of a file that is not there",
      { "preset", "preview", "-f", "/nonexistent/x.yaml", "-s", "$" },
      1,
      .err = "/nonexistent/x.yaml",
      .asked = COMPARED },
    { "preset preview of nothing",
      { "preset", "preview", "-f", "-", "-s", "$" },
      1,
      .err = "one VirtualMachineInstance is expected",
      .asked = COMPARED },
    { "preset preview of an example",
      { "preset", "preview", "-f", "deploy/examples/vmi-kernelboot.yaml", "-o", "yaml", "-s", "$" },
      .out = "\n  name: kernelboot\n  namespace: default\n",
      .asked = "GET /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancepresets " },
    { "preset preview of a stored instance",
      { "preset", "preview", "vm", "-n", "ns", "-s", "$" },
      1,
      .err = "VirtualMachineInstance",
      .asked = "GET /apis/kubevirt.io/v1/namespaces/ns/virtualmachineinstances/vm " },
    { "a sub-command that is near",
      { "credentials", "add-ssh", "vm" },
      1,
      .err = "Did you mean \"kubectl virt credentials add-ssh-key\"?",
      .asked = "" },
    { "a command that is not there yet",
      { "image-upload", "dv", "x", "--size", "1Gi" },
      1,
      .err = "not available yet",
      .asked = "" },
    { "an unknown flag that is near",
      { "stop", "vm", "--grace-perod=1" },
      1,
      .err = "did you mean --grace-period?",
      .asked = "" },
    { "a group lists its commands", { "create" }, .out = "create clone", .asked = "" },
    { "help of a sub-command", { "help", "create", "vm" }, .out = "--run-strategy", .asked = "" },
    { "a manifest needs no cluster",
      { "create", "vm", "--name", "x", "-n", "ns/lab" },
      .out = "  name: x\n  namespace: lab\n",
      .asked = "" },
    { "completion of a shell", { "completion", "bash" }, .out = "complete -F", .asked = "" },
    { "completion of another shell",
      { "completion", "powershell" },
      1,
      .err = "not available",
      .asked = "" },
    { "what completes a word",
      { "__complete", "star" },
      .out = "start\tStart a machine.\n:4\n",
      .asked = "" },
    { "names that complete a word",
      { "__complete", "-s", "$", "-n", "ns", "start", "" },
      .out = ":4\n",
      .asked = "GET /apis/kubevirt.io/v1/namespaces/ns/virtualmachines " },
    { "the guest's facts as YAML",
      { "guestosinfo", "vm", "-o", "yaml", "-s", "$" },
      .out = "hostname: h\n",
      .asked = "vm/guestosinfo" },
    { "an unknown format",
      { "guestosinfo", "vm", "-o", "xml", "-s", "$" },
      1,
      .err = "'xml' is not one of json|yaml",
      .asked = "" },
    { "migrate with a selector",
      { "migrate", "vm", "--addedNodeSelector", "a=b", "-s", "$" },
      .out = "VM vm was scheduled to migrate",
      .asked =
          "PUT " V1 "default/virtualmachines/vm/migrate {\"addedNodeSelector\":{\"a\":\"b\"}}" },
    { "no migration to cancel",
      { "migrate-cancel", "vm", "-s", "$" },
      1,
      .err = "Found no migration to cancel for vm",
      .asked = "GET /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations" },
    { "evacuate-cancel of something else",
      { "evacuate-cancel", "pod", "vm", "-s", "$" },
      1,
      .err = "unsupported resource type",
      .asked = COMPARED },
    { "addvolume",
      { "addvolume", "vm", "--volume-name", "v", "--serial", "s", "-s", "$" },
      .out = "Successfully submitted add volume request to VM vm for volume v",
      .asked =
          "vm/addvolume {\"name\":\"v\",\"disk\":{\"name\":\"v\",\"disk\":{\"bus\":\"scsi\"},"
          "\"serial\":\"s\"},\"volumeSource\":{\"dataVolume\":{\"name\":\"v\",\"hotpluggable\":true}}}" },
    { "addvolume without a volume",
      { "addvolume", "vm", "-s", "$" },
      1,
      .err = "\"volume-name\" not set",
      .asked = COMPARED },
    { "a lun on another bus",
      { "addvolume", "vm", "--volume-name=v", "--disk-type=lun", "--bus=virtio", "-s", "$" },
      1,
      .err = "a lun takes scsi only",
      .asked = COMPARED },
    { "removevolume, dry",
      { "removevolume", "vm", "--volume-name", "v", "--dry-run", "-s", "$" },
      .out = "Dry Run execution\n",
      .asked = "vm/removevolume {\"dryRun\":[\"All\"],\"name\":\"v\"}" },
    { "a refusal of removevolume",
      { "removevolume", "refused", "--volume-name", "v", "-s", "$" },
      1,
      .err = "error removing volume, VM is not running\n",
      .asked = "refused/removevolume" },
    { "expand of a stored machine, as JSON",
      { "expand", "--vm", "vm", "-o", "json", "-s", "$" },
      .out = "{\n \"hostname\": \"h\"\n}\n",
      .asked = "GET " V1 "default/virtualmachines/vm/expand-spec" },
    { "expand of nothing",
      { "expand", "-s", "$" },
      1,
      .err = "exactly one of --vm and --file",
      .asked = COMPARED },
    { "objectgraph asks with a body",
      { "objectgraph", "vm", "--vmi", "--exclude-optional", "-s", "$" },
      .asked = "GET " V1
               "default/virtualmachineinstances/vm/objectgraph {\"includeOptionalNodes\":false}" },
    { "expose without a port",
      { "expose", "vmi", "vm", "--name", "s", "-s", "$" },
      1,
      .err = "couldn't find port via --port flag or introspection",
      .asked = "virtualmachineinstances/vm" },
    { "expose of something else",
      { "expose", "pod", "vm", "--name=s", "-s", "$" },
      1,
      .err = "unsupported resource type: pod",
      .asked = COMPARED },
    { "log levels without a flag",
      { "adm", "log-verbosity", "-s", "$" },
      1,
      .err = "no flag specified",
      .asked = COMPARED },
    { "log levels shown and set at once",
      { "adm", "log-verbosity", "--virt-api", "--virt-handler=3", "-s", "$" },
      1,
      .err = "not both at once",
      .asked = COMPARED },
    { "a key without a user",
      { "credentials", "add-ssh-key", "vm", "--value=k", "-s", "$" },
      1,
      .err = "\"user\" not set",
      .asked = COMPARED },
    { "a password flag of the command's own",
      { "credentials", "set-password", "vm", "-u", "a/b", "-p", "w", "-s", "$" },
      1,
      .err = "cannot be a key of a secret",
      .asked = COMPARED },
    { "nobody listens",
      { "start", "vm", "-s", "http://127.0.0.1:1" },
      1,
      .err = "Error starting VirtualMachine",
      .asked = "" },
};

static void serve(struct http_call *c, void *ctx)
{
    size_t len;
    const char *body = http_call_body(c, &len);
    scoped(free) char *line = must_asprintf("%s %s %.*s\n", http_method_name(http_call_method(c)),
                                            http_call_path(c), (int)len, body);
    struct error e;

    must(write(tell_fd, line, strlen(line)) == (ssize_t)strlen(line));
    if (strstr(http_call_path(c), "/refused/")) {
        error_set(&e, ERR_CONFLICT, "VM is not running");
        http_reply_error(c, &e, NULL);
    } else if (http_call_method(c) == HTTP_GET) {
        http_reply(c, 200, "application/json", "{\"hostname\":\"h\"}",
                   strlen("{\"hostname\":\"h\"}"));
    } else {
        http_reply(c, 202, NULL, NULL, 0);
    }
}

/* The program lies one folder above the tests. */
static int setup(void **state)
{
    struct http_server_options o = { .name = "api", .address = "127.0.0.1", .handler = serve };
    char self[PATH_MAX] = "";
    struct error e = { 0 };

    must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    (void)snprintf(program, sizeof(program), "%s/../kubectl-virt", dirname(self));
    must(http_server_start(&server, &o, &e) == 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", http_server_port(server));
    return 0;
}

static int teardown(void **state)
{
    http_server_free(server);
    return 0;
}

static int temporary_file(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    must(fd >= 0);
    return fd;
}

static void read_back(int fd, char text[TEXT])
{
    ssize_t n = pread(fd, text, TEXT - 1, 0);

    must(n >= 0);
    text[n] = '\0';
    (void)close(fd);
}

static int run(const struct row *c, int out, int err)
{
    char *argv[ARGS + 2] = { program };
    char *env[] = { (char *)"HOME=/nonexistent", NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;

    for (size_t i = 0; i < ARGS && c->args[i]; i++)
        argv[i + 1] = streq(c->args[i], "$") ? url : (char *)c->args[i];
    must(posix_spawn_file_actions_init(&actions) == 0);
    must(posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0);
    must(posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0);
    must(posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO) == 0);
    must(posix_spawn(&pid, program, &actions, NULL, argv, env) == 0);
    must(posix_spawn_file_actions_destroy(&actions) == 0);
    must(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_says(const char *what, const char *text, const char *wanted)
{
    if (wanted && !strstr(text, wanted))
        fail_msg("%s is \"%s\" without \"%s\"", what, text, wanted);
}

static void behaves(void **state)
{
    const struct row *c = *state;
    static char out[TEXT], err[TEXT], asked[TEXT];
    int out_fd = temporary_file();
    int err_fd = temporary_file();

    if (access(program, X_OK) < 0) {
        print_message("%s has not been built\n", program);
        skip();
    }
    tell_fd = temporary_file();
    int status = run(c, out_fd, err_fd);
    read_back(out_fd, out);
    read_back(err_fd, err);
    read_back(tell_fd, asked);

    if (status != c->status)
        fail_msg("exit status %d: %s", status, err);
    assert_says("stdout", out, c->out);
    assert_says("stderr", err, c->err);
    assert_says("what was asked", asked, c->asked);
    if (streq(c->asked, ""))
        assert_string_equal(asked, "");
    if (streq(c->asked, COMPARED))
        assert_null(strstr(asked, "PUT"));
}

int main(void)
{
    ROW_TESTS(tests, rows, behaves);

    return cmocka_run_group_tests_name("kubectl-virt", tests, setup, teardown);
}
