/* SPDX-License-Identifier: Apache-2.0 */
/* What ssh and scp are run with. */
#include "cli/ssh.h"

#include "base/buf.h"
#include "base/str.h"
#include "test/unit/rows.h"

static const struct ssh_case {
    const char *name;
    const char *from, *to; /* to NULL: ssh */
    const char *want;      /* the words, each in <>; P is the tunnel's command; NULL: refused */
    const char *why;
    struct ssh_flags flags;
} cases[] = {
    { "a shell", "vmi/a", .want = "<ssh><-o><ProxyCommand=P><cloud@vmi.a.dflt>" },
    { "with a command, a key and options", "me@vm/a/ns",
      .want = "<ssh><-o><ProxyCommand=P><-o X=1><-v><-i><key><me@vm.a.ns><ls -l>",
      .flags = { .identity_file = "key",
                 .command = "ls -l",
                 .local_ssh_opts = { { "-o X=1", "-v" }, 2 } } },
    { "a user by flag", "vm/a", .want = "<ssh><-o><ProxyCommand=P><root@vm.a.dflt>",
      .flags = { .username = "root" } },
    { "the user beside the machine counts", "me@vm/a",
      .want = "<ssh><-o><ProxyCommand=P><me@vm.a.dflt>", .flags = { .username = "root" } },
    { "host keys of one's own", "vm/a",
      .want = "<ssh><-o><ProxyCommand=P><-o><UserKnownHostsFile=\"/k h\"><cloud@vm.a.dflt>",
      .flags = { .known_hosts = "/k h" } },
    { "a user who is a flag", "vm/a", .why = "begins with a hyphen",
      .flags = { .username = "-oProxyCommand=x" } },
    { "a machine that is none", "a", .why = "separated by '/'" },

    { "to a machine", "file", "me@vmi/a:/tmp/x:y",
      .want = "<scp><-o><ProxyCommand=P><file><me@vmi.a.dflt:/tmp/x:y>" },
    { "from a machine, whole folders", "vmi/a:dir", ".",
      .want = "<scp><-o><ProxyCommand=P><-r><-p><cloud@vmi.a.dflt:dir><.>",
      .flags = { .is_recursive = true, .preserves = true } },
    { "a local file that looks like a flag", "-x",
      "vmi/a:", .want = "<scp><-o><ProxyCommand=P><./-x><cloud@vmi.a.dflt:>" },
    { "between machines", "vmi/a:x", "vmi/b:x", .why = "another remote location" },
    { "between files", "a", "b", .why = "none of the two locations is remote" },
};

/* Flags as the parser leaves them when nothing was given. */
static void fill_in(struct flags *f)
{
    const char **texts[] = { &f->kubeconfig,
                             &f->context,
                             &f->cluster,
                             &f->user,
                             &f->namespace,
                             &f->server,
                             &f->certificate_authority,
                             &f->tls_server_name,
                             &f->proxy_url,
                             &f->client_certificate,
                             &f->client_key,
                             &f->token,
                             &f->username,
                             &f->password,
                             &f->as,
                             &f->as_uid,
                             &f->ssh.username,
                             &f->ssh.identity_file,
                             &f->ssh.known_hosts,
                             &f->ssh.command };

    for (size_t i = 0; i < countof(texts); i++)
        if (!*texts[i])
            *texts[i] = "";
    if (f->ssh.port == 0)
        f->ssh.port = 22;
    f->verbosity = 2;
}

static void says(void **state)
{
    const struct ssh_case *c = *state;
    struct cli cli = { .argv0 = "kubectl-virt", .namespace = "dflt", .flags.ssh = c->flags };
    struct words w = { 0 };
    struct error e = { 0 };
    scoped_buf got = BUF_INIT(0);

    must(setenv("USER", "cloud", 1) == 0);
    fill_in(&cli.flags);
    int r = c->to ? scp_words(&w, &cli, c->from, c->to, &e) : ssh_words(&w, &cli, c->from, &e);
    for (size_t i = 0; i < w.len; i++)
        (void)buf_addf(&got, "<%s>",
                       str_has_prefix(w.item[i], "ProxyCommand=") ? "ProxyCommand=P" : w.item[i]);
    words_done(&w);
    if (!c->want) {
        assert_int_equal(r, -ERR_BAD_REQUEST);
        if (!strstr(e.msg, c->why))
            fail_msg("%s", e.msg);
        return;
    }
    assert_int_equal(r, 0);
    assert_string_equal(got.data, c->want);
}

/* The command, as a shell takes it apart after ssh has replaced its own marks. */
static void the_tunnel_has_the_same_cluster_and_identity(void **state)
{
    struct cli cli = { .argv0 = "/opt/a b/kubectl-virt",
                       .flags = { .kubeconfig = "/k'x",
                                  .context = "$(id)",
                                  .as = "100%h",
                                  .token = "secret",
                                  .password = "word",
                                  .namespace = "other",
                                  .is_insecure = true,
                                  .request_timeout_ms = 1500,
                                  .as_groups = { { "a", "b" }, 2 } } };

    fill_in(&cli.flags);
    scoped(free) char *got = ssh_proxy_command(&cli, "vmi/a/ns", 2222);
    assert_string_equal(got,
                        "'/opt/a b/kubectl-virt' 'port-forward' '--stdio=true' 'vmi/a/ns' '2222' "
                        "'--kubeconfig=/k'\\''x' '--context=$(id)' "
                        "'--insecure-skip-tls-verify=true' '--as=100%%h' '--as-group=a' "
                        "'--as-group=b' '--request-timeout=1500ms'");
}

static void secrets_go_by_the_environment(void **state)
{
    struct flags given = { .token = "secret" };
    struct flags taken = { 0 };
    struct flags own = { .token = "mine" };

    fill_in(&given);
    fill_in(&taken);
    fill_in(&own);
    ssh_pass_secrets(&given);
    ssh_take_secrets(&taken);
    ssh_take_secrets(&own);
    assert_string_equal(taken.token, "secret");
    assert_string_equal(taken.password, "");
    assert_string_equal(own.token, "mine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tunnel_has_the_same_cluster_and_identity),
        cmocka_unit_test(secrets_go_by_the_environment),
    };

    return RUN_ROWS("ssh and scp", cases, says) +
           cmocka_run_group_tests_name("the tunnel", tests, NULL, NULL);
}
