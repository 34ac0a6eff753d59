/* SPDX-License-Identifier: Apache-2.0 */
/* virt-api's command line (spec 08). */
#ifndef APISERVER_SETTINGS_H
#define APISERVER_SETTINGS_H

#include <stdbool.h>

#include "base/options.h"

struct settings {
    const char *listen;
    long long port;
    const char *kubeconfig, *master;
    long long verbosity;
    const char *tls_cert_file, *tls_key_file;
    const char *handler_cert_file, *handler_key_file;
    const char *ca_configmap_name;
    long long console_server_port;
    bool is_externally_managed;
    long long threads;
    bool is_direct; /* bearer tokens and links are taken, besides the front proxy's word */
    struct option_list allowed_origins;
    const char *external_url;                    /* "" or a URL without a slash at the end */
    long long streams_per_user, streams_per_vmi; /* 0: any number */
};

extern const struct option_program settings_program;

/* What the table cannot say of a value; -ERR_BAD_REQUEST names the flag. */
int settings_check(const struct settings *s, struct error *e);

#endif
