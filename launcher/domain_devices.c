// SPDX-License-Identifier: Apache-2.0
/*
 * Everything below <devices> but disks and interfaces: controllers, consoles,
 * screen, guest agent channel, entropy, balloon, watchdog, TPM, sound, input
 * (spec 05, section 3.5).
 */
#include "launcher/domain_parts.h"

#include <stdlib.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum { USB_REDIRECTIONS = 4, BALLOON_PERIOD_SECONDS = 10 };

static void write_alias(struct xml *x, const char *name)
{
    scoped(free) char *alias = must_asprintf("ua-%s", name);
    xml_with(x, "alias", "name", alias);
}

static void write_controller(struct xml *x, const char *type, const char *model)
{
    xml_open(x, "controller");
    xml_attr(x, "type", type);
    xml_attr(x, "index", "0");
    xml_attr(x, "model", model);
    xml_close(x);
}

static bool any_has(const json_t *list, const char *path, const char *value)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
        if (streq(jpath_str(item, path, NULL), value))
            return true;
    return false;
}

static bool has_disk_on(const struct domain_plan *p, const char *bus)
{
    const json_t *disks = jpath_arr(p->devices, "disks");
    return any_has(disks, "disk.bus", bus) || any_has(disks, "lun.bus", bus) ||
           any_has(disks, "cdrom.bus", bus);
}

static bool needs_usb(const struct domain_plan *p)
{
    size_t i;
    json_t *input;

    if (p->arch->has_usb_always || has_disk_on(p, "usb") ||
        jpath_obj(p->devices, "clientPassthrough"))
        return true;
    json_array_foreach(jpath_arr(p->devices, "inputs"), i, input)
        if (streq(jpath_str(input, "bus", "usb"), "usb"))
            return true;
    return false;
}

static int write_controllers(struct xml *x, const struct domain_plan *p, struct error *e)
{
    bool is_s390x = streq(p->arch->name, "s390x");

    write_controller(x, "usb", needs_usb(p) ? "qemu-xhci" : "none");
    if (!jpath_bool(p->devices, "disableHotplug", false) || has_disk_on(p, "scsi"))
        write_controller(x, "scsi", is_s390x ? "virtio-scsi" : domain_virtio_model(p));
    if (domain_is_attached(p, "autoattachSerialConsole"))
        write_controller(x, "virtio-serial", domain_virtio_model(p));
    if (streq(meta_annotation(p->vmi, "kubevirt.io/disablePCIHole64"), "true")) {
        xml_open(x, "controller");
        xml_attr(x, "type", "pci");
        xml_attr(x, "index", "0");
        xml_attr(x, "model", "pcie-root");
        xml_open(x, "pcihole64");
        xml_attr(x, "unit", "KiB");
        xml_text(x, "0");
        xml_close(x);
        xml_close(x);
    }
    return 0;
}

static int write_serial(struct xml *x, const struct domain_plan *p, struct error *e)
{
    if (!domain_is_attached(p, "autoattachSerialConsole"))
        return 0;
    xml_open(x, "serial");
    xml_attr(x, "type", "unix");
    xml_with(x, "target", "port", "0");
    xml_open(x, "source");
    xml_attr(x, "mode", "bind");
    xml_attrf(x, "path", PRIVATE_DIR "/%s/virt-serial0", p->uid);
    xml_close(x);
    /* Nothing rotates this file without virtlogd, so a guest could fill the
     * node's disk with it: only who asks for it gets it. */
    if (jpath_bool(p->devices, "logSerialConsole", false)) {
        xml_open(x, "log");
        xml_attrf(x, "file", PRIVATE_DIR "/%s/virt-serial0-log", p->uid);
        xml_attr(x, "append", "on");
        xml_close(x);
    }
    xml_close(x);
    xml_open(x, "console");
    xml_attr(x, "type", "pty");
    xml_open(x, "target");
    xml_attr(x, "type", "serial");
    xml_attr(x, "port", "0");
    xml_close(x);
    xml_close(x);
    return 0;
}

static void write_video(struct xml *x, const struct domain_plan *p)
{
    const char *type = jpath_str(p->devices, "video.type", NULL);
    bool is_amd64 = streq(p->arch->name, "amd64");

    xml_open(x, "video");
    xml_open(x, "model");
    if (type)
        xml_attr(x, "type", type);
    else if (is_amd64)
        xml_attr(x, "type", p->is_efi ? "bochs" : "vga");
    else
        xml_attr(x, "type", "virtio");
    xml_attr(x, "heads", "1");
    if (type || (is_amd64 && !p->is_efi))
        xml_attr(x, "vram", "16384");
    xml_close(x);
    xml_close(x);
}

static void write_plain_input(struct xml *x, const char *type, const char *bus)
{
    xml_open(x, "input");
    xml_attr(x, "type", type);
    xml_attr(x, "bus", bus);
    xml_close(x);
}

static int write_graphics(struct xml *x, const struct domain_plan *p, struct error *e)
{
    if (!domain_is_attached(p, "autoattachGraphicsDevice"))
        return 0;
    write_video(x, p);
    xml_open(x, "graphics");
    xml_attr(x, "type", "vnc");
    xml_open(x, "listen");
    xml_attr(x, "type", "socket");
    xml_attrf(x, "socket", PRIVATE_DIR "/%s/virt-vnc", p->uid);
    xml_close(x);
    xml_close(x);
    if (streq(p->arch->name, "arm64")) {
        write_plain_input(x, "tablet", "usb");
        write_plain_input(x, "keyboard", "usb");
    } else if (streq(p->arch->name, "s390x")) {
        write_plain_input(x, "keyboard", "virtio");
    }
    return 0;
}

static int write_inputs(struct xml *x, const struct domain_plan *p, struct error *e)
{
    size_t i;
    json_t *input;

    json_array_foreach(jpath_arr(p->devices, "inputs"), i, input) {
        const char *type = jpath_str(input, "type", "");
        if (!streq(type, "tablet"))
            return error_set(e, ERR_INVALID,
                             "spec.domain.devices.inputs[%zu]: type \"%s\" "
                             "(wanted: tablet)",
                             i, type);
        const char *bus = jpath_str(input, "bus", "usb");
        xml_open(x, "input");
        xml_attr(x, "type", type);
        xml_attr(x, "bus", bus);
        if (streq(bus, "virtio"))
            xml_attr(x, "model", "virtio");
        write_alias(x, jpath_str(input, "name", "tablet"));
        xml_close(x);
    }
    return 0;
}

static int write_channels(struct xml *x, const struct domain_plan *p, struct error *e)
{
    xml_open(x, "channel");
    xml_attr(x, "type", "unix");
    xml_open(x, "target");
    xml_attr(x, "type", "virtio");
    xml_attr(x, "name", "org.qemu.guest_agent.0");
    xml_close(x);
    xml_close(x);
    if (!jpath_obj(p->devices, "downwardMetrics"))
        return 0;
    xml_open(x, "channel");
    xml_attr(x, "type", "unix");
    xml_open(x, "source");
    xml_attr(x, "mode", "bind");
    xml_attr(x, "path", PRIVATE_DIR "/downwardmetrics-channel/downwardmetrics.sock");
    xml_close(x);
    xml_open(x, "target");
    xml_attr(x, "type", "virtio");
    xml_attr(x, "name", "org.github.vhostmd.1");
    xml_close(x);
    xml_close(x);
    return 0;
}

static int write_rng(struct xml *x, const struct domain_plan *p, struct error *e)
{
    if (!jpath_obj(p->devices, "rng"))
        return 0;
    xml_open(x, "rng");
    xml_attr(x, "model", domain_virtio_model(p));
    xml_open(x, "backend");
    xml_attr(x, "model", "random");
    xml_text(x, "/dev/urandom");
    xml_close(x);
    xml_close(x);
    return 0;
}

static int write_balloon(struct xml *x, const struct domain_plan *p, struct error *e)
{
    json_int_t period = jpath_int(p->options, "memBalloonStatsPeriod", BALLOON_PERIOD_SECONDS);

    xml_open(x, "memballoon");
    if (!domain_is_attached(p, "autoattachMemBalloon")) {
        xml_attr(x, "model", "none");
        xml_close(x);
        return 0;
    }
    xml_attr(x, "model", domain_virtio_model(p));
    xml_attr(x, "freePageReporting",
             jpath_bool(p->options, "freePageReporting", true) ? "on" : "off");
    if (period > 0) {
        xml_open(x, "stats");
        xml_attrf(x, "period", "%lld", (long long)period);
        xml_close(x);
    }
    xml_close(x);
    return 0;
}

static int write_watchdog(struct xml *x, const struct domain_plan *p, struct error *e)
{
    const json_t *watchdog = jpath_obj(p->devices, "watchdog");
    if (!watchdog)
        return 0;
    if (streq(p->arch->name, "arm64"))
        return error_set(e, ERR_INVALID, "spec.domain.devices.watchdog: not on arm64");
    const char *model = streq(p->arch->name, "s390x") ? "diag288" : "i6300esb";

    xml_open(x, "watchdog");
    xml_attr(x, "model", model);
    xml_attr(x, "action", jpath_str(jpath_obj(watchdog, model), "action", "reset"));
    write_alias(x, jpath_str(watchdog, "name", "watchdog"));
    xml_close(x);
    return 0;
}

static int write_tpm(struct xml *x, const struct domain_plan *p, struct error *e)
{
    const json_t *tpm = jpath_obj(p->devices, "tpm");
    if (!tpm || !jpath_bool(tpm, "enabled", true))
        return 0;
    bool is_persistent = jpath_bool(tpm, "persistent", false);

    xml_open(x, "tpm");
    xml_attr(x, "model", is_persistent ? "tpm-crb" : "tpm-tis");
    xml_open(x, "backend");
    xml_attr(x, "type", "emulator");
    xml_attr(x, "version", "2.0");
    xml_attr(x, "persistent_state", is_persistent ? "yes" : NULL);
    xml_close(x);
    xml_close(x);
    return 0;
}

static int write_sound(struct xml *x, const struct domain_plan *p, struct error *e)
{
    const json_t *sound = jpath_obj(p->devices, "sound");
    if (!sound)
        return 0;
    xml_open(x, "sound");
    xml_attr(x, "model", jpath_str(sound, "model", "ich9"));
    write_alias(x, jpath_str(sound, "name", "sound"));
    xml_close(x);
    return 0;
}

static int write_panic(struct xml *x, const struct domain_plan *p, struct error *e)
{
    size_t i;
    json_t *panic;

    json_array_foreach(jpath_arr(p->devices, "panicDevices"), i, panic)
        xml_with(x, "panic", "model", jpath_str(panic, "model", NULL));
    return 0;
}

static int write_usb_redirection(struct xml *x, const struct domain_plan *p, struct error *e)
{
    if (!jpath_obj(p->devices, "clientPassthrough"))
        return 0;
    for (int i = 0; i < USB_REDIRECTIONS; i++) {
        xml_open(x, "redirdev");
        xml_attr(x, "type", "unix");
        xml_attr(x, "bus", "usb");
        xml_open(x, "source");
        xml_attr(x, "mode", "bind");
        xml_attrf(x, "path", PRIVATE_DIR "/%s/virt-usbredir-%d", p->uid, i);
        xml_close(x);
        xml_close(x);
    }
    return 0;
}

static int write_filesystems(struct xml *x, const struct domain_plan *p, struct error *e)
{
    size_t i;
    json_t *filesystem;

    json_array_foreach(jpath_arr(p->devices, "filesystems"), i, filesystem) {
        const char *name = jpath_str(filesystem, "name", "");
        xml_open(x, "filesystem");
        xml_attr(x, "type", "mount");
        xml_attr(x, "accessmode", "passthrough");
        xml_open(x, "driver");
        xml_attr(x, "type", "virtiofs");
        xml_attr(x, "queue", "1024");
        xml_close(x);
        xml_open(x, "source");
        xml_attrf(x, "socket", "%s/virtiofs-containers/%s.sock", p->facts->layout.share_dir, name);
        xml_close(x);
        xml_with(x, "target", "dir", name);
        xml_close(x);
    }
    return 0;
}

static int write_vsock(struct xml *x, const struct domain_plan *p, struct error *e)
{
    json_int_t cid = jpath_int(p->vmi, "status.VSOCKCID", 0);

    if (!jpath_bool(p->devices, "autoattachVSOCK", false))
        return 0;
    if (cid < 3)
        return error_set(e, ERR_INVALID, "status.VSOCKCID is not given");
    xml_open(x, "vsock");
    xml_attr(x, "model", domain_virtio_model(p));
    xml_open(x, "cid");
    xml_attr(x, "auto", "no");
    xml_attrf(x, "address", "%lld", (long long)cid);
    xml_close(x);
    xml_close(x);
    return 0;
}

/* The order gives the guest its PCI slots: add new rows at the end. */
static domain_part_fn *const device_parts[] = {
    write_controllers, domain_disks,          domain_interfaces, write_serial,
    write_graphics,    write_inputs,          write_channels,    write_rng,
    write_balloon,     write_watchdog,        write_tpm,         write_sound,
    write_panic,       write_usb_redirection, write_filesystems, write_vsock,
};

int domain_devices(struct xml *x, const struct domain_plan *p, struct error *e)
{
    int r = 0;

    xml_open(x, "devices");
    for (size_t i = 0; i < countof(device_parts) && r >= 0; i++)
        r = device_parts[i](x, p, e);
    xml_close(x);
    return r;
}
