/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/target.h"

#include <stdio.h>
#include <strings.h>

#include "base/scope.h"
#include "base/str.h"

static const struct {
    const char *word, *kind, *plural;
} kinds[] = {
    { "vm", "vm", "virtualmachines" },
    { "vms", "vm", "virtualmachines" },
    { "virtualmachine", "vm", "virtualmachines" },
    { "virtualmachines", "vm", "virtualmachines" },
    { "vmi", "vmi", "virtualmachineinstances" },
    { "vmis", "vmi", "virtualmachineinstances" },
    { "virtualmachineinstance", "vmi", "virtualmachineinstances" },
    { "virtualmachineinstances", "vmi", "virtualmachineinstances" },
};

static int parse_kind(struct target *ret, const char *word, size_t len, struct error *e)
{
    for (size_t i = 0; i < countof(kinds); i++)
        if (strlen(kinds[i].word) == len && strncasecmp(kinds[i].word, word, len) == 0) {
            ret->kind = kinds[i].kind;
            ret->plural = kinds[i].plural;
            return 0;
        }
    return error_set(e, ERR_BAD_REQUEST, "unsupported resource type '%.*s': use vm or vmi",
                     (int)(len > 60 ? 60 : len), word);
}

static int parse_name(char out[TARGET_NAME_MAX], const char *what, const char *from, size_t len,
                      struct error *e)
{
    if (len == 0)
        return error_set(e, ERR_BAD_REQUEST, "%s cannot be empty", what);
    if (len >= TARGET_NAME_MAX)
        return error_set(e, ERR_BAD_REQUEST, "%s is longer than %d characters", what,
                         TARGET_NAME_MAX - 1);
    (void)snprintf(out, TARGET_NAME_MAX, "%.*s", (int)len, from);
    if (!is_dns_subdomain(out))
        return error_set(e, ERR_BAD_REQUEST, "%s '%s' is not a name of Kubernetes", what, out);
    return 0;
}

int target_parse(struct target *ret, const char *text, struct error *e)
{
    const char *slash = strchr(text, '/');

    *ret = (struct target){ 0 };
    if (!*text)
        return error_set(e, ERR_BAD_REQUEST, "target cannot be empty");
    if (!slash)
        return error_set(
            e, ERR_BAD_REQUEST,
            "target must contain type and name separated by '/': type/name[/namespace]");
    const char *name = slash + 1;
    size_t name_len = strcspn(name, "/");
    const char *namespace = name[name_len] ? name + name_len + 1 : NULL;

    if (namespace && strchr(namespace, '/'))
        return error_set(e, ERR_BAD_REQUEST,
                         "target is not valid with more than two '/': type/name[/namespace]");
    int r = parse_kind(ret, text, (size_t)(slash - text), e);
    if (r == 0 && namespace)
        r = parse_name(ret->namespace, "namespace", namespace, strlen(namespace), e);
    return r < 0 ? r : parse_name(ret->name, "name", name, name_len, e);
}

int target_parse_user(struct target *ret, const char *text, struct error *e)
{
    const char *at = strrchr(text, '@');
    char user[TARGET_USER_MAX] = "";

    *ret = (struct target){ 0 };
    if (!at)
        return target_parse(ret, text, e);
    if (at == text)
        return error_set(e, ERR_BAD_REQUEST, "expected username before '@'");
    if (!at[1])
        return error_set(e, ERR_BAD_REQUEST, "expected target after '@'");
    if ((size_t)(at - text) >= sizeof(user))
        return error_set(e, ERR_BAD_REQUEST, "username is longer than %zu characters",
                         sizeof(user) - 1);
    (void)snprintf(user, sizeof(user), "%.*s", (int)(at - text), text);
    int r = target_parse(ret, at + 1, e);
    memcpy(ret->user, user, sizeof(user));
    return r;
}

int port_pair_parse(struct port_pair *ret, const char *text, struct error *e)
{
    const char *slash = strchr(text, '/');
    const char *ports = slash ? slash + 1 : text;
    const char *colon = strchr(ports, ':');
    char local_text[16] = "";
    long long local = 0;
    long long remote = 0;

    *ret = (struct port_pair){ 0 };
    if (slash && strncasecmp(text, "udp/", 4) == 0)
        ret->is_udp = true;
    else if (slash && strncasecmp(text, "tcp/", 4) != 0)
        return error_set(e, ERR_BAD_REQUEST, "port '%s': the protocol is neither tcp nor udp",
                         text);

    size_t local_len = colon ? (size_t)(colon - ports) : strlen(ports);
    if (local_len < sizeof(local_text))
        (void)snprintf(local_text, sizeof(local_text), "%.*s", (int)local_len, ports);
    /* ":80" takes any free port, as kubectl's */
    if (!(colon && local_len == 0) && str_to_int(local_text, colon ? 0 : 1, 65535, &local) < 0)
        return error_set(e, ERR_BAD_REQUEST, "port '%s': the local port is not %d to 65535", text,
                         colon ? 0 : 1);
    remote = local;
    if (colon && str_to_int(colon + 1, 1, 65535, &remote) < 0)
        return error_set(e, ERR_BAD_REQUEST, "port '%s': the remote port is not 1 to 65535", text);
    ret->local = (int)local;
    ret->remote = (int)remote;
    return 0;
}
