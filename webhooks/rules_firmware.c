/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware, kernel boot, confidential machines (spec 02, 4.1); `here` is spec.domain. */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"
#include "webhooks/rules_vm.h"

static bool is_secret_volume(const struct subject *s, const char *name)
{
    return jpath_has(volume_named(s->spec, name), "secret");
}

static void acpi_tables(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    static const char *const refs[] = { "slicNameRef", "msdmNameRef" };
    bool has_any = false;

    for (size_t i = 0; i < 2; i++) {
        const char *name = jpath_str(v, refs[i], "");

        if (!*name)
            continue;
        has_any = true;
        if (!is_secret_volume(s, name))
            rule_report_at(r, s, out, "%s.%s", r->path, refs[i]);
    }
    if (!has_any)
        rule_say(s, out, CAUSE_INVALID, r->path, "name a volume in slicNameRef or msdmNameRef");
}

static void one_bootloader(const struct rule *r, const struct subject *s, const json_t *v,
                           struct findings *out)
{
    if (jpath_has(v, "efi") && jpath_has(v, "bios"))
        rule_report(r, s, out);
}

/* Secure boot is on unless it is switched off. */
static void secure_boot_needs_smm(const struct rule *r, const struct subject *s, const json_t *v,
                                  struct findings *out)
{
    const json_t *smm = jpath_obj(s->here, "features.smm");
    bool has_smm = smm && jpath_bool(smm, "enabled", true);

    if (jpath_bool(v, "secureBoot", true) && !has_smm && !jpath_has(s->here, "launchSecurity.tdx"))
        rule_say(s, out, r->cause, "", "%s", r->message);
}

static void check_boot_path(const struct subject *s, struct findings *out, const json_t *container,
                            const char *key)
{
    const char *path = jpath_str(container, key, "");

    if (!*path || (is_clean_path(path) && !streq(path, "/")))
        return;
    char where[64];
    (void)snprintf(where, sizeof(where), "firmware.kernelBoot.container.%s", key);
    rule_say(s, out, CAUSE_INVALID, where, "must be an absolute path of a file in the image");
}

static void kernel_boot(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const json_t *container = jpath_obj(v, "container");

    if (!container) {
        if (*jpath_str(v, "kernelArgs", ""))
            rule_say(s, out, CAUSE_INVALID, "firmware.kernelBoot.kernelArgs",
                     "has no kernel to go to: set kernelBoot.container");
        return;
    }
    if (!*jpath_str(container, "image", ""))
        rule_say(s, out, CAUSE_REQUIRED, "firmware.kernelBoot.container",
                 "name the image that holds the kernel");
    else if (!*jpath_str(container, "kernelPath", "") && !*jpath_str(container, "initrdPath", ""))
        rule_say(s, out, CAUSE_REQUIRED, "firmware.kernelBoot.container",
                 "set kernelPath or initrdPath");
    check_boot_path(s, out, container, "kernelPath");
    check_boot_path(s, out, container, "initrdPath");
}

/* ---- launch security ---- */

static bool has_boot_order(const json_t *interfaces)
{
    size_t i;
    json_t *interface;

    json_array_foreach(interfaces, i, interface)
        if (jpath_has(interface, "bootOrder"))
            return true;
    return false;
}

static void check_gates(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    if ((jpath_has(v, "sev") || jpath_has(v, "snp")) &&
        !cluster_config_gate(s->config, "WorkloadEncryptionSEV"))
        rule_say(s, out, CAUSE_INVALID, r->path, "needs the feature gate WorkloadEncryptionSEV");
    if (jpath_has(v, "tdx") && !cluster_config_gate(s->config, "WorkloadEncryptionTDX"))
        rule_say(s, out, CAUSE_INVALID, r->path, "needs the feature gate WorkloadEncryptionTDX");
}

static void check_encrypted_firmware(const struct rule *r, const struct subject *s, const json_t *v,
                                     struct findings *out)
{
    const json_t *efi = jpath_obj(s->here, "firmware.bootloader.efi");
    bool is_sev = jpath_has(v, "sev") || jpath_has(v, "snp");
    bool is_stateless = jpath_has(v, "snp") || jpath_has(v, "tdx");

    if (!efi)
        rule_say(s, out, CAUSE_INVALID, r->path, "needs firmware.bootloader.efi");
    if (efi && is_sev && jpath_bool(efi, "secureBoot", true))
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "does not go with secure boot: set firmware.bootloader.efi.secureBoot to false");
    if (efi && is_stateless && jpath_bool(efi, "persistent", false))
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "does not go with firmware.bootloader.efi.persistent: leave that out");
    if (jpath_has(v, "tdx") && jpath_obj(s->here, "features.smm") &&
        jpath_bool(s->here, "features.smm.enabled", true))
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "TDX does not go with features.smm: leave that out");
}

static void check_amd64(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    int kinds = jpath_has(v, "sev") + jpath_has(v, "snp") + jpath_has(v, "tdx");

    if (kinds != 1) {
        rule_say(s, out, CAUSE_FORBIDDEN, r->path, "set exactly one of sev, snp and tdx");
        return;
    }
    check_gates(r, s, v, out);
    check_encrypted_firmware(r, s, v, out);
    if (jpath_has(v, "sev.attestation") &&
        !streq(jpath_str(s->spec, "startStrategy", ""), "Paused"))
        rule_say(s, out, CAUSE_INVALID, r->path, "attestation needs startStrategy: Paused");
    if (has_boot_order(jpath_arr(s->here, "devices.interfaces")))
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "cannot boot from the network: leave out bootOrder of the interfaces");
}

static void launch_security(const struct rule *r, const struct subject *s, const json_t *v,
                            struct findings *out)
{
    struct subject top = *s;
    const struct at *at = s->at;

    top.at = at->up; /* the architecture stands beside the domain */
    if (streq(s->arch, "amd64"))
        check_amd64(r, s, v, out);
    else if (!streq(s->arch, "s390x"))
        rule_say(&top, out, CAUSE_INVALID, "architecture",
                 "launchSecurity needs the architecture amd64 or s390x");
}

// clang-format off
const struct rule preset_firmware_rules[] = {
    RULE("firmware.bootloader", one_bootloader, INVALID, "set only one of bios and efi"),
    RULE("firmware.kernelBoot", kernel_boot, INVALID, NULL),
    RULES_END,
};

static const struct rule domain_rules[] = {
    RULE("firmware.bootloader.efi", secure_boot_needs_smm, INVALID,
         "secure boot needs features.smm: enable it, or set firmware.bootloader.efi.secureBoot to false"),
    RULE("firmware.acpi", acpi_tables, INVALID, "must be the name of a secret volume"),
    RULE("launchSecurity", launch_security, INVALID, NULL),
    RULES_END,
};

const struct rule firmware_rules[] = {
    BELOW("domain", preset_firmware_rules),
    BELOW("domain", domain_rules),
    RULES_END,
};
// clang-format on
