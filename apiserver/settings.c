/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/settings.h"

#include "base/scope.h"
#include "base/str.h"

#define AT(member) OPTION_AT(struct settings, member)

static const struct option options[] = {
    { "listen", 0, OPTION_STRING, AT(listen), .dflt = "0.0.0.0", .arg = "ADDRESS",
      .help = "Address to listen on." },
    { "port", 0, OPTION_INT, AT(port), .dflt = "443", .max = 65535, .arg = "N",
      .help = "Port to listen on; 0 picks a free one." },
    { "kubeconfig", 0, OPTION_STRING, AT(kubeconfig), .dflt = "", .arg = "FILE",
      .help = "How to reach the API server, outside of a pod." },
    { "master", 0, OPTION_STRING, AT(master), .dflt = "", .arg = "URL",
      .help = "API server, instead of the kubeconfig's." },
    { "v", 'v', OPTION_INT, AT(verbosity), .dflt = "2", .max = 9, .arg = "N",
      .help = "Verbosity of the log, 0 to 9." },
    { "tls-cert-file", 0, OPTION_STRING, AT(tls_cert_file),
      .dflt = "/etc/virt-api/certificates/tls.crt", .arg = "FILE",
      .help = "Serving certificate; followed when it changes." },
    { "tls-key-file", 0, OPTION_STRING, AT(tls_key_file),
      .dflt = "/etc/virt-api/certificates/tls.key", .arg = "FILE", .help = "Its key." },
    { "handler-cert-file", 0, OPTION_STRING, AT(handler_cert_file),
      .dflt = "/etc/virt-handler/clientcertificates/tls.crt", .arg = "FILE",
      .help = "Client certificate towards virt-handler." },
    { "handler-key-file", 0, OPTION_STRING, AT(handler_key_file),
      .dflt = "/etc/virt-handler/clientcertificates/tls.key", .arg = "FILE", .help = "Its key." },
    { "ca-configmap-name", 0, OPTION_STRING, AT(ca_configmap_name), .dflt = "kubevirt-ca",
      .arg = "NAME", .help = "ConfigMap with the CA bundle (key ca-bundle)." },
    { "console-server-port", 0, OPTION_INT, AT(console_server_port), .dflt = "8186", .min = 1,
      .max = 65535, .arg = "N", .help = "virt-handler's port for consoles and commands." },
    { "externally-managed", 0, OPTION_BOOL, AT(is_externally_managed), .dflt = "false",
      .help = "Certificates come from another installer: common names are not checked." },
    { "threads", 0, OPTION_INT, AT(threads), .dflt = "2", .min = 1, .max = 64, .arg = "N",
      .help = "Event loops that serve requests." },
    { "streams-per-user", 0, OPTION_INT, AT(streams_per_user), .dflt = "512", .max = 1000000,
      .arg = "N",
      .help = "Consoles, screens and forwarded connections that one user may have open; 0: any." },
    { "streams-per-vmi", 0, OPTION_INT, AT(streams_per_vmi), .dflt = "256", .max = 1000000,
      .arg = "N", .help = "And that one machine may have open; 0: any." },
    { "direct-access", 0, OPTION_BOOL, AT(is_direct), .dflt = "true",
      .help =
          "Take bearer tokens (TokenReview) and links, besides what kube-apiserver vouches for." },
    { "allowed-origins", 0, OPTION_STRINGS, AT(allowed_origins), .arg = "URL",
      .help =
          "A site whose pages may use direct access, as https://host[:port]; may be repeated." },
    { "external-url", 0, OPTION_STRING, AT(external_url), .dflt = "", .arg = "URL",
      .help = "How browsers reach this server, for links: https://host[:port]." },
    { "subresources-only", 0, OPTION_IGNORED_BOOL, .help = "" },
    { 0 },
};

const struct option_program settings_program = {
    .name = "virt-api",
    .summary = "Aggregated API server and admission webhooks of virtual machines.",
    .options = options,
};

/* "https://host[:port]" and nothing behind it; http only where a proxy in front ends TLS. */
static int check_site(const char *flag, const char *url, struct error *e)
{
    static const char *const schemes[] = { "https://", "http://" };

    for (size_t i = 0; i < countof(schemes); i++) {
        if (!str_has_prefix(url, schemes[i]))
            continue;
        const char *authority = url + strlen(schemes[i]);

        if (*authority && !strpbrk(authority, "/?#@ \t") && str_is_utf8(authority))
            return 0;
    }
    return error_set(e, ERR_BAD_REQUEST, "--%s: '%s' is not https://host[:port]", flag, url);
}

int settings_check(const struct settings *s, struct error *e)
{
    for (size_t i = 0; i < s->allowed_origins.len; i++) {
        int r = check_site("allowed-origins", s->allowed_origins.item[i], e);

        if (r < 0)
            return r;
    }
    return *s->external_url ? check_site("external-url", s->external_url, e) : 0;
}
