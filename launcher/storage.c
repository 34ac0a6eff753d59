// SPDX-License-Identifier: Apache-2.0
/* Disks before the start; see storage.h. */
#include "launcher/storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"
#include "launcher/beneath.h"
#include "launcher/cloudinit.h"
#include "launcher/image.h"
#include "launcher/iso.h"

enum { TOOL_TIMEOUT_MS = 60 * 1000, MIB = 1024 * 1024 };

/* One volume on its way to a disk. */
struct volume_job {
    const struct storage *s;
    const json_t *vmi, *volume;
    const char *name;
    size_t index; /* in spec.volumes */
    char *path;   /* of the guest's disk; borrowed like the rest */
    struct domain_image *image;
};

typedef int prepare_fn(struct volume_job *j, struct error *e);

void storage_facts_free(struct storage_facts *f)
{
    for (size_t i = 0; i < f->images_len; i++) {
        free((char *)f->images[i].volume);
        free((char *)f->images[i].backing);
    }
    free(f->kernel);
    free(f->initrd);
    free(f);
}

/* Images come from strangers, so qemu-img gets no more memory than it is told. */
static int qemu_img(const struct storage *s, const char *const args[], struct error *e)
{
    char limit[48];
    const char *argv[16] = { "/usr/bin/prlimit", limit, "/usr/bin/qemu-img" };
    size_t n = 3;

    (void)snprintf(limit, sizeof(limit), "--as=%lld", s->tool_memory_bytes);
    for (size_t i = 0; args[i]; i++) {
        must(n + 1 < countof(argv));
        argv[n++] = args[i];
    }
    return reaper_run(s->reaper, s->tool_memory_bytes > 0 ? argv : argv + 2, TOOL_TIMEOUT_MS, e);
}

static int make_parent(const char *path, struct error *e)
{
    scoped(free) char *dir = must_strdup(path);
    *strrchr(dir, '/') = '\0';
    return make_dirs(dir, e);
}

static int make_overlay(struct volume_job *j, const char *backing, const char *format,
                        struct error *e)
{
    const char *const args[] = { "create", "-q", "-f",    "qcow2", "-F",
                                 format,   "-b", backing, j->path, NULL };

    int r = make_parent(j->path, e);
    if (r >= 0)
        r = qemu_img(j->s, args, e);
    if (r < 0)
        return r;
    j->image->backing = must_strdup(backing);
    j->image->backing_format = format;
    return 0;
}

/* The disk inside the image of a containerDisk: where it is told to be, else the only file of
 * /disk. */
static int open_container_disk(struct volume_job *j, char **ret_path, struct error *e)
{
    const char *wanted = jpath_str(j->volume, "containerDisk.path", "");

    if (!j->s->has_image_volumes) {
        scoped(free) char *file = must_asprintf("disk_%zu.img", j->index);
        return beneath_open(j->s->layout.container_disk_dir, file, ret_path, e);
    }
    scoped(free) char *root = must_asprintf(IMAGE_VOLUME_DIR "/disk_%zu", j->index);
    return *wanted ? beneath_open(root, wanted, ret_path, e)
                   : beneath_open_only(root, "disk", ret_path, e);
}

static int prepare_container_disk(struct volume_job *j, struct error *e)
{
    struct image_info info;
    scoped(free) char *path = NULL;
    scoped_fd int fd = open_container_disk(j, &path, e);

    if (fd < 0)
        return fd;
    int r = image_probe_fd(&info, fd, e);
    return r < 0 ? r : make_overlay(j, path, info.format, e);
}

static int prepare_ephemeral(struct volume_job *j, struct error *e)
{
    scoped(free) char *file = must_asprintf(VMI_DISKS_DIR "/%s/disk.img", j->name);
    scoped(free) char *device = must_asprintf("/dev/%s", j->name);

    return make_overlay(j, access(file, R_OK) == 0 ? file : device, "raw", e);
}

static int prepare_empty_disk(struct volume_job *j, struct error *e)
{
    struct quantity capacity;
    char size[32];

    if (quantity_from_json(jpath(j->volume, "emptyDisk.capacity"), &capacity) < 0 ||
        quantity_value(capacity) < MIB)
        return error_set(e, ERR_INVALID, "emptyDisk.capacity is not an amount of at least 1Mi");
    if (access(j->path, F_OK) == 0)
        return 0;
    (void)snprintf(size, sizeof(size), "%lld", (long long)(quantity_value(capacity) / MIB * MIB));
    const char *const args[] = { "create", "-q", "-f", "qcow2", j->path, size, NULL };
    int r = make_parent(j->path, e);
    return r < 0 ? r : qemu_img(j->s, args, e);
}

static int prepare_cloud_init(struct volume_job *j, struct error *e)
{
    return cloudinit_write(j->s->reaper, j->volume, j->vmi, &j->s->layout, e);
}

/* ---- ISO images of mounted directories ---- */

// clang-format off
static const struct iso_source {
    const char *member, *dir, *label;
    bool has_own_dir; /* dir/VOLUME */
} iso_sources[] = {
    { "configMap",      PRIVATE_DIR "/config-map",   "cfgdata",     true },
    { "secret",         SECRET_DIR,                  "cfgdata",     true },
    { "downwardAPI",    PRIVATE_DIR "/downwardapi",  "cfgdata",     true },
    { "sysprep",        PRIVATE_DIR "/sysprep",      "unattendCD",  true },
    { "serviceAccount", "/var/run/secrets/kubernetes.io/serviceaccount", "cfgdata", false },
};
// clang-format on

static bool has_answer_file(const struct iso_files *files)
{
    for (size_t i = 0; i < files->len; i++)
        if (strcasecmp(files->item[i].name, "autounattend.xml") == 0 ||
            strcasecmp(files->item[i].name, "unattend.xml") == 0)
            return true;
    return false;
}

static int prepare_iso(struct volume_job *j, struct error *e)
{
    const struct iso_source *source = NULL;

    for (size_t i = 0; i < countof(iso_sources); i++)
        if (jpath_obj(j->volume, iso_sources[i].member))
            source = &iso_sources[i];
    must(source != NULL);
    const char *label =
        jpath_str(jpath_obj(j->volume, source->member), "volumeLabel", source->label);
    scoped(free) char *dir = source->has_own_dir ? must_asprintf("%s/%s", source->dir, j->name)
                                                 : must_strdup(source->dir);
    scoped(iso_files_free) struct iso_files *files = must_calloc(1, sizeof(*files));

    int r = iso_files_add_dir(files, dir, e);
    if (r < 0)
        return r;
    if (streq(source->member, "sysprep") && !has_answer_file(files))
        return error_set(e, ERR_INVALID, "sysprep needs autounattend.xml or unattend.xml");
    return iso_make(j->s->reaper, j->path, label, files, e);
}

static const struct preparation {
    const char *member; /* of the volume */
    prepare_fn *prepare;
} preparations[] = {
    { "containerDisk", prepare_container_disk },
    { "ephemeral", prepare_ephemeral },
    { "emptyDisk", prepare_empty_disk },
    { "cloudInitNoCloud", prepare_cloud_init },
    { "configMap", prepare_iso },
    { "cloudInitConfigDrive", prepare_cloud_init },
    { "secret", prepare_iso },
    { "downwardAPI", prepare_iso },
    { "sysprep", prepare_iso },
    { "serviceAccount", prepare_iso },
};

static int prepare_volume(struct volume_job *j, struct error *e)
{
    for (size_t i = 0; i < countof(preparations); i++) {
        if (!jpath_obj(j->volume, preparations[i].member))
            continue;
        int r = preparations[i].prepare(j, e);
        if (r < 0)
            return error_wrap(e, "volume \"%s\"", j->name);
    }
    /* Without O_DIRECT a guest's flush must reach the disk another way. */
    if (access(j->path, F_OK) == 0)
        j->image->cache = image_can_be_direct(j->path) ? "none" : "writethrough";
    return 0;
}

static int prepare_kernel(const json_t *vmi, struct storage_facts *f, struct error *e)
{
    const json_t *container = jpath_obj(vmi, "spec.domain.firmware.kernelBoot.container");
    const char *kernel = jpath_str(container, "kernelPath", "");
    const char *initrd = jpath_str(container, "initrdPath", "");

    if (*kernel) {
        scoped_fd int fd = beneath_open(KERNEL_BOOT_DIR, kernel, &f->kernel, e);
        if (fd < 0)
            return error_wrap(e, "kernelBoot.container.kernelPath");
    }
    if (*initrd) {
        scoped_fd int fd = beneath_open(KERNEL_BOOT_DIR, initrd, &f->initrd, e);
        if (fd < 0)
            return error_wrap(e, "kernelBoot.container.initrdPath");
    }
    return 0;
}

int storage_prepare(const struct storage *s, const json_t *vmi, struct storage_facts *f,
                    struct error *e)
{
    const json_t *disks = jpath_arr(vmi, "spec.domain.devices.disks");
    size_t i;
    json_t *volume;

    json_array_foreach(jpath_arr(vmi, "spec.volumes"), i, volume) {
        const char *name = jpath_str(volume, "name", "");
        if (!jarr_find(disks, "name", name))
            continue;
        if (!is_dns_label(name) || f->images_len == DOMAIN_DISKS_MAX)
            return error_set(e, ERR_INVALID, "spec.volumes[%zu]: name \"%s\" or number", i, name);
        struct domain_image *image = &f->images[f->images_len++];
        *image = (struct domain_image){ .volume = must_strdup(name) };
        scoped(free) char *path = domain_volume_path(volume, vmi, &s->layout);
        if (!path)
            continue; /* the domain writer says which kind is not known */
        struct volume_job j = { s, vmi, volume, name, i, path, image };
        int r = prepare_volume(&j, e);
        if (r < 0)
            return r;
    }
    return prepare_kernel(vmi, f, e);
}
