/* SPDX-License-Identifier: Apache-2.0 */
/* What an architecture does not have (spec 02, end of 4.1). */
#include "base/jpath.h"
#include "base/scope.h"
#include "base/str.h"
#include "webhooks/rules_vmi.h"

/* ---- amd64 and s390x: one model of watchdog each; `here` is spec.domain ---- */

static bool is_only(const json_t *watchdog, const char *model)
{
    return jpath_has(watchdog, model) &&
           jpath_has(watchdog, "i6300esb") + jpath_has(watchdog, "diag288") == 1;
}

static void watchdog_i6300esb(const struct rule *r, const struct subject *s, const json_t *v,
                              struct findings *out)
{
    if (!is_only(v, "i6300esb"))
        rule_report(r, s, out);
}

static void watchdog_diag288(const struct rule *r, const struct subject *s, const json_t *v,
                             struct findings *out)
{
    if (!is_only(v, "diag288"))
        rule_report(r, s, out);
}

/* `v` is the video device: without a type is also a type that is not in the list. */
static void video_type(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const struct rule of_type = {
        .path = "devices.video.type", .cause = r->cause, .message = r->message, .values = r->values
    };
    const json_t *type = json_object_get(v, "type");

    if (type)
        rule_one_of(&of_type, s, type, out);
    else
        rule_report(&of_type, s, out);
}

/* ---- arm64: `here` is one disk ---- */

static void arm64_bus(const struct rule *r, const struct subject *s, const json_t *v,
                      struct findings *out)
{
    static const char *const targets[] = { "disk", "cdrom", "lun" };

    for (size_t i = 0; i < countof(targets); i++) {
        const json_t *target = jpath_obj(v, targets[i]);
        const char *bus = jpath_str(target, "bus", "");

        if (target && *bus && !streq(bus, "virtio") && !streq(bus, "scsi"))
            rule_report_at(r, s, out, "%s.bus", targets[i]);
    }
}

// clang-format off
static const struct rule arm64_disk_rules[] = {
    RULE("", arm64_bus, NOT_SUPPORTED, "arm64 has no such bus: use virtio or scsi"),
    RULES_END,
};

static const struct rule amd64_rules[] = {
    RULE("devices.watchdog", watchdog_i6300esb, NOT_SUPPORTED, "use i6300esb, and only that, on amd64"),
    RULE("devices.video", video_type, NOT_SUPPORTED, "use vga, cirrus, virtio, ramfb or bochs on amd64",
         VALUES("vga", "cirrus", "virtio", "ramfb", "bochs")),
    RULES_END,
};

static const struct rule arm64_rules[] = {
    RULE("firmware.bootloader.bios", rule_refuse, NOT_SUPPORTED, "arm64 has no BIOS: use efi"),
    RULE("cpu.model", rule_one_of, NOT_SUPPORTED, "use host-passthrough on arm64", VALUES("host-passthrough")),
    EACH("devices.disks", arm64_disk_rules),
    RULE("devices.watchdog", rule_refuse, NOT_SUPPORTED, "arm64 has no watchdog: leave it out"),
    RULE("devices.sound", rule_refuse, NOT_SUPPORTED, "arm64 has no sound device: leave it out"),
    RULE("devices.video", video_type, NOT_SUPPORTED, "use virtio or ramfb on arm64", VALUES("virtio", "ramfb")),
    RULES_END,
};

static const struct rule s390x_rules[] = {
    RULE("devices.watchdog", watchdog_diag288, NOT_SUPPORTED, "use diag288, and only that, on s390x"),
    RULE("devices.video", video_type, NOT_SUPPORTED, "use virtio on s390x", VALUES("virtio")),
    RULES_END,
};
// clang-format on

static const struct {
    const char *arch;
    struct rule rules[2];
} arches[] = {
    { "amd64", { BELOW("domain", amd64_rules), RULES_END } },
    { "arm64", { BELOW("domain", arm64_rules), RULES_END } },
    { "s390x", { BELOW("domain", s390x_rules), RULES_END } },
};

void check_architecture(const struct subject *s, struct findings *out)
{
    for (size_t i = 0; i < countof(arches); i++) {
        if (streq(s->arch, arches[i].arch)) {
            rules_run(arches[i].rules, s, out);
            return;
        }
    }
    rule_say(s, out, CAUSE_INVALID, "architecture", "use amd64, arm64 or s390x");
}
