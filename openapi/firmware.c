/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of what a machine is before it boots: firmware, type, chassis, launch security. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(firmware_acpi_type, "ACPI", "ACPI tables given to the guest.",
    STRING("msdmNameRef", "Name of the secret volume that holds the MSDM table (a Windows key)."),
    STRING("slicNameRef", "Name of the secret volume that holds the SLIC table."));

TYPE(bios_type, "BIOS", "Boot with SeaBIOS.",
    BOOL("useSerial", "Show the firmware's output on the serial console."));

TYPE(efi_type, "EFI", "Boot with UEFI firmware.",
    BOOL("persistent", "Keep the firmware's variables over a stop and start.", INERT),
    BOOL("secureBoot", "Boot signed systems only; needs SMM. Yes when absent."));

TYPE(bootloader_type, "Bootloader", "Which firmware boots the guest; one of the two.",
    OBJECT("bios", bios_type, "Boot by SeaBIOS."),
    OBJECT("efi", efi_type, "Boot by UEFI."));

TYPE(kernel_container_type, "KernelBootContainer", "An image that holds a kernel, an initrd or both.",
    STRING("image", "Image to take the files from.", REQUIRED),
    STRING("imagePullPolicy", "When the node pulls the image.", ONE_OF("Always", "IfNotPresent", "Never")),
    STRING("imagePullSecret", "Secret with the registry's credentials."),
    STRING("initrdPath", "Absolute path of the initrd in the image."),
    STRING("kernelPath", "Absolute path of the kernel in the image."));

TYPE(kernel_boot_type, "KernelBoot", "Boot a kernel straight, without a boot loader.",
    OBJECT("container", kernel_container_type, "Image that holds kernel and initrd."),
    STRING("kernelArgs", "Command line of the kernel; needs a container."));

TYPE(firmware_type, "Firmware", "What runs before the guest's system does.",
    OBJECT("acpi", firmware_acpi_type, "ACPI tables given to the guest.", INERT),
    OBJECT("bootloader", bootloader_type, "Which firmware boots the guest."),
    OBJECT("kernelBoot", kernel_boot_type, "Boot a kernel straight."),
    STRING("serial", "Serial number the guest reads from SMBIOS."),
    STRING("uuid", "UUID the guest reads from SMBIOS; made at random when absent."));

TYPE(machine_type, "Machine", "The kind of machine that is emulated.",
    STRING("type", "Machine type of QEMU, such as q35 or pc-q35-7.2."));

TYPE(chassis_type, "Chassis", "The chassis that the guest reads from SMBIOS.",
    STRING("asset", "Asset tag."),
    STRING("manufacturer", "Manufacturer of the chassis."),
    STRING("serial", "Serial number."),
    STRING("sku", "Stock-keeping number."),
    STRING("version", "Version of the chassis."));

TYPE(sev_policy_type, "SEVPolicy", "What AMD SEV must guarantee.",
    BOOL("encryptedState", "Also encrypt the processors' registers (SEV-ES)."));

TYPE(sev_type, "SEV", "Memory encryption by AMD SEV.",
    PRESENCE("attestation", "Wait for the owner's attestation before the guest runs."),
    STRING("dhCert", "Owner's Diffie-Hellman certificate, base64."),
    OBJECT("policy", sev_policy_type, "What SEV must guarantee."),
    STRING("session", "Owner's session, base64."));

TYPE(launch_security_type, "LaunchSecurity", "Keep the guest's memory from the node; one of the three.",
    OBJECT("sev", sev_type, "AMD SEV."),
    PRESENCE("snp", "AMD SEV-SNP."),
    PRESENCE("tdx", "Intel TDX."));
// clang-format on
