/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.domain.devices; disks and interfaces have files of their own. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(filesystem_type, "Filesystem", "A volume shared with the guest as files.",
    STRING("name", "Name of the volume.", REQUIRED),
    PRESENCE("virtiofs", "Share it by virtiofs.", REQUIRED));

TYPE(vgpu_display_type, "VGPUDisplayOptions", "The virtual GPU's display.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    OBJECT("ramFB", feature_switch_type, "Show the boot on it too."));

TYPE(vgpu_options_type, "VGPUOptions", "Settings of a virtual GPU.",
    OBJECT("display", vgpu_display_type, "The virtual GPU's display."));

TYPE(gpu_type, "GPU", "A graphics processor given to the guest.",
    STRING("claimName", "Entry of spec.resourceClaims that the device comes from."),
    STRING("deviceName", "Resource name that the cluster's configuration permits."),
    STRING("name", "Name of the device in this machine.", REQUIRED),
    STRING("requestName", "Request in that claim."),
    STRING("tag", "Told to the guest with the device's address, by cloud-init."),
    OBJECT("virtualGPUOptions", vgpu_options_type, "Settings of a virtual GPU."));

TYPE(host_device_type, "HostDevice", "A device of the node given to the guest.",
    STRING("claimName", "Entry of spec.resourceClaims that the device comes from."),
    STRING("deviceName", "Resource name that the cluster's configuration permits."),
    STRING("name", "Name of the device in this machine.", REQUIRED),
    STRING("requestName", "Request in that claim."),
    STRING("tag", "Told to the guest with the device's address, by cloud-init."));

TYPE(input_type, "Input", "An input device.",
    STRING("bus", "Bus of the device: virtio or usb; usb when absent."),
    STRING("name", "Name of the device.", REQUIRED),
    STRING("type", "Kind of the device: tablet.", REQUIRED));

TYPE(panic_device_type, "PanicDevice", "Tells the host that the guest's kernel has crashed.",
    STRING("model", "Model of the device: hyperv, isa or pvpanic."));

TYPE(sound_type, "SoundDevice", "A sound card.",
    STRING("model", "Model of the sound card: ich9 or ac97; ich9 when absent."),
    STRING("name", "Name of the device.", REQUIRED));

TYPE(tpm_type, "TPMDevice", "A trusted platform module.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    BOOL("persistent", "Keep its state over a stop and start.", INERT));

TYPE(video_type, "VideoDevice", "The graphics card.",
    STRING("type", "Model of the video card: vga, cirrus, virtio, ramfb or bochs."));

TYPE(watchdog_model_type, "WatchdogModel", "What the watchdog does when the guest falls silent.",
    STRING("action", "What happens when the guest hangs: poweroff, reset or shutdown; reset when absent."));

TYPE(watchdog_type, "Watchdog", "A device that acts when the guest falls silent.",
    OBJECT("diag288", watchdog_model_type, "The watchdog of s390x machines."),
    OBJECT("i6300esb", watchdog_model_type, "The watchdog of amd64 machines."),
    STRING("name", "Name of the device.", REQUIRED));

TYPE(devices_type, "Devices", "The devices that the guest finds.",
    BOOL("autoattachGraphicsDevice", "Give the guest a screen that VNC shows; yes when absent."),
    BOOL("autoattachInputDevice", "Give the guest a tablet; no when absent."),
    BOOL("autoattachMemBalloon", "Give the guest a memory balloon; yes when absent."),
    BOOL("autoattachPodInterface", "Connect the guest to the pod's network when no interface is given; yes when absent."),
    BOOL("autoattachSerialConsole", "Give the guest a serial console; yes when absent."),
    BOOL("autoattachVSOCK", "Give the guest a VSOCK address."),
    BOOL("blockMultiQueue", "Give virtio disks a queue for each processor."),
    PRESENCE("clientPassthrough", "Let a user lend USB devices to the guest."),
    BOOL("disableHotplug", "Leave no room for disks and interfaces added later."),
    LIST("disks", disk_type, "How the guest sees its volumes.", .max_items = 256),
    PRESENCE("downwardMetrics", "Tell the guest about its node by a virtio port.", INERT),
    LIST("filesystems", filesystem_type, "Volumes shared with the guest as files.", INERT),
    LIST("gpus", gpu_type, "Graphics processors given to the guest.", INERT),
    LIST("hostDevices", host_device_type, "Devices of the node given to the guest.", INERT),
    LIST("inputs", input_type, "Input devices."),
    LIST("interfaces", interface_type, "Network interfaces.", .max_items = 256),
    BOOL("logSerialConsole", "Write what the serial console shows to a log of the pod."),
    BOOL("networkInterfaceMultiqueue", "Give virtio interfaces a queue for each processor."),
    LIST("panicDevices", panic_device_type, "Devices that report a crash of the guest's kernel."),
    PRESENCE("rng", "Give the guest a source of random numbers."),
    OBJECT("sound", sound_type, "A sound card."),
    OBJECT("tpm", tpm_type, "A trusted platform module."),
    BOOL("useVirtioTransitional", "Use virtio devices that very old guests understand."),
    OBJECT("video", video_type, "The graphics card."),
    OBJECT("watchdog", watchdog_type, "A device that acts when the guest falls silent."));
// clang-format on
