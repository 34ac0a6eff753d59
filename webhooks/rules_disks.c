/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for each disk on its own (spec 02, 4.3); `here` is one disk.  Presets obey these too.
 */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"
#include "webhooks/rules_vm.h"

enum { SERIAL_MAX = 256, BLOCK_MIN = 512, BLOCK_MAX = 2097152 };

static const char *const targets[] = { "disk", "lun", "cdrom" };
enum { TARGETS = 3 };

/* The first device of the disk and its name, or NULL: a disk without one is an ordinary disk. */
static const json_t *target_of(const json_t *disk, const char **ret_name)
{
    for (size_t i = 0; i < TARGETS; i++) {
        const json_t *target = jpath_obj(disk, targets[i]);

        if (target) {
            *ret_name = targets[i];
            return target;
        }
    }
    return NULL;
}

static int count_targets(const json_t *disk)
{
    return jpath_has(disk, "disk") + jpath_has(disk, "cdrom") + jpath_has(disk, "lun");
}

static void one_target(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (count_targets(v) > 1)
        rule_report(r, s, out);
}

static void unique_name(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const json_t *disks = jpath_arr(s->spec, "domain.devices.disks");

    for (size_t i = 0; i < s->index; i++)
        if (streq(jpath_str(json_array_get(disks, i), "name", ""), json_string_value(v)))
            rule_report(r, s, out);
}

static void name_is_label(const struct rule *r, const struct subject *s, const json_t *v,
                          struct findings *out)
{
    if (!is_dns_label(v ? json_string_value(v) : ""))
        rule_report(r, s, out);
}

static void pci_address(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const char *address = json_string_value(v);

    if (!address || !*address)
        return;
    if (!streq(jpath_str(s->here, "disk.bus", ""), "virtio"))
        rule_say(s, out, r->cause, r->path, "goes only with disk.bus virtio");
    if (!is_pci_address(address))
        rule_report(r, s, out);
}

static void boot_order(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (json_integer_value(v) < 1)
        rule_report(r, s, out);
}

static void check_bus(const struct subject *s, struct findings *out, const char *target,
                      const json_t *device)
{
    static const char *const buses[] = { "virtio", "scsi", "sata", "usb" };
    const char *bus = jpath_str(device, "bus", "");
    const char *fault = "use virtio, scsi, sata or usb";
    char path[32];

    if (!*bus)
        return;
    for (size_t i = 0; i < 4; i++)
        if (streq(bus, buses[i]))
            fault = NULL;
    if (streq(bus, "ide"))
        fault = "ide is not supported: use sata";
    if (streq(bus, "virtio") && streq(target, "cdrom"))
        fault = "a CD-ROM drive needs the bus sata or scsi";
    if (streq(bus, "sata") && streq(target, "disk") && jpath_bool(device, "readonly", false))
        fault = "a disk on the bus sata cannot be read-only: use virtio or scsi";
    if (!fault)
        return;
    (void)snprintf(path, sizeof(path), "%s.bus", target);
    rule_say(s, out, CAUSE_INVALID, path, "%s", fault);
}

static void bus(const struct rule *r, const struct subject *s, const json_t *v,
                struct findings *out)
{
    const char *name;
    const json_t *target = target_of(v, &name);

    if (target)
        check_bus(s, out, name, target);
}

static void io_thread(const struct rule *r, const struct subject *s, const json_t *v,
                      struct findings *out)
{
    const char *name;
    const json_t *target = target_of(s->here, &name);
    const char *of_target = jpath_str(target, "bus", "");

    if (json_is_true(v) && *of_target && !streq(of_target, "virtio"))
        rule_say(s, out, r->cause, "", "%s", r->message);
}

static void serial(const struct rule *r, const struct subject *s, const json_t *v,
                   struct findings *out)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-";
    const char *text = json_string_value(v);

    if (text && text[strspn(text, allowed)])
        rule_report(r, s, out);
    if (json_string_length(v) > SERIAL_MAX)
        rule_say(s, out, r->cause, r->path, "must not be longer than %d characters", SERIAL_MAX);
}

/* ---- block sizes ---- */

static void check_block_size(const struct subject *s, struct findings *out, const char *path,
                             json_int_t size)
{
    if (size < BLOCK_MIN || size > BLOCK_MAX || (size & (size - 1)) != 0)
        rule_say(s, out, CAUSE_INVALID, path, "must be a power of two from %d to %d", BLOCK_MIN,
                 BLOCK_MAX);
}

static void block_size(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    static const char logical_path[] = "blockSize.custom.logical";
    const json_t *custom = jpath_obj(v, "custom");
    json_int_t logical = jpath_int(custom, "logical", 0);
    json_int_t physical = jpath_int(custom, "physical", 0);
    json_int_t discard = jpath_int(custom, "discardGranularity", 0);
    const char *name;

    if (custom && jpath_obj(v, "matchVolume") && jpath_bool(v, "matchVolume.enabled", true)) {
        rule_report(r, s, out);
        return;
    }
    if (!custom)
        return;
    if (logical > physical) {
        rule_say(s, out, CAUSE_INVALID, logical_path,
                 "must not be larger than the physical size: raise that or lower this");
    } else {
        check_block_size(s, out, logical_path, logical);
        check_block_size(s, out, "blockSize.custom.physical", physical);
    }
    if (discard && logical > 0 && discard % logical != 0)
        rule_say(s, out, CAUSE_INVALID, "blockSize.custom.discardGranularity",
                 "must be a multiple of the logical size");
    if (logical != BLOCK_MIN && streq(jpath_str(target_of(s->here, &name), "bus", ""), "sata"))
        rule_say(s, out, CAUSE_INVALID, logical_path, "must be %d on the bus sata", BLOCK_MIN);
}

// clang-format off
static const struct rule rules_of_one[] = {
    RULE("name", unique_name, INVALID, "is the name of an earlier disk: give each its own"),
    RULE("", one_target, INVALID, "set only one of disk, cdrom and lun"),
    RULE("disk.pciAddress", pci_address, INVALID, "is not a PCI address such as 0000:81:01.0"),
    RULE("bootOrder", boot_order, INVALID, "must be at least 1"),
    RULE("", bus, INVALID, NULL),
    RULE("dedicatedIOThread", io_thread, NOT_SUPPORTED, "dedicatedIOThread needs the bus virtio"),
    RULE("serial", serial, INVALID, "may hold letters, digits and _ . + - only"),
    RULE("cache", rule_one_of, INVALID, "use none, writethrough or writeback",
         VALUES("", "none", "writethrough", "writeback")),
    RULE("io", rule_one_of, NOT_SUPPORTED, "use native or threads", VALUES("", "native", "threads")),
    RULE("errorPolicy", rule_one_of, INVALID, "use stop, ignore, report or enospace",
         VALUES("stop", "ignore", "report", "enospace")),
    RULE("name", name_is_label, INVALID,
         "is not a DNS label: use at most 63 of a-z, 0-9 and '-', with a letter or digit at both ends",
         .also_absent = true),
    RULE("blockSize", block_size, INVALID, "set only one of custom and matchVolume"),
    RULES_END,
};

const struct rule disk_rules[] = {
    EACH("domain.devices.disks", rules_of_one),
    RULES_END,
};
// clang-format on
