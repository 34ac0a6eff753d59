/* SPDX-License-Identifier: Apache-2.0 */
/* The pod's volumes and where the launcher finds them. */
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/render_parts.h"

#define PRIVATE_DIR "/var/run/kubevirt-private"

static void add_volume(struct pod_volumes *out, const char *name, const char *source, json_t *v)
{
    must_append(out->volumes, must_pack("{s:s, s:o}", "name", name, source, v));
}

static json_t *mount_at(const char *name, const char *path)
{
    return must_pack("{s:s, s:s}", "name", name, "mountPath", path);
}

static void add_mount(struct pod_volumes *out, const char *name, const char *path)
{
    must_append(out->mounts, mount_at(name, path));
}

static void add_mount_ro(struct pod_volumes *out, const char *name, const char *path)
{
    json_t *mount = mount_at(name, path);
    must_set(mount, "readOnly", json_true());
    must_append(out->mounts, mount);
}

/* ---- what every launcher has ---- */

static void add_base(struct pod_volumes *out, const struct settings *s)
{
    const struct {
        const char *volume, *mount;
    } rows[] = {
        { "private", PRIVATE_DIR },
        { "public", s->share_dir },
        { "ephemeral-disks", s->ephemeral_disk_dir },
        { "libvirt-runtime", "/var/run/libvirt" },
        { "sockets", NULL },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        add_volume(out, rows[i].volume, "emptyDir", json_object());
        if (rows[i].mount)
            add_mount(out, rows[i].volume, rows[i].mount);
    }
    scoped(free) char *sockets = must_asprintf("%s/sockets", s->share_dir);
    add_mount(out, "sockets", sockets);
}

static void add_hotplug(struct pod_volumes *out, const struct pod_request *q)
{
    if (jpath_bool(q->vmi, "spec.domain.devices.disableHotplug", false))
        return;
    add_volume(out, "hotplug-disks", "emptyDir", json_object());
    json_t *mount = mount_at("hotplug-disks", q->settings->hotplug_disk_dir);
    must_set(mount, "mountPropagation", json_string("HostToContainer"));
    must_append(out->mounts, mount);
}

static void add_hugepages(struct pod_volumes *out, const json_t *vmi)
{
    if (!jpath_has(vmi, "spec.domain.memory.hugepages"))
        return;
    static const char *const rows[][2] = { { "hugepages", "/dev/hugepages" },
                                           { "hugetblfs-dir", "/dev/hugepages/libvirt/qemu" } };
    for (size_t i = 0; i < countof(rows); i++) {
        add_volume(out, rows[i][0], "emptyDir", must_pack("{s:s}", "medium", "HugePages"));
        add_mount(out, rows[i][0], rows[i][1]);
    }
}

/* An image as a read-only volume; the kubelet pulls it, nothing of it runs. */
static void add_image(struct pod_volumes *out, const struct pod_request *q, const char *name,
                      const json_t *source, const char *path)
{
    const char *policy = jpath_str(source, "imagePullPolicy", "");
    json_t *image = must_pack("{s:s, s:s}", "reference", jpath_str(source, "image", ""),
                              "pullPolicy", policy[0] ? policy : q->config->image_pull_policy);
    add_volume(out, name, "image", image);
    add_mount_ro(out, name, path);
}

static void add_kernel_boot(struct pod_volumes *out, const struct pod_request *q)
{
    const json_t *container = jpath_obj(q->vmi, "spec.domain.firmware.kernelBoot.container");
    if (container)
        add_image(out, q, "kernel-boot-volume", container, "/var/run/kubevirt-kernel-boot");
}

/* ---- one function a volume source ---- */

struct volume_spec {
    const struct pod_request *q;
    const char *name;
    const json_t *source; /* what stands under the source's key */
    size_t index;         /* in spec.volumes */
    bool has_disk;        /* a disk of the guest uses it */
};

typedef int volume_fn(struct pod_volumes *out, const struct volume_spec *v, struct error *e);

static int add_claim(struct pod_volumes *out, const struct volume_spec *v, const char *claim,
                     bool is_read_only, struct error *e)
{
    const json_t *pvc = json_object_get(v->q->pvcs, claim);
    if (!pvc)
        return error_set(e, ERR_NOT_FOUND, "no PVC \"%s\" found for volume \"%s\"", claim, v->name);

    json_t *source = must_pack("{s:s}", "claimName", claim);
    if (is_read_only)
        must_set(source, "readOnly", json_true());
    add_volume(out, v->name, "persistentVolumeClaim", source);

    if (streq(jpath_str(pvc, "spec.volumeMode", ""), "Block")) {
        scoped(free) char *device = must_asprintf("/dev/%s", v->name);
        must_append(out->devices, must_pack("{s:s, s:s}", "name", v->name, "devicePath", device));
        return 0;
    }
    scoped(free) char *path = must_asprintf(PRIVATE_DIR "/vmi-disks/%s", v->name);
    add_mount(out, v->name, path);
    return 0;
}

static int add_pvc(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    if (jpath_bool(v->source, "hotpluggable", false))
        return 0; /* comes by an attachment pod */
    return add_claim(out, v, jpath_str(v->source, "claimName", ""),
                     jpath_bool(v->source, "readOnly", false), e);
}

static int add_data_volume(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    if (jpath_bool(v->source, "hotpluggable", false))
        return 0;
    return add_claim(out, v, jpath_str(v->source, "name", ""), false, e);
}

static int add_ephemeral(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    const json_t *claim = jpath_obj(v->source, "persistentVolumeClaim");
    return add_claim(out, v, jpath_str(claim, "claimName", ""),
                     jpath_bool(claim, "readOnly", false), e);
}

static int add_container_disk(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    scoped(free) char *path = must_asprintf("/var/run/kubevirt-image-volume/disk_%zu", v->index);
    add_image(out, v->q, v->name, v->source, path);
    return 0;
}

static int add_host_disk(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    const char *file = jpath_str(v->source, "path", "");
    const char *slash = strrchr(file, '/');
    if (file[0] != '/' || strstr(file, "/../"))
        return error_set(e, ERR_INVALID, "volume \"%s\": hostDisk.path must be absolute", v->name);

    scoped(free) char *folder = must_strndup(file, slash == file ? 1 : (size_t)(slash - file));
    bool may_make = streq(jpath_str(v->source, "type", ""), "DiskOrCreate");
    add_volume(out, v->name, "hostPath",
               must_pack("{s:s, s:s}", "path", folder, "type",
                         may_make ? "DirectoryOrCreate" : "Directory"));
    scoped(free) char *path = must_asprintf(PRIVATE_DIR "/vmi-disks/%s", v->name);
    add_mount(out, v->name, path);
    return 0;
}

/* configMap, secret and downwardAPI are laid out as files only for a disk made of them. */
static void add_files(struct pod_volumes *out, const struct volume_spec *v, const char *source,
                      json_t *content, const char *folder)
{
    add_volume(out, v->name, source, content);
    scoped(free) char *path = must_asprintf(PRIVATE_DIR "/%s/%s", folder, v->name);
    add_mount_ro(out, v->name, path);
}

static json_t *without_label(const json_t *source)
{
    json_t *copy = must_copy(source);
    json_object_del(copy, "volumeLabel");
    return copy;
}

static int add_config_map(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    if (v->has_disk)
        add_files(out, v, "configMap", without_label(v->source), "config-map");
    return 0;
}

static int add_secret(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    if (v->has_disk)
        add_files(out, v, "secret", without_label(v->source), "secret");
    return 0;
}

static int add_downward_api(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    if (!v->has_disk)
        return 0;
    json_t *items = json_object_get(v->source, "fields");
    add_files(out, v, "downwardAPI",
              must_pack("{s:o}", "items", items ? must_copy(items) : json_array()), "downwardapi");
    return 0;
}

static int add_sysprep(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    const json_t *map = jpath_obj(v->source, "configMap");
    const json_t *secret = jpath_obj(v->source, "secret");
    if (map)
        add_files(out, v, "configMap", must_copy(map), "sysprep");
    else if (secret)
        add_files(out, v, "secret", must_pack("{s:s}", "secretName", jpath_str(secret, "name", "")),
                  "sysprep");
    return 0;
}

/* Secrets may spell their key in either case; a subPath that is absent mounts an empty folder. */
static void add_cloud_init_secret(struct pod_volumes *out, const struct volume_spec *v,
                                  const char *ref, const char *suffix, const char *const keys[2])
{
    const char *secret = jpath_str(jpath_obj(v->source, ref), "name", "");
    if (!secret[0])
        return;
    scoped(free) char *volume = must_asprintf("%s-%s", v->name, suffix);
    add_volume(out, volume, "secret", must_pack("{s:s}", "secretName", secret));
    for (size_t i = 0; i < 2; i++) {
        scoped(free) char *path = must_asprintf(PRIVATE_DIR "/secret/%s/%s", v->name, keys[i]);
        json_t *mount = mount_at(volume, path);
        must_set(mount, "subPath", json_string(keys[i]));
        must_set(mount, "readOnly", json_true());
        must_append(out->mounts, mount);
    }
}

static int add_cloud_init(struct pod_volumes *out, const struct volume_spec *v, struct error *e)
{
    static const char *const user[2] = { "userdata", "userData" };
    static const char *const network[2] = { "networkdata", "networkData" };
    add_cloud_init_secret(out, v, "secretRef", "udata", user);
    add_cloud_init_secret(out, v, "networkDataSecretRef", "ndata", network);
    return 0;
}

static int add_downward_metrics(struct pod_volumes *out, const struct volume_spec *v,
                                struct error *e)
{
    add_volume(out, v->name, "emptyDir",
               must_pack("{s:s, s:s}", "medium", "Memory", "sizeLimit", "1Mi"));
    add_mount(out, v->name, PRIVATE_DIR "/downwardmetric-disk");
    return 0;
}

/* Sources without a row need no volume of the pod (emptyDisk, serviceAccount, memoryDump). */
static const struct {
    const char *source;
    volume_fn *add;
} sources[] = {
    { "containerDisk", add_container_disk },
    { "persistentVolumeClaim", add_pvc },
    { "dataVolume", add_data_volume },
    { "ephemeral", add_ephemeral },
    { "hostDisk", add_host_disk },
    { "configMap", add_config_map },
    { "secret", add_secret },
    { "downwardAPI", add_downward_api },
    { "sysprep", add_sysprep },
    { "cloudInitNoCloud", add_cloud_init },
    { "cloudInitConfigDrive", add_cloud_init },
    { "downwardMetrics", add_downward_metrics },
};

static int add_of_vmi(struct pod_volumes *out, const struct pod_request *q, struct error *e)
{
    const json_t *disks = jpath_arr(q->vmi, "spec.domain.devices.disks");
    size_t index;
    json_t *volume;

    json_array_foreach(jpath_arr(q->vmi, "spec.volumes"), index, volume) {
        const char *name = jpath_str(volume, "name", "");
        for (size_t i = 0; i < countof(sources); i++) {
            const json_t *source = jpath_obj(volume, sources[i].source);
            if (!source)
                continue;
            struct volume_spec v = { q, name, source, index, jarr_find(disks, "name", name) };
            int r = sources[i].add(out, &v, e);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static void add_access_credentials(struct pod_volumes *out, const json_t *vmi)
{
    size_t i;
    json_t *credential;
    json_array_foreach(jpath_arr(vmi, "spec.accessCredentials"), i, credential) {
        const char *secret = jpath_str(credential, "sshPublicKey.source.secret.secretName", "");
        if (!secret[0])
            secret = jpath_str(credential, "userPassword.source.secret.secretName", "");
        scoped(free) char *volume = must_asprintf("%s-access-cred", secret);
        if (!secret[0] || jarr_find(out->volumes, "name", volume))
            continue;
        add_volume(out, volume, "secret", must_pack("{s:s}", "secretName", secret));
        scoped(free) char *path = must_asprintf(PRIVATE_DIR "/secret/%s", volume);
        add_mount_ro(out, volume, path);
    }
}

int render_volumes(struct pod_volumes *out, const struct pod_request *q, struct error *e)
{
    add_base(out, q->settings);
    add_kernel_boot(out, q);
    int r = add_of_vmi(out, q, e);
    if (r < 0)
        return r;
    add_access_credentials(out, q->vmi);
    add_hugepages(out, q->vmi);
    add_hotplug(out, q);
    return 0;
}

/* ---- beside the volumes ---- */

static void add_pull_secret(json_t *list, const char *name)
{
    if (name[0] && !jarr_find(list, "name", name))
        must_append(list, must_pack("{s:s}", "name", name));
}

json_t *render_pull_secrets(const struct pod_request *q)
{
    json_t *list = json_array();
    size_t i;
    json_t *item;

    json_array_foreach(jpath_arr(q->vmi, "spec.volumes"), i, item) {
        add_pull_secret(list, jpath_str(item, "containerDisk.imagePullSecret", ""));
    }
    add_pull_secret(
        list, jpath_str(q->vmi, "spec.domain.firmware.kernelBoot.container.imagePullSecret", ""));
    json_array_foreach(jpath_arr(q->config->spec, "imagePullSecrets"), i, item) {
        add_pull_secret(list, jpath_str(item, "name", ""));
    }
    add_pull_secret(list, q->settings->image_pull_secret);
    return list;
}

const char *vmi_service_account(const json_t *vmi)
{
    size_t i;
    json_t *volume;
    json_array_foreach(jpath_arr(vmi, "spec.volumes"), i, volume) {
        const char *name = jpath_str(volume, "serviceAccount.serviceAccountName", NULL);
        if (name)
            return name;
    }
    return NULL;
}
