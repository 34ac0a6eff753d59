/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh, scp: the local OpenSSH with a tunnel of ours as its ProxyCommand (spec 06, section 3.1).
 * The tunnel is this program again, so it is given the same cluster and identity.
 */
#include "cli/ssh.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/target.h"

// clang-format off
#define COMMON_FLAGS                                                                              \
    { "port", 'p', OPTION_INT, FLAG(ssh.port), .dflt = "22", .min = 1, .max = 65535, .arg = "N",  \
      .help = "Port of the guest's SSH server." },                                                \
    { "username", 'l', OPTION_STRING, FLAG(ssh.username), .dflt = "", .arg = "NAME",              \
      .help = "User in the guest; yours when not given." },                                       \
    { "identity-file", 'i', OPTION_STRING, FLAG(ssh.identity_file), .dflt = "", .arg = "FILE",    \
      .help = "Private key." },                                                                   \
    { "known-hosts", 0, OPTION_STRING, FLAG(ssh.known_hosts), .dflt = "", .arg = "FILE",          \
      .help = "Where host keys are kept, instead of OpenSSH's own file." },                       \
    { "local-ssh-opts", 't', OPTION_STRINGS, FLAG(ssh.local_ssh_opts), .arg = "WORD",             \
      .help = "A further argument for the local program; may be given again." }
// clang-format on

const struct option ssh_flags[] = {
    COMMON_FLAGS,
    { "command", 'c', OPTION_STRING, FLAG(ssh.command), .dflt = "", .arg = "COMMAND",
      .help = "Run this in the guest instead of a shell." },
    { 0 },
};

const struct option scp_flags[] = {
    COMMON_FLAGS,
    { "recursive", 'r', OPTION_BOOL, FLAG(ssh.is_recursive), .dflt = "false",
      .help = "Copy whole folders." },
    { "preserve", 0, OPTION_BOOL, FLAG(ssh.preserves), .dflt = "false",
      .help = "Keep times and modes of files." },
    { 0 },
};

/* ---- words ---- */

static void add(struct words *w, char *taken)
{
    w->item = must_realloc(w->item, (w->len + 2) * sizeof(*w->item));
    w->item[w->len++] = taken;
    w->item[w->len] = NULL;
}

static void add_copy(struct words *w, const char *word)
{
    add(w, must_strdup(word));
}

void words_done(struct words *w)
{
    for (size_t i = 0; i < w->len; i++)
        free(w->item[i]);
    free(w->item);
    *w = (struct words){ 0 };
}

/* ---- secrets ---- */

static const struct {
    const char *flag, *variable;
    size_t offset;
} secrets[] = {
    { "token", "KUBECTL_VIRT_TOKEN", offsetof(struct flags, token) },
    { "password", "KUBECTL_VIRT_PASSWORD", offsetof(struct flags, password) },
};

void ssh_pass_secrets(const struct flags *f)
{
    for (size_t i = 0; i < countof(secrets); i++) {
        const char *value = *(const char *const *)((const char *)f + secrets[i].offset);

        if (value && *value)
            must(setenv(secrets[i].variable, value, 1) == 0);
    }
}

void ssh_take_secrets(struct flags *f)
{
    for (size_t i = 0; i < countof(secrets); i++) {
        const char **value = (const char **)((char *)f + secrets[i].offset);
        const char *given = getenv(secrets[i].variable);

        if (given && !(*value && **value))
            *value = given;
    }
}

/* ---- the tunnel's command ---- */

/* One word for the shell; ssh replaces %h and the like before. */
static void quote(struct buf *out, const char *word)
{
    (void)buf_adds(out, " '");
    for (; *word; word++)
        if (*word == '\'')
            (void)buf_adds(out, "'\\''");
        else if (*word == '%')
            (void)buf_adds(out, "%%");
        else
            (void)buf_add(out, word, 1);
    (void)buf_adds(out, "'");
}

static void quote_flag(struct buf *out, const char *name, const char *value)
{
    scoped(free) char *word = must_asprintf("--%s=%s", name, value);

    quote(out, word);
}

/* The target names the namespace; secrets go by the environment. */
static bool is_left_out(const struct option *o)
{
    for (size_t i = 0; i < countof(secrets); i++)
        if (streq(o->name, secrets[i].flag))
            return true;
    return streq(o->name, "namespace");
}

static void quote_option(struct buf *out, const struct option *o, const struct flags *f)
{
    const char *at = (const char *)f + o->offset;
    scoped(free) char *number = NULL;
    const struct option_list *list;

    switch (o->type) {
    case OPTION_STRING:
    case OPTION_WORD:
        if (*(const char *const *)at && **(const char *const *)at)
            quote_flag(out, o->name, *(const char *const *)at);
        break;
    case OPTION_STRINGS:
        list = (const struct option_list *)at;
        for (size_t i = 0; i < list->len; i++)
            quote_flag(out, o->name, list->item[i]);
        break;
    case OPTION_BOOL:
        if (*(const bool *)at)
            quote_flag(out, o->name, "true");
        break;
    case OPTION_INT:
    case OPTION_DURATION:
        number =
            must_asprintf("%lld%s", *(const long long *)at, o->type == OPTION_DURATION ? "ms" : "");
        if (!streq(number, o->dflt) && *(const long long *)at != 0)
            quote_flag(out, o->name, number);
        break;
    case OPTION_OPTIONAL:
    case OPTION_IGNORED:
    case OPTION_IGNORED_BOOL:
        break; /* none of the global ones has these, or they have no effect */
    }
}

char *ssh_proxy_command(const struct cli *c, const char *target, long long port)
{
    struct buf out = BUF_INIT(0);
    scoped(free) char *port_text = must_asprintf("%lld", port);
    const char *const words[] = { c->argv0, "port-forward", "--stdio=true", target, port_text };

    for (size_t i = 0; i < countof(words); i++)
        quote(&out, words[i]);
    for (const struct option *o = global_options; o->name; o++)
        if (!is_left_out(o))
            quote_option(&out, o, &c->flags);
    buf_consume(&out, 1); /* the space before the first */
    return buf_take(&out);
}

/* ---- what is run ---- */

static const char *user_of(const struct cli *c, const struct target *t)
{
    static const char *const variables[] = { "USER", "USERNAME", "LOGNAME" };

    if (t->user[0])
        return t->user;
    if (*c->flags.ssh.username)
        return c->flags.ssh.username;
    for (size_t i = 0; i < countof(variables); i++)
        if (getenv(variables[i]) && *getenv(variables[i]))
            return getenv(variables[i]);
    return "";
}

/* "user@kind.name.namespace", which OpenSSH takes for a host's name. */
static int host_word(char **ret, const struct cli *c, const struct target *t, struct error *e)
{
    const char *user = user_of(c, t);

    if (!*user)
        return error_set(e, ERR_BAD_REQUEST, "no user is known: say user@%s/%s or --username",
                         t->kind, t->name);
    if (*user == '-')
        return error_set(e, ERR_BAD_REQUEST, "username \"%s\" begins with a hyphen", user);
    *ret = must_asprintf("%s@%s.%s.%s", user, t->kind, t->name,
                         t->namespace[0] ? t->namespace : c->namespace);
    return 0;
}

static int common_words(struct words *w, const struct cli *c, const char *program,
                        const struct target *t, struct error *e)
{
    const struct ssh_flags *f = &c->flags.ssh;
    scoped(free) char *target =
        must_asprintf("%s/%s/%s", t->kind, t->name, t->namespace[0] ? t->namespace : c->namespace);
    scoped(free) char *proxy = ssh_proxy_command(c, target, f->port);

    if (strchr(f->known_hosts, '"'))
        return error_set(e, ERR_BAD_REQUEST, "--known-hosts: quotes in the name are not possible");
    add_copy(w, program);
    add_copy(w, "-o");
    add(w, must_asprintf("ProxyCommand=%s", proxy));
    if (*f->known_hosts) {
        add_copy(w, "-o");
        add(w, must_asprintf("UserKnownHostsFile=\"%s\"", f->known_hosts));
    }
    for (size_t i = 0; i < f->local_ssh_opts.len; i++)
        add_copy(w, f->local_ssh_opts.item[i]);
    if (*f->identity_file) {
        add_copy(w, "-i");
        add_copy(w, f->identity_file);
    }
    return 0;
}

int ssh_words(struct words *ret, const struct cli *c, const char *target, struct error *e)
{
    struct target t;
    char *host = NULL;
    int r = target_parse_user(&t, target, e);

    if (r == 0)
        r = host_word(&host, c, &t, e);
    if (r == 0)
        r = common_words(ret, c, "ssh", &t, e);
    if (r < 0) {
        free(host);
        return r;
    }
    add(ret, host);
    if (*c->flags.ssh.command)
        add_copy(ret, c->flags.ssh.command);
    return 0;
}

/* "host:path" of the remote side, or the local file's name. */
static int copy_word(char **ret, const struct cli *c, const char *text, struct target *ret_target,
                     struct error *e)
{
    const char *colon = strchr(text, ':');
    scoped(free) char *target = NULL;
    scoped(free) char *host = NULL;

    if (!colon) {
        *ret = must_asprintf("%s%s", *text == '-' ? "./" : "", text);
        return 0;
    }
    target = must_strndup(text, (size_t)(colon - text));
    int r = target_parse_user(ret_target, target, e);
    if (r == 0)
        r = host_word(&host, c, ret_target, e);
    if (r == 0)
        *ret = must_asprintf("%s:%s", host, colon + 1);
    return r;
}

int scp_words(struct words *ret, const struct cli *c, const char *from, const char *to,
              struct error *e)
{
    const struct ssh_flags *f = &c->flags.ssh;
    bool is_from_remote = strchr(from, ':');
    bool is_to_remote = strchr(to, ':');
    scoped(free) char *from_word = NULL;
    scoped(free) char *to_word = NULL;
    struct target t = { 0 };

    if (is_from_remote && is_to_remote)
        return error_set(e, ERR_BAD_REQUEST,
                         "copying from a remote location to another remote location is not "
                         "supported");
    if (!is_from_remote && !is_to_remote)
        return error_set(
            e, ERR_BAD_REQUEST,
            "none of the two locations is remote: write it type/name[/namespace]:path");
    int r = copy_word(&from_word, c, from, &t, e);
    if (r == 0)
        r = copy_word(&to_word, c, to, &t, e);
    if (r == 0)
        r = common_words(ret, c, "scp", &t, e);
    if (r < 0)
        return r;
    if (f->is_recursive)
        add_copy(ret, "-r");
    if (f->preserves)
        add_copy(ret, "-p");
    add(ret, TAKE(from_word));
    add(ret, TAKE(to_word));
    return 0;
}

static int run_words(const struct cli *c, struct words *w, int r, struct error *e)
{
    if (r == 0) {
        ssh_pass_secrets(&c->flags);
        r = child_run(w->item, e);
    }
    words_done(w);
    return r;
}

int run_ssh(struct cli *c, const struct option_list *args, struct error *e)
{
    struct words w = { 0 };

    return run_words(c, &w, ssh_words(&w, c, args->item[0], e), e);
}

int run_scp(struct cli *c, const struct option_list *args, struct error *e)
{
    struct words w = { 0 };

    return run_words(c, &w, scp_words(&w, c, args->item[0], args->item[1], e), e);
}
