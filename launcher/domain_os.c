// SPDX-License-Identifier: Apache-2.0
/* Machine type, firmware, kernel boot and SMBIOS strings of a domain (spec 05, section 3.5). */
#include "launcher/domain_parts.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static int write_efi(struct xml *x, const struct domain_plan *p, struct error *e)
{
    const struct domain_firmware *f = &p->facts->firmware;
    bool is_secure = jpath_bool(p->domain, "firmware.bootloader.efi.secureBoot", true);
    const char *code = is_secure ? f->secure_code : f->code;
    const char *vars = is_secure ? f->secure_vars : f->vars;

    if (!code || !vars)
        return error_set(e, ERR_INVALID,
                         "spec.domain.firmware.bootloader.efi: the launcher's image has no UEFI "
                         "firmware%s",
                         is_secure ? " for secure boot" : "");
    xml_open(x, "loader");
    xml_attr(x, "readonly", "yes");
    xml_attr(x, "secure", is_secure ? "yes" : "no");
    xml_attr(x, "type", "pflash");
    xml_text(x, code);
    xml_close(x);
    xml_open(x, "nvram");
    xml_attr(x, "template", vars);
    xml_text(x, NVRAM_DIR "/");
    xml_text(x, meta_name(p->vmi));
    xml_text(x, "_VARS.fd");
    xml_close(x);
    return 0;
}

static void write_kernel_boot(struct xml *x, const struct domain_plan *p)
{
    const json_t *boot = jpath_obj(p->domain, "firmware.kernelBoot");
    const char *args = jpath_str(boot, "kernelArgs", "");

    if (p->facts->kernel)
        xml_leaf(x, "kernel", p->facts->kernel);
    if (p->facts->initrd)
        xml_leaf(x, "initrd", p->facts->initrd);
    if (p->facts->kernel && *args)
        xml_leaf(x, "cmdline", args);
}

/* ACPI tables that a guest brings along, from Secrets mounted into the pod. */
static void write_acpi_tables(struct xml *x, const struct domain_plan *p)
{
    static const struct {
        const char *member, *type;
    } tables[] = { { "slicNameRef", "slic" }, { "msdmNameRef", "msdm" } };
    const json_t *acpi = jpath_obj(p->domain, "firmware.acpi");

    if (!acpi)
        return;
    xml_open(x, "acpi");
    for (size_t i = 0; i < countof(tables); i++) {
        const char *volume = jpath_str(acpi, tables[i].member, NULL);
        if (!volume)
            continue;
        xml_open(x, "table");
        xml_attr(x, "type", tables[i].type);
        scoped(free) char *path = must_asprintf(SECRET_DIR "/%s/%s.bin", volume, tables[i].type);
        xml_text(x, path);
        xml_close(x);
    }
    xml_close(x);
}

int domain_os(struct xml *x, const struct domain_plan *p, struct error *e)
{
    xml_open(x, "os");
    xml_open(x, "type");
    xml_attr(x, "arch", p->arch->libvirt);
    const char *machine = jpath_str(p->domain, "machine.type", "");
    if (!*machine)
        machine = jpath_str(p->options, "machineType", p->arch->machine);
    xml_attr(x, "machine", machine);
    xml_text(x, "hvm");
    xml_close(x);
    if (p->arch->has_smbios)
        xml_with(x, "smbios", "mode", "sysinfo");
    if (p->is_efi || streq(p->arch->name, "arm64")) {
        int r = write_efi(x, p, e);
        if (r < 0)
            return r;
    }
    if (jpath_bool(p->domain, "firmware.bootloader.bios.useSerial", false))
        xml_with(x, "bios", "useserial", "yes");
    if (streq(jpath_str(p->spec, "startStrategy", ""), "Paused")) {
        xml_open(x, "bootmenu");
        xml_attr(x, "enable", "yes");
        xml_attr(x, "timeout", "10000");
        xml_close(x);
    }
    write_kernel_boot(x, p);
    write_acpi_tables(x, p);
    xml_close(x);
    return 0;
}

static void entry(struct xml *x, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    xml_open(x, "entry");
    xml_attr(x, "name", name);
    xml_text(x, value);
    xml_close(x);
}

int domain_sysinfo(struct xml *x, const struct domain_plan *p, struct error *e)
{
    static const struct {
        const char *name, *dflt;
    } system[] = { { "manufacturer", "KubeVirt" },
                   { "family", "" },
                   { "product", "None" },
                   { "sku", "" },
                   { "version", "" } };
    static const char *const chassis[] = { "manufacturer", "version", "serial", "asset", "sku" };
    const json_t *smbios = jpath_obj(p->options, "smbios");

    xml_open(x, "sysinfo");
    xml_attr(x, "type", "smbios");
    xml_open(x, "system");
    entry(x, "uuid", jpath_str(p->domain, "firmware.uuid", NULL));
    entry(x, "serial", jpath_str(p->domain, "firmware.serial", NULL));
    for (size_t i = 0; i < countof(system); i++)
        entry(x, system[i].name, jpath_str(smbios, system[i].name, system[i].dflt));
    xml_close(x);
    if (jpath_obj(p->domain, "chassis")) {
        xml_open(x, "chassis");
        for (size_t i = 0; i < countof(chassis); i++)
            entry(x, chassis[i], jpath_str(jpath_obj(p->domain, "chassis"), chassis[i], NULL));
        xml_close(x);
    }
    xml_close(x);
    return 0;
}
