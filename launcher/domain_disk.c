// SPDX-License-Identifier: Apache-2.0
/*
 * Disks of a domain (spec 05, sections 3.4 and 3.5): which file stands behind
 * which volume, the guest's bus and name for it, cache, I/O threads.
 */
#include "launcher/domain_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum disk_backing { DISK_FILE, DISK_BLOCK };

/* One disk, read once from the VMI. */
struct disk_spec {
    const json_t *disk;   /* of spec.domain.devices.disks */
    const json_t *volume; /* NULL: an empty CD-ROM drive */
    const char *name, *device, *bus;
    char target[16];
    char *source; /* owned; NULL without a volume */
    enum disk_backing backing;
    const char *format;
    bool is_readonly;
    int unit; /* on the SCSI controller */
};

// clang-format off
/*
 * Volumes that become a file of the pod.  `%d` stands for the volume's kind of
 * directory, so that a path is: directory, volume name, ending.
 */
static const struct volume_kind {
    const char *member; /* of the volume */
    const char *dir, *ending;
    const char *format;
    enum { BELOW_FIXED, BELOW_EPHEMERAL, BELOW_HOTPLUG, BELOW_CLOUD_INIT } below;
    bool is_readonly;
} kinds[] = {
    { "containerDisk",         "/disk-data/",              "/disk.qcow2", "qcow2", BELOW_EPHEMERAL, false },
    { "ephemeral",             "/disk-data/",              "/disk.qcow2", "qcow2", BELOW_EPHEMERAL, false },
    { "emptyDisk",             EMPTY_DISKS_DIR "/",        ".qcow2",      "qcow2", BELOW_FIXED, false },
    { "cloudInitNoCloud",      "/noCloud.iso",             "",            "raw",   BELOW_CLOUD_INIT, false },
    { "cloudInitConfigDrive",  "/configdrive.iso",         "",            "raw",   BELOW_CLOUD_INIT, false },
    { "persistentVolumeClaim", VMI_DISKS_DIR "/",          "/disk.img",   "raw",   BELOW_FIXED, false },
    { "dataVolume",            VMI_DISKS_DIR "/",          "/disk.img",   "raw",   BELOW_FIXED, false },
    { "configMap",             PRIVATE_DIR "/config-map-disks/",   ".iso", "raw",  BELOW_FIXED, false },
    { "secret",                PRIVATE_DIR "/secret-disks/",       ".iso", "raw",  BELOW_FIXED, false },
    { "downwardAPI",           PRIVATE_DIR "/downwardapi-disks/",  ".iso", "raw",  BELOW_FIXED, false },
    { "sysprep",               PRIVATE_DIR "/sysprep-disks/",      ".iso", "raw",  BELOW_FIXED, false },
};
// clang-format on

static const struct volume_kind *volume_kind(const json_t *volume)
{
    for (size_t i = 0; i < countof(kinds); i++)
        if (jpath_obj(volume, kinds[i].member))
            return &kinds[i];
    return NULL;
}

static bool is_hotplugged(const json_t *volume)
{
    return jpath_bool(volume, "persistentVolumeClaim.hotpluggable", false) ||
           jpath_bool(volume, "dataVolume.hotpluggable", false);
}

/* A claim of mode Block is a device of the pod; virt-controller says so in status.volumeStatus. */
static bool is_block(const json_t *volume, const json_t *vmi)
{
    const json_t *status =
        jarr_find(jpath_arr(vmi, "status.volumeStatus"), "name", jpath_str(volume, "name", ""));
    return streq(jpath_str(status, "persistentVolumeClaimInfo.volumeMode", ""), "Block");
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static char *claim_path(const json_t *volume, const json_t *vmi, const struct layout *layout)
{
    const char *name = jpath_str(volume, "name", "");
    bool block = is_block(volume, vmi);

    if (is_hotplugged(volume))
        return must_asprintf("%s/%s%s", layout->hotplug_dir, name, block ? "" : ".img");
    return block ? must_asprintf("/dev/%s", name)
                 : must_asprintf(VMI_DISKS_DIR "/%s/disk.img", name);
}

char *domain_volume_path(const json_t *volume, const json_t *vmi, const struct layout *layout)
{
    const char *name = jpath_str(volume, "name", "");

    if (jpath_obj(volume, "persistentVolumeClaim") || jpath_obj(volume, "dataVolume"))
        return claim_path(volume, vmi, layout);
    if (jpath_obj(volume, "hostDisk"))
        return must_asprintf(VMI_DISKS_DIR "/%s/%s", name,
                             base_name(jpath_str(volume, "hostDisk.path", "disk.img")));
    if (jpath_obj(volume, "serviceAccount"))
        return must_strdup(PRIVATE_DIR "/service-account-disk/service-account.iso");
    if (jpath_obj(volume, "downwardMetrics"))
        return must_strdup(PRIVATE_DIR "/downwardapi-disks/vhostmd0");

    const struct volume_kind *kind = volume_kind(volume);
    if (!kind)
        return NULL;
    if (kind->below == BELOW_CLOUD_INIT)
        return must_asprintf("%s/cloud-init-data/%s/%s%s", layout->ephemeral_dir,
                             meta_namespace(vmi), meta_name(vmi), kind->dir);
    return must_asprintf("%s%s%s%s", kind->below == BELOW_EPHEMERAL ? layout->ephemeral_dir : "",
                         kind->dir, name, kind->ending);
}

/* ---- which disks there are ---- */

static const char *disk_device(const json_t *disk)
{
    if (jpath_obj(disk, "cdrom"))
        return "cdrom";
    return jpath_obj(disk, "lun") ? "lun" : "disk";
}

/* vda .. vdz, vdaa ..: the guest's bus decides the first letter. */
static void name_target(char out[16], const char *bus, unsigned index)
{
    char letters[4];
    size_t n = 0;

    for (unsigned rest = index + 1; rest > 0 && n < sizeof(letters); rest = (rest - 1) / 26)
        letters[n++] = (char)('a' + (rest - 1) % 26);
    size_t len = (size_t)snprintf(out, 16, "%s", streq(bus, "virtio") ? "vd" : "sd");
    while (n > 0)
        out[len++] = letters[--n];
    out[len] = '\0';
}

/* The name that the disk had before, kept in status so that it survives hotplug of others. */
static const char *known_target(const json_t *vmi, const char *name, const char *bus)
{
    const json_t *status = jarr_find(jpath_arr(vmi, "status.volumeStatus"), "name", name);
    const char *target = jpath_str(status, "target", "");

    if (strlen(target) < 3 || strlen(target) > 6)
        return NULL;
    return str_has_prefix(target, streq(bus, "virtio") ? "vd" : "sd") ? target : NULL;
}

static bool is_target_taken(const struct disk_spec *disks, size_t len, const char *target)
{
    for (size_t i = 0; i < len; i++)
        if (streq(disks[i].target, target))
            return true;
    return false;
}

static void disk_name(struct disk_spec *all, size_t i, const json_t *vmi)
{
    struct disk_spec *d = &all[i];
    const char *known = known_target(vmi, d->name, d->bus);

    if (known && !is_target_taken(all, i, known)) {
        (void)snprintf(d->target, sizeof(d->target), "%s", known);
        return;
    }
    unsigned index = 0;
    do
        name_target(d->target, d->bus, index++);
    while (is_target_taken(all, i, d->target));
}

static void disks_done(struct disk_spec *disks, size_t len)
{
    for (size_t i = 0; i < len; i++)
        free(disks[i].source);
}

static void disk_read(struct disk_spec *d, const json_t *disk, const json_t *vmi,
                      const struct layout *layout)
{
    const char *device = disk_device(disk);
    const json_t *how = jpath_obj(disk, device);
    const char *name = jpath_str(disk, "name", "");
    const json_t *volume = jarr_find(jpath_arr(vmi, "spec.volumes"), "name", name);
    const struct volume_kind *kind = volume_kind(volume);
    bool is_cdrom = streq(device, "cdrom");
    bool is_metrics = jpath_obj(volume, "downwardMetrics") != NULL;

    *d = (struct disk_spec){
        .disk = disk,
        .volume = volume,
        .name = name,
        .device = device,
        .bus = jpath_str(how, "bus", "sata"),
        .source = volume ? domain_volume_path(volume, vmi, layout) : NULL,
        .backing = !volume || is_block(volume, vmi) ? DISK_BLOCK : DISK_FILE,
        .format = kind ? kind->format : "raw",
        .is_readonly = is_metrics || jpath_bool(how, "readonly", is_cdrom),
    };
}

/* All disks in the order of the spec, targets and SCSI units given out. */
static int disks_read(struct disk_spec *out, size_t *ret_len, const json_t *vmi,
                      const struct layout *layout, struct error *e)
{
    const json_t *given = jpath_arr(vmi, "spec.domain.devices.disks");
    size_t i;
    json_t *disk;
    int unit = 0;

    *ret_len = 0;
    if (json_array_size(given) > DOMAIN_DISKS_MAX)
        return error_set(e, ERR_INVALID, "spec.domain.devices.disks: more than %d disks",
                         DOMAIN_DISKS_MAX);
    json_array_foreach(given, i, disk) {
        struct disk_spec *d = &out[i];
        disk_read(d, disk, vmi, layout);
        disk_name(out, i, vmi);
        *ret_len = i + 1;
        if (streq(d->bus, "scsi"))
            d->unit = unit++;
        if (!d->volume && !streq(d->device, "cdrom"))
            return error_set(e, ERR_INVALID, "spec.domain.devices.disks: no volume is named \"%s\"",
                             d->name);
        if (d->volume && !d->source)
            return error_set(e, ERR_INVALID, "spec.volumes: the kind of \"%s\" is not supported",
                             d->name);
    }
    return 0;
}

json_t *domain_disk_targets(const json_t *vmi)
{
    scoped(free) struct disk_spec *disks = must_calloc(DOMAIN_DISKS_MAX, sizeof(*disks));
    size_t len;
    struct error ignored;
    struct layout layout = LAYOUT_DEFAULT;
    json_t *out = json_array();

    (void)disks_read(disks, &len, vmi, &layout, &ignored); /* the part that is valid is shown */
    for (size_t i = 0; i < len; i++)
        must_append(out, must_pack("{s:s,s:s}", "name", disks[i].name, "target", disks[i].target));
    disks_done(disks, len);
    return out;
}

/* ---- I/O threads ---- */

struct iothreads {
    int total;  /* 0: none */
    int shared; /* 1..shared are handed out in turn, the rest are dedicated */
    int next_shared, next_dedicated;
};

static struct iothreads iothreads_plan(const struct domain_plan *p)
{
    const char *policy = jpath_str(p->domain, "ioThreadsPolicy", NULL);
    struct iothreads t = { 0 };
    int dedicated = 0;
    int shared = 0;
    size_t i;
    json_t *disk;

    json_array_foreach(jpath_arr(p->devices, "disks"), i, disk) {
        if (jpath_bool(disk, "dedicatedIOThread", false))
            dedicated++;
        else
            shared++;
    }
    if (!policy && dedicated == 0)
        return t;
    if (streq(policy, "supplementalPool")) {
        json_int_t n = jpath_int(p->domain, "ioThreads.supplementalPoolThreadCount", 1);
        t.total = t.shared = n > 0 && n <= DOMAIN_CPUS_MAX ? (int)n : 1;
    } else {
        int limit = streq(policy, "auto") ? 2 * domain_vcpus(p) : 1;
        if (shared + dedicated > limit)
            shared = limit - dedicated > 1 ? limit - dedicated : (shared > 0 ? 1 : 0);
        t.shared = shared;
        t.total = shared + dedicated;
    }
    t.next_dedicated = t.shared;
    return t;
}

/* The thread of the next disk, or 0. */
static int iothread_take(struct iothreads *t, const struct disk_spec *d)
{
    if (t->total == 0 || !streq(d->bus, "virtio"))
        return 0;
    if (jpath_bool(d->disk, "dedicatedIOThread", false) && t->next_dedicated < t->total)
        return ++t->next_dedicated;
    if (t->shared == 0)
        return 0;
    t->next_shared = t->next_shared % t->shared + 1;
    return t->next_shared;
}

int domain_iothreads(struct xml *x, const struct domain_plan *p, struct error *e)
{
    struct iothreads t = iothreads_plan(p);
    char count[16];

    if (t.total == 0)
        return 0;
    (void)snprintf(count, sizeof(count), "%d", t.total);
    xml_leaf(x, "iothreads", count);
    return 0;
}

/* ---- one disk ---- */

static const struct domain_image *disk_image(const struct domain_plan *p, const char *name)
{
    for (size_t i = 0; i < p->facts->images_len; i++)
        if (streq(p->facts->images[i].volume, name))
            return &p->facts->images[i];
    return NULL;
}

static void write_source(struct xml *x, const struct disk_spec *d)
{
    xml_open(x, "source");
    if (d->source)
        xml_attr(x, d->backing == DISK_BLOCK ? "dev" : "file", d->source);
    if (jpath_bool(d->disk, "lun.reservation", false)) {
        xml_open(x, "reservations");
        xml_attr(x, "managed", "no");
        xml_open(x, "source");
        xml_attr(x, "type", "unix");
        xml_attr(x, "path", "/var/run/kubevirt/daemons/pr/pr-helper.sock");
        xml_attr(x, "mode", "client");
        xml_close(x);
        xml_close(x);
    }
    xml_close(x);
}

static void write_driver(struct xml *x, const struct domain_plan *p, const struct disk_spec *d,
                         int iothread)
{
    const struct domain_image *image = disk_image(p, d->name);
    bool is_shareable = jpath_bool(d->disk, "shareable", false);
    const char *cache = jpath_str(d->disk, "cache", NULL);

    if (!cache)
        cache = is_shareable ? "none" : (image ? image->cache : NULL);
    xml_open(x, "driver");
    xml_attr(x, "name", "qemu");
    xml_attr(x, "type", d->format);
    xml_attr(x, "cache", cache);
    xml_attr(x, "io", jpath_str(d->disk, "io", NULL));
    xml_attr(x, "error_policy", jpath_str(d->disk, "errorPolicy", "stop"));
    if (!d->is_readonly)
        xml_attr(x, "discard", "unmap");
    if (jpath_bool(p->devices, "blockMultiQueue", false) && streq(d->bus, "virtio"))
        xml_attrf(x, "queues", "%d", domain_vcpus(p));
    if (iothread > 0)
        xml_attrf(x, "iothread", "%d", iothread);
    xml_close(x);
}

static void write_backing(struct xml *x, const struct domain_image *image)
{
    if (!image || !image->backing)
        return;
    xml_open(x, "backingStore");
    xml_attr(x, "type", str_has_prefix(image->backing, "/dev/") ? "block" : "file");
    xml_with(x, "format", "type", image->backing_format);
    xml_with(x, "source", str_has_prefix(image->backing, "/dev/") ? "dev" : "file", image->backing);
    xml_close(x);
}

static int write_address(struct xml *x, const struct disk_spec *d, struct error *e)
{
    const char *pci = jpath_str(jpath_obj(d->disk, d->device), "pciAddress", NULL);
    unsigned domain, bus, slot, function;

    if (streq(d->bus, "scsi")) {
        xml_open(x, "address");
        xml_attr(x, "type", "drive");
        xml_attr(x, "controller", "0");
        xml_attr(x, "bus", "0");
        xml_attrf(x, "unit", "%d", d->unit);
        xml_close(x);
        return 0;
    }
    if (!pci)
        return 0;
    if (!streq(d->bus, "virtio") ||
        sscanf(pci, "%4x:%2x:%2x.%1x", &domain, &bus, &slot, &function) != 4)
        return error_set(e, ERR_INVALID,
                         "disk \"%s\": pciAddress \"%s\" (wanted: a virtio disk, 0000:00:00.0)",
                         d->name, pci);
    xml_open(x, "address");
    xml_attr(x, "type", "pci");
    xml_attrf(x, "domain", "0x%04x", domain);
    xml_attrf(x, "bus", "0x%02x", bus);
    xml_attrf(x, "slot", "0x%02x", slot);
    xml_attrf(x, "function", "0x%x", function);
    xml_close(x);
    return 0;
}

static void write_block_size(struct xml *x, const struct disk_spec *d)
{
    json_int_t logical = jpath_int(d->disk, "blockSize.custom.logical", 0);
    json_int_t physical = jpath_int(d->disk, "blockSize.custom.physical", 0);

    if (logical <= 0 || physical <= 0)
        return;
    xml_open(x, "blockio");
    xml_attrf(x, "logical_block_size", "%lld", (long long)logical);
    xml_attrf(x, "physical_block_size", "%lld", (long long)physical);
    xml_close(x);
}

static int write_disk(struct xml *x, const struct domain_plan *p, const struct disk_spec *d,
                      int iothread, struct error *e)
{
    xml_open(x, "disk");
    xml_attr(x, "device", d->device);
    xml_attr(x, "type", d->backing == DISK_BLOCK ? "block" : "file");
    if (streq(d->bus, "virtio"))
        xml_attr(x, "model", domain_virtio_model(p));
    write_source(x, d);
    xml_open(x, "target");
    xml_attr(x, "bus", d->bus);
    xml_attr(x, "dev", d->target);
    if (streq(d->device, "cdrom"))
        xml_attr(x, "tray", jpath_str(d->disk, "cdrom.tray", "closed"));
    xml_close(x);
    const char *serial = jpath_str(d->disk, "serial", NULL);
    if (serial)
        xml_leaf(x, "serial", serial);
    write_driver(x, p, d, iothread);
    if (d->is_readonly)
        xml_empty(x, "readonly");
    if (jpath_bool(d->disk, "shareable", false))
        xml_empty(x, "shareable");
    write_backing(x, disk_image(p, d->name));
    write_block_size(x, d);
    scoped(free) char *alias = must_asprintf("ua-%s", d->name);
    xml_with(x, "alias", "name", alias);
    json_int_t order = jpath_int(d->disk, "bootOrder", 0);
    if (order > 0) {
        xml_open(x, "boot");
        xml_attrf(x, "order", "%lld", (long long)order);
        xml_close(x);
    }
    int r = write_address(x, d, e);
    xml_close(x);
    return r;
}

int domain_disks(struct xml *x, const struct domain_plan *p, struct error *e)
{
    scoped(free) struct disk_spec *disks = must_calloc(DOMAIN_DISKS_MAX, sizeof(*disks));
    struct iothreads threads = iothreads_plan(p);
    size_t len;

    int r = disks_read(disks, &len, p->vmi, &p->facts->layout, e);
    for (size_t i = 0; i < len && r >= 0; i++)
        r = write_disk(x, p, &disks[i], iothread_take(&threads, &disks[i]), e);
    disks_done(disks, len);
    return r;
}
