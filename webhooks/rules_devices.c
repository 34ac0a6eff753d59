/* SPDX-License-Identifier: Apache-2.0 */
/* Devices other than disks and interfaces (spec 02, 4.1); `here` is spec.domain.devices. */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"
#include "webhooks/rules_grace.h"

static bool wants_ramfb(const json_t *gpu)
{
    const json_t *display = jpath_obj(gpu, "virtualGPUOptions.display");

    return display && jpath_bool(display, "enabled", true) &&
           jpath_bool(display, "ramFB.enabled", true);
}

static void one_boot_display(const struct rule *r, const struct subject *s, const json_t *v,
                             struct findings *out)
{
    int n = 0;
    size_t i;
    json_t *gpu;

    json_array_foreach(v, i, gpu)
        n += wants_ramfb(gpu);
    if (n > 1)
        rule_report(r, s, out);
}

static void sound(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    const char *model = jpath_str(v, "model", "");

    if (*model && !streq(model, "ich9") && !streq(model, "ac97"))
        rule_report(r, s, out);
    if (!*jpath_str(v, "name", ""))
        rule_say(s, out, r->cause, r->path, "give it a name");
}

static void vsock(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    if (json_is_true(v))
        rule_gate(r, s, v, out);
}

static void some_host_devices(const struct rule *r, const struct subject *s, const json_t *v,
                              struct findings *out)
{
    if (json_array_size(v) > 0)
        rule_gate(r, s, v, out);
}

static void video(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    if (!jpath_bool(s->here, "autoattachGraphicsDevice", true))
        rule_report(r, s, out);
}

static void panic_devices(const struct rule *r, const struct subject *s, const json_t *v,
                          struct findings *out)
{
    if (json_array_size(v) > 0 && streq(s->arch, "s390x"))
        rule_report(r, s, out);
}

// clang-format off
static const struct rule input_rules[] = {
    RULE("bus", rule_one_of, INVALID, "use virtio or usb", VALUES("", "virtio", "usb")),
    RULE("type", rule_one_of, INVALID, "use tablet", VALUES("tablet"), .also_absent = true),
    RULES_END,
};

static const struct rule panic_rules[] = {
    RULE("model", rule_one_of, INVALID, "use hyperv, isa or pvpanic", VALUES("hyperv", "isa", "pvpanic")),
    RULES_END,
};

static const struct rule devices_rules[] = {
    EACH("inputs", input_rules),
    RULE("gpus", one_boot_display, INVALID, "only one GPU shows the boot: disable ramFB of the others"),
    RULE("gpus", rule_grace, INVALID, NULL),
    RULE("hostDevices", rule_grace, INVALID, NULL),
    RULE("hostDevices", some_host_devices, INVALID, "needs the feature gate HostDevices", .gate = "HostDevices"),
    RULE("sound", sound, INVALID, "use the model ich9 or ac97"),
    RULE("autoattachVSOCK", vsock, INVALID, "needs the feature gate VSOCK", .gate = "VSOCK"),
    RULE("downwardMetrics", rule_gate, INVALID, "needs the feature gate DownwardMetrics",
         .gate = "DownwardMetrics"),
    RULE("video", video, INVALID, "needs a graphics device: leave out autoattachGraphicsDevice: false"),
    RULE("panicDevices", panic_devices, INVALID, "there is none for s390x: leave it out"),
    EACH("panicDevices", panic_rules),
    RULES_END,
};

const struct rule device_rules[] = {
    BELOW("domain.devices", devices_rules),
    RULES_END,
};
// clang-format on
