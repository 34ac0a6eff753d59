/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.domain.devices; disks and interfaces have files of their own. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(filesystem, "Filesystem", "A volume shared with the guest as files.",
    STRING("name", "Name of the volume.", REQUIRED),
    PRESENCE("virtiofs", "Share it by virtiofs.", REQUIRED));

TYPE(vgpu_display, "VGPUDisplayOptions", "The virtual GPU's display.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    OBJECT("ramFB", feature_switch, "Show the boot on it too."));

TYPE(vgpu_options, "VGPUOptions", "Settings of a virtual GPU.",
    OBJECT("display", vgpu_display, "The virtual GPU's display."));

TYPE(gpu, "GPU", "A graphics processor given to the guest.",
    STRING("claimName", "Entry of spec.resourceClaims that the device comes from."),
    STRING("deviceName", "Resource name that the cluster's configuration permits."),
    STRING("name", "Name of the device in this machine.", REQUIRED),
    STRING("requestName", "Request in that claim."),
    STRING("tag", "Told to the guest with the device's address, by cloud-init."),
    OBJECT("virtualGPUOptions", vgpu_options, "Settings of a virtual GPU."));

TYPE(host_device, "HostDevice", "A device of the node given to the guest.",
    STRING("claimName", "Entry of spec.resourceClaims that the device comes from."),
    STRING("deviceName", "Resource name that the cluster's configuration permits."),
    STRING("name", "Name of the device in this machine.", REQUIRED),
    STRING("requestName", "Request in that claim."),
    STRING("tag", "Told to the guest with the device's address, by cloud-init."));

TYPE(input, "Input", "An input device.",
    STRING("bus", "virtio or usb; usb when absent."),
    STRING("name", "Name of the device.", REQUIRED),
    STRING("type", "tablet.", REQUIRED));

TYPE(panic_device, "PanicDevice", "Tells the host that the guest's kernel has crashed.",
    STRING("model", "hyperv, isa or pvpanic."));

TYPE(sound, "SoundDevice", "A sound card.",
    STRING("model", "ich9 or ac97; ich9 when absent."),
    STRING("name", "Name of the device.", REQUIRED));

TYPE(tpm, "TPMDevice", "A trusted platform module.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    BOOL("persistent", "Keep its state over a stop and start."));

TYPE(video, "VideoDevice", "The graphics card.",
    STRING("type", "vga, cirrus, virtio, ramfb or bochs."));

TYPE(watchdog_model, "WatchdogModel", "What the watchdog does when the guest falls silent.",
    STRING("action", "poweroff, reset or shutdown; reset when absent."));

TYPE(watchdog, "Watchdog", "A device that acts when the guest falls silent.",
    OBJECT("diag288", watchdog_model, "The watchdog of s390x machines."),
    OBJECT("i6300esb", watchdog_model, "The watchdog of amd64 machines."),
    STRING("name", "Name of the device.", REQUIRED));

TYPE(devices, "Devices", "The devices that the guest finds.",
    BOOL("autoattachGraphicsDevice", "Give the guest a screen that VNC shows; yes when absent."),
    BOOL("autoattachInputDevice", "Give the guest a tablet; no when absent."),
    BOOL("autoattachMemBalloon", "Give the guest a memory balloon; yes when absent."),
    BOOL("autoattachPodInterface", "Connect the guest to the pod's network when no interface is given; yes when absent."),
    BOOL("autoattachSerialConsole", "Give the guest a serial console; yes when absent."),
    BOOL("autoattachVSOCK", "Give the guest a VSOCK address.", INERT),
    BOOL("blockMultiQueue", "Give virtio disks a queue for each processor."),
    PRESENCE("clientPassthrough", "Let a user lend USB devices to the guest.", INERT),
    BOOL("disableHotplug", "Leave no room for disks and interfaces added later."),
    LIST("disks", disk, "How the guest sees its volumes.", .max_items = 256),
    PRESENCE("downwardMetrics", "Tell the guest about its node by a virtio port.", INERT),
    LIST("filesystems", filesystem, "Volumes shared with the guest as files.", INERT),
    LIST("gpus", gpu, "Graphics processors given to the guest.", INERT),
    LIST("hostDevices", host_device, "Devices of the node given to the guest.", INERT),
    LIST("inputs", input, "Input devices."),
    LIST("interfaces", interface, "Network interfaces.", .max_items = 256),
    BOOL("logSerialConsole", "Write what the serial console shows to a log of the pod.", INERT),
    BOOL("networkInterfaceMultiqueue", "Give virtio interfaces a queue for each processor."),
    LIST("panicDevices", panic_device, "Devices that report a crash of the guest's kernel."),
    PRESENCE("rng", "Give the guest a source of random numbers."),
    OBJECT("sound", sound, "A sound card."),
    OBJECT("tpm", tpm, "A trusted platform module.", INERT),
    BOOL("useVirtioTransitional", "Use virtio devices that very old guests understand."),
    OBJECT("video", video, "The graphics card."),
    OBJECT("watchdog", watchdog, "A device that acts when the guest falls silent."));
// clang-format on
