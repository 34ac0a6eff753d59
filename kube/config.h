/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How to reach an API server and as whom: the service account's files inside a
 * pod (token re-read as it rotates), or a kubeconfig (merged $KUBECONFIG list,
 * contexts, certificate and key data or files, token files, basic, exec plugins).
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "base/error.h"
#include "http/client.h"

/* Overrides as kubectl's global flags give them; NULL or "" is not set. */
struct kube_config_request {
    const char *kubeconfig; /* one explicit file */
    const char *master;     /* server override */
    const char *context, *cluster, *user, *namespace;
    const char *certificate_authority, *client_certificate, *client_key, *token, *username,
        *password;
    const char *tls_server_name, *proxy_url;
    const char *as, *as_uid;
    const char *const *as_groups; /* NULL-terminated or NULL */
    bool is_insecure;
    const char *user_agent;
    bool
        must_be_explicit; /* daemons: kubeconfig/master given, else in-cluster; no ~/.kube/config */
    const char *service_account_dir; /* NULL: where kubelet mounts it */
};

enum {
    KUBECONFIG_FILE_MAX = 4 * 1024 * 1024,
    KUBE_TOKEN_MAX = 256 * 1024,
    EXEC_PLUGIN_OUTPUT_MAX = 1024 * 1024,
    EXEC_PLUGIN_TIMEOUT_MS = 60 * 1000,
};

struct kube_config;

int kube_config_load(struct kube_config **ret, const struct kube_config_request *q,
                     struct error *e);
void kube_config_free(struct kube_config *c);

const char *kube_config_server(const struct kube_config *c); /* URL */
const char *kube_config_namespace(
    const struct kube_config *c); /* of the context or service account; "default" when unset */
/* The same, NULL when neither a flag, the context nor the service account names one. */
const char *kube_config_namespace_set(const struct kube_config *c);
bool kube_config_is_in_cluster(const struct kube_config *c);

/* A client for it; impersonation headers and credentials are built in.  Credentials refresh
 * themselves. */
struct http_client *kube_config_client(struct kube_config *c);

/*
 * Bring the credentials up to date: the token file (when it changed, at least once a minute), the
 * exec plugin (when expired).  The kube_* calls do it themselves; here the plugin's own error can
 * be seen.
 */
int kube_config_refresh(struct kube_config *c, struct error *e);
/* The server refused them (401): the next refresh reads anew.  True when that may change anything.
 */
bool kube_config_distrust(struct kube_config *c);

/*
 * For speakers of their own protocol (the CLI's websocket): server URL, CA PEM, client pair PEM,
 * and the Authorization value, each new or NULL; impersonation headers appended to *headers.
 */
struct kube_credentials {
    char *server, *ca_pem, *cert_pem, *key_pem, *authorization, *tls_server_name, *proxy_url;
    bool is_insecure;
    struct http_headers headers;
};
int kube_config_credentials(struct kube_config *c, struct kube_credentials *ret, struct error *e);
void kube_credentials_done(struct kube_credentials *k);

#endif
