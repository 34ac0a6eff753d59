/* SPDX-License-Identifier: Apache-2.0 */
/* addvolume, removevolume: disks of a running machine (spec 06, section 3.2). */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "kube/client.h"

enum {
    NAME_MAX_LEN = 63,
    TRIES_MAX = 15, /* while the server answers 422 without saying why: somebody else was first */
    TRY_STEP_MS = 4,
};

/* What the client says of a 422 without a Status. */
static const char not_given[] = "server answered 422";

#define VOLUME_NAME_FLAG                                                                          \
    {                                                                                             \
        "volume-name", 0, OPTION_STRING, FLAG(volume.name),                                       \
            .dflt = "", .arg = "NAME", .help = "Name of the DataVolume or PersistentVolumeClaim." \
    }

const struct option addvolume_flags[] = {
    VOLUME_NAME_FLAG,
    { "disk-name", 0, OPTION_STRING, FLAG(volume.disk_name), .dflt = "", .arg = "NAME",
      .help = "Name of the disk; that of the volume when not given." },
    { "serial", 0, OPTION_STRING, FLAG(volume.serial), .dflt = "", .arg = "TEXT",
      .help = "Serial number that the guest sees; the disk's name when not given." },
    { "cache", 0, OPTION_WORD, FLAG(volume.cache), .dflt = "", .arg = "none|writethrough|writeback",
      .help = "Cache mode of the disk." },
    { "disk-type", 0, OPTION_WORD, FLAG(volume.disk_type), .dflt = "disk", .arg = "disk|lun",
      .help = "How the guest sees the volume." },
    { "bus", 0, OPTION_WORD, FLAG(volume.bus), .dflt = "scsi", .arg = "scsi|virtio",
      .help = "Bus of the disk; a lun takes scsi only." },
    DRY_RUN_FLAG,
    { "persist", 0, OPTION_IGNORED_BOOL, .help = "Hotplugged volumes are persistent." },
    { 0 },
};

const struct option removevolume_flags[] = {
    VOLUME_NAME_FLAG,
    DRY_RUN_FLAG,
    { "persist", 0, OPTION_IGNORED_BOOL, .help = "Hotplugged volumes are persistent." },
    { 0 },
};

/* The VM, or the instance where there is no VM. */
static int put_once(struct cli *c, const char *name, const char *sub, const json_t *body,
                    struct error *e)
{
    int r = cli_put(c, "virtualmachines", name, sub, body, e);

    return r == -ERR_NOT_FOUND ? cli_put(c, "virtualmachineinstances", name, sub, body, e) : r;
}

static int put(struct cli *c, const char *name, const char *sub, const json_t *body,
               struct error *e)
{
    for (int i = 0;; i++) {
        unsigned char chance;
        int r = put_once(c, name, sub, body, e);

        if (r != -ERR_INVALID || i == TRIES_MAX || !strstr(e->msg, not_given))
            return r;
        random_bytes(&chance, 1);
        (void)poll(NULL, 0, i * (chance % TRY_STEP_MS));
    }
}

/* {"dataVolume": ...} or {"persistentVolumeClaim": ...}, whichever exists. */
static int volume_source(struct cli *c, const char *name, json_t **ret, struct error *e)
{
    int r = kube_get(c->kube, &KIND_DATA_VOLUME, c->namespace, name, NULL, e);

    if (r == 0) {
        *ret = must_pack("{s:{s:s, s:b}}", "dataVolume", "name", name, "hotpluggable", 1);
        return 0;
    }
    if (r != -ERR_NOT_FOUND)
        return r;
    r = kube_get(c->kube, &KIND_PVC, c->namespace, name, NULL, e);
    if (r == 0)
        *ret = must_pack("{s:{s:s, s:b}}", "persistentVolumeClaim", "claimName", name,
                         "hotpluggable", 1);
    if (r == -ERR_NOT_FOUND)
        return error_set(e, ERR_NOT_FOUND, "Volume %s is not a DataVolume or PersistentVolumeClaim",
                         name);
    return r;
}

static json_t *make_disk(const struct volume_flags *f)
{
    const char *disk_name = *f->disk_name ? f->disk_name : f->name;
    json_t *disk = must_pack("{s:s, s:{s:s}, s:s}", "name", disk_name, f->disk_type, "bus", f->bus,
                             "serial", *f->serial ? f->serial : disk_name);

    if (*f->cache)
        must_set(disk, "cache", must_pack("s", f->cache));
    return disk;
}

static int check(const struct volume_flags *f, struct error *e)
{
    const char *disk_name = *f->disk_name ? f->disk_name : f->name;

    if (!*f->name)
        return error_set(e, ERR_BAD_REQUEST, "required flag(s) \"volume-name\" not set");
    if (strlen(disk_name) > NAME_MAX_LEN)
        return error_set(e, ERR_BAD_REQUEST, "--disk-name: \"%s\" is longer than %d characters",
                         disk_name, NAME_MAX_LEN);
    if (streq(f->disk_type, "lun") && !streq(f->bus, "scsi"))
        return error_set(e, ERR_BAD_REQUEST, "--bus: a lun takes scsi only");
    return 0;
}

int run_addvolume(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct volume_flags *f = &c->flags.volume;
    const char *name = args->item[0];
    json_auto_t *source = NULL;

    if (check(f, e) < 0)
        return -(int)e->code;
    if (volume_source(c, f->name, &source, e) < 0)
        return error_wrap(e, "error adding volume");

    json_auto_t *body = cli_options(c);
    must_set(body, "name", must_pack("s", *f->disk_name ? f->disk_name : f->name));
    must_set(body, "disk", make_disk(f));
    must_set(body, "volumeSource", json_incref(source));
    if (put(c, name, "addvolume", body, e) < 0)
        return cli_prefix(e, "error adding volume, ");
    (void)printf("Successfully submitted add volume request to VM %s for volume %s\n", name,
                 f->name);
    return 0;
}

int run_removevolume(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct volume_flags *f = &c->flags.volume;
    const char *name = args->item[0];

    if (!*f->name)
        return error_set(e, ERR_BAD_REQUEST, "required flag(s) \"volume-name\" not set");

    json_auto_t *body = cli_options(c);
    must_set(body, "name", must_pack("s", f->name));
    if (put(c, name, "removevolume", body, e) < 0)
        return cli_prefix(e, "error removing volume, ");
    (void)printf("Successfully submitted remove volume request to VM %s for volume %s\n", name,
                 f->name);
    return 0;
}
