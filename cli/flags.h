/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flags of all commands as one struct, so that the global ones parse the same everywhere.
 * Each command's table names its own.  Texts are borrowed from argv; "" is not given, unless said.
 */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <stdbool.h>

#include "base/options.h"

struct wait_flags { /* wait.h */
    bool is_wanted;
    long long timeout_ms;
};

struct credential_flags { /* credentials.c */
    const char *user, *file, *value, *secret, *password;
    bool creates_secret, updates_secret, is_forced;
};

struct create_clone_flags { /* create_clone.c */
    const char *name, *source_name, *source_type, *target_name, *target_type, *new_smbios_serial;
    struct option_list label_filters, annotation_filters;
    struct option_list template_label_filters, template_annotation_filters, new_mac_addresses;
};

struct create_type_flags { /* create_type.c: instancetype and preference */
    const char *name, *memory, *iothreads_policy;
    long long cpu;
    bool is_namespaced;
    struct option_list gpus, host_devices;
    const char *volume_storage_class, *machine_type, *cpu_topology;
};

struct create_vm_flags { /* create_vm.c */
    const char *name, *run_strategy, *memory, *instancetype, *preference;
    long long termination_grace_period_s;
    const char *infers_instancetype, *infers_preference; /* NULL: not given */
    const char *infer_instancetype_from, *infer_preference_from;
    struct option_list containerdisks, pvcs, imports, data_sources, clone_pvcs, blanks;
    struct option_list access_credentials, ssh_keys;
    const char *sysprep;
    const char *user, *password_file, *manages_ssh; /* the last NULL: not given */
    const char *cloud_init, *user_data, *network_data;
};

struct expose_flags { /* expose.c */
    const char *name, *target_port, *protocol, *type, *port_name;
    const char *cluster_ip, *external_ip, *load_balancer_ip, *ip_family, *ip_family_policy;
    long long port;
};

struct graph_flags { /* objectgraph.c */
    bool is_vmi, excludes_optional;
    struct option_list selectors;
};

struct page_flags { /* page.h */
    bool in_browser, opens_nothing, as_link;
    long long duration_ms;
    const char *link_url;
};

struct session_flags { /* session.h */
    bool is_shared, is_observer, takes_over;
};

struct ssh_flags { /* ssh.c: ssh and scp */
    long long port;
    const char *username, *identity_file, *known_hosts, *command;
    struct option_list local_ssh_opts;
    bool is_recursive, preserves;
};

struct verbosity_flags { /* log_verbosity.c; NULL: not given, "": show */
    const char *api, *controller, *handler, *launcher, *operator, * all_of_them;
    bool resets;
};

struct volume_flags { /* volumes.c */
    const char *name, *disk_name, *serial, *cache, *disk_type, *bus;
};

/* Flags of all commands; each command's table names its own. */
struct flags {
    /* global (spec 06, section 1.1) */
    const char *kubeconfig, *context, *cluster, *user, *namespace, *server;
    const char *certificate_authority, *tls_server_name, *proxy_url;
    const char *client_certificate, *client_key, *token, *username, *password;
    const char *as, *as_uid;
    struct option_list as_groups;
    bool is_insecure;
    long long request_timeout_ms;
    long long verbosity;

    /* of commands that share them */
    struct wait_flags wait;
    const char *file, *output; /* -f, -o */
    bool is_dry_run, is_paused, is_forced, is_client_only;
    long long grace_period;
    long long timeout_minutes;
    bool is_proxy_only, keeps_session, is_stdio, launches_nothing;
    const char *address;
    long long port;
    const char *vnc_type, *vnc_path;
    bool moves_cursor;

    /* of one command or a group of them */
    struct credential_flags credentials;
    struct create_clone_flags create_clone;
    struct create_type_flags create_type;
    struct create_vm_flags create_vm;
    struct expose_flags expose;
    struct graph_flags graph;
    struct page_flags page;
    struct session_flags session;
    struct ssh_flags ssh;
    struct verbosity_flags verbosities;
    struct volume_flags volume;
    struct option_list added_node_selector;
    const char *vm;
};

#endif
