/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <strings.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"
#include "kube/config.h"

const struct option global_options[] = {
    { "kubeconfig", 0, OPTION_STRING, FLAG(kubeconfig), .dflt = "", .arg = "FILE",
      .help = "The kubeconfig to use, instead of $KUBECONFIG or ~/.kube/config." },
    { "context", 0, OPTION_STRING, FLAG(context), .dflt = "", .arg = "NAME",
      .help = "Context of the kubeconfig." },
    { "cluster", 0, OPTION_STRING, FLAG(cluster), .dflt = "", .arg = "NAME",
      .help = "Cluster of the kubeconfig." },
    { "user", 0, OPTION_STRING, FLAG(user), .dflt = "", .arg = "NAME",
      .help = "User of the kubeconfig." },
    { "namespace", 'n', OPTION_STRING, FLAG(namespace), .dflt = "", .arg = "NAME",
      .help = "Namespace of the machine." },
    { "server", 's', OPTION_STRING, FLAG(server), .dflt = "", .arg = "URL",
      .help = "Address of the API server." },
    { "certificate-authority", 0, OPTION_STRING, FLAG(certificate_authority), .dflt = "",
      .arg = "FILE", .help = "CA that the API server's certificate is checked against." },
    { "insecure-skip-tls-verify", 0, OPTION_BOOL, FLAG(is_insecure), .dflt = "false",
      .help = "Do not check the API server's certificate." },
    { "tls-server-name", 0, OPTION_STRING, FLAG(tls_server_name), .dflt = "", .arg = "NAME",
      .help = "Name to expect in the API server's certificate." },
    { "proxy-url", 0, OPTION_STRING, FLAG(proxy_url), .dflt = "", .arg = "URL",
      .help = "Proxy on the way to the API server." },
    { "client-certificate", 0, OPTION_STRING, FLAG(client_certificate), .dflt = "", .arg = "FILE",
      .help = "Client certificate." },
    { "client-key", 0, OPTION_STRING, FLAG(client_key), .dflt = "", .arg = "FILE",
      .help = "Its key." },
    { "token", 0, OPTION_STRING, FLAG(token), .dflt = "", .arg = "TOKEN", .help = "Bearer token." },
    { "username", 0, OPTION_STRING, FLAG(username), .dflt = "", .arg = "NAME",
      .help = "User of basic authentication." },
    { "password", 0, OPTION_STRING, FLAG(password), .dflt = "", .arg = "WORD",
      .help = "Password of basic authentication." },
    { "as", 0, OPTION_STRING, FLAG(as), .dflt = "", .arg = "USER", .help = "Act as this user." },
    { "as-uid", 0, OPTION_STRING, FLAG(as_uid), .dflt = "", .arg = "UID",
      .help = "Act as the user with this UID." },
    { "as-group", 0, OPTION_STRINGS, FLAG(as_groups), .arg = "GROUP",
      .help = "Act as a member of this group." },
    { "request-timeout", 0, OPTION_DURATION, FLAG(request_timeout_ms), .dflt = "0",
      .arg = "DURATION", .help = "How long a request may take; 0 is the default." },
    { "v", 'v', OPTION_INT, FLAG(verbosity), .dflt = "2", .max = 9, .arg = "N",
      .help = "Verbosity of messages, 0 to 9." },
    { "disable-compression", 0, OPTION_IGNORED_BOOL, .help = "" },
    { 0 },
};

/* "ns/x", "namespace/x" and "namespaces/x" mean x, as in kubectl's own forms. */
static const char *bare_namespace(const char *s)
{
    static const char *const prefixes[] = { "ns/", "namespace/", "namespaces/" };

    for (size_t i = 0; i < countof(prefixes); i++)
        if (strncasecmp(s, prefixes[i], strlen(prefixes[i])) == 0)
            return s + strlen(prefixes[i]);
    return s;
}

const char *cli_namespace_flag(const struct cli *c)
{
    const char *namespace = bare_namespace(c->flags.namespace);

    return *namespace ? namespace : NULL;
}

int cli_connect(struct cli *c, struct error *e)
{
    const struct flags *f = &c->flags;
    const char *groups[OPTION_LIST_MAX + 1] = { NULL };

    for (size_t i = 0; i < f->as_groups.len; i++)
        groups[i] = f->as_groups.item[i];

    scoped(free) char *agent = must_asprintf("kubectl-virt/%s (linux)", version_string);
    struct kube_config_request q = {
        .kubeconfig = f->kubeconfig,
        .master = f->server,
        .context = f->context,
        .cluster = f->cluster,
        .user = f->user,
        .namespace = bare_namespace(f->namespace),
        .certificate_authority = f->certificate_authority,
        .client_certificate = f->client_certificate,
        .client_key = f->client_key,
        .token = f->token,
        .username = f->username,
        .password = f->password,
        .tls_server_name = f->tls_server_name,
        .proxy_url = f->proxy_url,
        .as = f->as,
        .as_uid = f->as_uid,
        .as_groups = groups,
        .is_insecure = f->is_insecure,
        .user_agent = agent,
    };

    if (kube_config_load(&c->config, &q, e) < 0)
        return error_wrap(e, "cannot obtain KubeVirt client");
    c->kube = kube_new(c->config);
    c->namespace = kube_config_namespace(c->config);
    return 0;
}

void cli_done(struct cli *c)
{
    kube_free(c->kube);
    kube_config_free(c->config);
}

char *cli_subresource(const struct cli *c, const char *plural, const char *name, const char *sub)
{
    scoped(free) char *ns = http_escape(c->namespace);
    scoped(free) char *escaped = http_escape(name);

    return must_asprintf("/apis/subresources.kubevirt.io/v1/namespaces/%s/%s/%s/%s", ns, plural,
                         escaped, sub);
}

/* "PUT /apis/...: " is for logs; a user is told what the server said. */
static int server_words(int r, struct error *e)
{
    const char *path = strchr(e->msg, ' ');
    const char *words = path && path[1] == '/' ? strstr(path, ": ") : NULL;

    if (r < 0 && words && e->code != ERR_UNAVAILABLE)
        memmove(e->msg, words + 2, strlen(words + 2) + 1);
    return r;
}

int cli_raw(struct cli *c, enum http_method method, const char *path, const json_t *body,
            json_t **ret, struct error *e)
{
    return server_words(kube_raw(c->kube, method, path, body, ret, e), e);
}

int cli_get(struct cli *c, const char *path, json_t **ret, struct error *e)
{
    return cli_raw(c, HTTP_GET, path, NULL, ret, e);
}

int cli_put(struct cli *c, const char *plural, const char *name, const char *sub,
            const json_t *body, struct error *e)
{
    scoped(free) char *path = cli_subresource(c, plural, name, sub);

    return cli_raw(c, HTTP_PUT, path, body, NULL, e);
}

json_t *cli_options(const struct cli *c)
{
    json_t *options = json_object();

    if (c->flags.is_dry_run) {
        (void)puts("Dry Run execution");
        must_set(options, "dryRun", must_pack("[s]", "All"));
    }
    return options;
}

int cli_prefix(struct error *e, const char *fmt, ...)
{
    scoped_buf text = BUF_INIT(0);
    va_list ap;

    va_start(ap, fmt);
    (void)buf_vaddf(&text, fmt, ap);
    va_end(ap);
    (void)buf_adds(&text, e->msg);
    return error_set(e, e->code, "%s", text.data);
}
