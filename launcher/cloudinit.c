// SPDX-License-Identifier: Apache-2.0
/* cloud-init seeds; see cloudinit.h. */
#include "launcher/cloudinit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "launcher/beneath.h"
#include "launcher/domain.h"
#include "launcher/iso.h"

// clang-format off
static const struct layout_row {
    const char *member, *label;
    const char *meta, *user, *network; /* names in the image */
    const char *propagation;           /* of accessCredentials */
} layouts[] = {
    [CLOUDINIT_NO_CLOUD] = { "cloudInitNoCloud", "cidata",
        "meta-data", "user-data", "network-config", "noCloud" },
    [CLOUDINIT_CONFIG_DRIVE] = { "cloudInitConfigDrive", "config-2",
        "openstack/latest/meta_data.json", "openstack/latest/user_data",
        "openstack/latest/network_data.json", "configDrive" },
};

/* The four ways in which one piece of data may be given. */
static const struct piece {
    const char *plain, *base64, *ref;
    const char *keys[2]; /* file names below the Secret's directory */
} pieces[] = {
    { "userData",    "userDataBase64",    "secretRef",            { "userdata", "userData" } },
    { "networkData", "networkDataBase64", "networkDataSecretRef", { "networkdata", "networkData" } },
};
// clang-format on

int cloudinit_kind(const json_t *volume)
{
    for (size_t i = 0; i < countof(layouts); i++)
        if (jpath_obj(volume, layouts[i].member))
            return (int)i;
    return -1;
}

int read_text(char **ret, const char *path, size_t max, struct error *e)
{
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, "\"%s\": %s", path,
                         strerror(errno));
    scoped_buf text = BUF_INIT(max);
    for (;;) {
        char piece[4096];
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0)
            return error_set(e, ERR_INTERNAL, "\"%s\": %s", path, strerror(errno));
        if (n == 0)
            break;
        if (!buf_add(&text, piece, (size_t)n))
            return error_set(e, ERR_TOO_LARGE, "\"%s\" is longer than %zu bytes", path, max);
    }
    *ret = buf_take(&text);
    return 0;
}

static const char *instance_type(const json_t *vmi)
{
    const char *cluster = meta_annotation(vmi, "kubevirt.io/cluster-instancetype-name");
    return cluster ? cluster : meta_annotation(vmi, "kubevirt.io/instancetype-name");
}

static json_t *numbered(const json_t *keys)
{
    json_t *out = json_object();
    size_t i;
    json_t *key;

    json_array_foreach(keys, i, key) {
        scoped(free) char *number = must_asprintf("%zu", i);
        must_set(out, number, json_incref(key));
    }
    return out;
}

json_t *cloudinit_metadata(enum cloudinit_kind kind, const json_t *vmi, const json_t *keys)
{
    bool is_drive = kind == CLOUDINIT_CONFIG_DRIVE;
    const char *uuid = jpath_str(vmi, "spec.domain.firmware.uuid", meta_uid(vmi));
    const char *hostname = jpath_str(vmi, "spec.hostname", "");
    json_t *out = json_object();

    if (instance_type(vmi))
        jpath_set_str(out, is_drive ? "instance_type" : "instance-type", instance_type(vmi));
    scoped(free) char *id = must_asprintf("%s.%s", meta_name(vmi), meta_namespace(vmi));
    jpath_set_str(out, is_drive ? "instance_id" : "instance-id", is_drive ? id : uuid);
    jpath_set_str(out, is_drive ? "hostname" : "local-hostname",
                  *hostname ? hostname : meta_name(vmi));
    if (is_drive)
        jpath_set_str(out, "uuid", uuid);
    if (json_array_size(keys) > 0)
        must_set(out, is_drive ? "public_keys" : "public-keys", numbered(keys));
    return out;
}

/* One piece of data, or an untouched *ret when it is not given. */
static int read_piece(char **ret, const struct piece *p, const json_t *source, const char *volume,
                      struct error *e)
{
    const char *plain = jpath_str(source, p->plain, NULL);
    const char *base64 = jpath_str(source, p->base64, NULL);

    if (plain && *plain) {
        *ret = must_strdup(plain);
        return 0;
    }
    if (base64 && *base64) {
        size_t len;
        scoped(free) char *bytes = str_unbase64(base64, &len);
        if (!bytes)
            return error_set(e, ERR_INVALID, "volume \"%s\": %s is not base64", volume, p->base64);
        *ret = must_strndup(bytes, len);
        return 0;
    }
    if (!jpath_obj(source, p->ref))
        return 0;
    for (size_t i = 0; i < countof(p->keys); i++) {
        scoped(free) char *path = must_asprintf(SECRET_DIR "/%s/%s", volume, p->keys[i]);
        int r = read_text(ret, path, CLOUDINIT_DATA_MAX, e);
        if (r != -ERR_NOT_FOUND)
            return r;
    }
    return error_set(e, ERR_INVALID, "volume \"%s\": the Secret of %s has no key %s", volume,
                     p->ref, p->keys[0]);
}

static int add_keys_of(json_t *keys, const char *secret, struct error *e)
{
    scoped(free) char *dir = must_asprintf(SECRET_DIR "/%s-access-cred", secret);
    scoped(iso_files_free) struct iso_files *files = must_calloc(1, sizeof(*files));

    int r = iso_files_add_dir(files, dir, e);
    for (size_t i = 0; i < files->len && r >= 0; i++) {
        scoped(free) char *text = NULL;
        r = read_text(&text, files->item[i].path, CLOUDINIT_DATA_MAX, e);
        char *rest = text;
        for (char *line = r < 0 ? NULL : strsep(&rest, "\r\n"); line; line = strsep(&rest, "\r\n"))
            if (*line && *line != '#')
                must_append(keys, json_string(line));
    }
    return r < 0 ? error_wrap(e, "accessCredentials Secret \"%s\"", secret) : 0;
}

static int read_keys(json_t *keys, enum cloudinit_kind kind, const json_t *vmi, struct error *e)
{
    size_t i;
    json_t *credential;

    json_array_foreach(jpath_arr(vmi, "spec.accessCredentials"), i, credential) {
        const char *secret = jpath_str(credential, "sshPublicKey.source.secret.secretName", NULL);
        if (!secret || !jpath_obj(jpath_obj(credential, "sshPublicKey.propagationMethod"),
                                  layouts[kind].propagation))
            continue;
        if (!is_dns_subdomain(secret))
            return error_set(e, ERR_INVALID, "accessCredentials: \"%s\" is no Secret", secret);
        int r = add_keys_of(keys, secret, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_text(const char *dir, const char *name, const char *text, struct iso_files *files,
                      const char *name_in_image, struct error *e)
{
    scoped(free) char *path = must_asprintf("%s/%s", dir, name);
    scoped_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len)
        return error_set(e, ERR_INTERNAL, "write \"%s\": %s", path, strerror(errno));
    return iso_files_add(files, name_in_image, path, e);
}

int cloudinit_write(struct reaper *reaper, const json_t *volume, const json_t *vmi,
                    const struct layout *layout, struct error *e)
{
    enum cloudinit_kind kind = (enum cloudinit_kind)cloudinit_kind(volume);
    const struct layout_row *row = &layouts[kind];
    const char *name = jpath_str(volume, "name", "");
    const json_t *source = jpath_obj(volume, row->member);
    scoped(free) char *user = NULL;
    scoped(free) char *network = NULL;
    json_auto_t *keys = json_array();

    int r = read_piece(&user, &pieces[0], source, name, e);
    if (r >= 0)
        r = read_piece(&network, &pieces[1], source, name, e);
    if (r >= 0)
        r = read_keys(keys, kind, vmi, e);
    if (r >= 0 && !user && !network)
        r = error_set(e, ERR_INVALID, "volume \"%s\": neither userData nor networkData", name);
    if (r < 0)
        return r;

    json_auto_t *meta = cloudinit_metadata(kind, vmi, keys);
    scoped(free) char *meta_text = must_dumps(meta, JSON_COMPACT);
    scoped(free) char *out = domain_volume_path(volume, vmi, layout);
    scoped(free) char *dir = must_asprintf("%s.d", out);
    scoped(iso_files_free) struct iso_files *files = must_calloc(1, sizeof(*files));
    r = make_dirs(dir, e);
    if (r >= 0)
        r = write_text(dir, "meta", meta_text, files, row->meta, e);
    if (r >= 0)
        r = write_text(dir, "user", user ? user : "", files, row->user, e);
    if (r >= 0 && network)
        r = write_text(dir, "network", network, files, row->network, e);
    return r < 0 ? r : iso_make(reaper, out, row->label, files, e);
}
