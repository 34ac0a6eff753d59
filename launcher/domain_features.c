// SPDX-License-Identifier: Apache-2.0
/* Features, clock and timers of a domain (spec 05, section 3.5). */
#include "launcher/domain_parts.h"

#include "base/jpath.h"
#include "base/scope.h"
#include "base/str.h"

/* A FeatureState: present means on unless it says enabled: false. */
static bool is_on(const json_t *features, const char *path)
{
    const json_t *state = jpath_obj(features, path);
    return state && jpath_bool(state, "enabled", true);
}

static const char *on_off(bool on)
{
    return on ? "on" : "off";
}

// clang-format off
/* Hyper-V enlightenments: name in the VMI, name in libvirt, a member with a value, a nested switch. */
static const struct hyperv {
    const char *vmi, *libvirt;
    const char *value, *value_attr;
    const char *nested[2], *nested_element[2];
} hyperv[] = {
    { "relaxed",         "relaxed",         NULL, NULL, {0}, {0} },
    { "vapic",           "vapic",           NULL, NULL, {0}, {0} },
    { "spinlocks",       "spinlocks",       "spinlocks", "retries", {0}, {0} },
    { "vpindex",         "vpindex",         NULL, NULL, {0}, {0} },
    { "runtime",         "runtime",         NULL, NULL, {0}, {0} },
    { "synic",           "synic",           NULL, NULL, {0}, {0} },
    { "synictimer",      "stimer",          NULL, NULL, { "direct" }, { "direct" } },
    { "reset",           "reset",           NULL, NULL, {0}, {0} },
    { "vendorid",        "vendor_id",       "vendorid", "value", {0}, {0} },
    { "frequencies",     "frequencies",     NULL, NULL, {0}, {0} },
    { "reenlightenment", "reenlightenment", NULL, NULL, {0}, {0} },
    { "tlbflush",        "tlbflush",        NULL, NULL, { "direct", "extended" }, { "direct", "extended" } },
    { "ipi",             "ipi",             NULL, NULL, {0}, {0} },
    { "evmcs",           "evmcs",           NULL, NULL, {0}, {0} },
};
// clang-format on

static void write_hyperv_row(struct xml *x, const struct hyperv *row, const json_t *given)
{
    bool on = jpath_bool(given, "enabled", true);

    xml_open(x, row->libvirt);
    xml_attr(x, "state", on_off(on));
    if (on && row->value) {
        const json_t *value = jpath(given, row->value);
        if (json_is_integer(value))
            xml_attrf(x, row->value_attr, "%lld", (long long)json_integer_value(value));
        else if (json_is_string(value))
            xml_attr(x, row->value_attr, json_string_value(value));
        else if (streq(row->value_attr, "retries"))
            xml_attr(x, "retries", "4096");
    }
    for (size_t i = 0; i < countof(row->nested) && on; i++)
        if (row->nested[i] && jpath_obj(given, row->nested[i]))
            xml_with(x, row->nested_element[i], "state", on_off(is_on(given, row->nested[i])));
    xml_close(x);
}

static void write_hyperv(struct xml *x, const json_t *features)
{
    const json_t *given = jpath_obj(features, "hyperv");

    if (is_on(features, "hypervPassthrough")) {
        xml_with(x, "hyperv", "mode", "passthrough");
        return;
    }
    if (!given)
        return;
    xml_open(x, "hyperv");
    for (size_t i = 0; i < countof(hyperv); i++)
        if (jpath_obj(given, hyperv[i].vmi))
            write_hyperv_row(x, &hyperv[i], jpath_obj(given, hyperv[i].vmi));
    xml_close(x);
}

static void write_kvm(struct xml *x, const struct domain_plan *p, const json_t *features)
{
    bool is_hidden = is_on(features, "kvm") && jpath_bool(features, "kvm.hidden", false);
    bool is_dedicated =
        streq(p->arch->name, "amd64") && jpath_bool(p->domain, "cpu.dedicatedCpuPlacement", false);

    if (!is_hidden && !is_dedicated)
        return;
    xml_open(x, "kvm");
    if (is_hidden)
        xml_with(x, "hidden", "state", "on");
    if (is_dedicated)
        xml_with(x, "hint-dedicated", "state", "on");
    xml_close(x);
}

int domain_features(struct xml *x, const struct domain_plan *p, struct error *e)
{
    const json_t *features = jpath_obj(p->domain, "features");
    bool has_acpi = streq(p->arch->name, "s390x") ? false : is_on(features, "acpi");

    xml_open(x, "features");
    if (has_acpi)
        xml_empty(x, "acpi");
    if (is_on(features, "apic")) {
        xml_open(x, "apic");
        if (jpath_has(features, "apic.endOfInterrupt"))
            xml_attr(x, "eoi", on_off(jpath_bool(features, "apic.endOfInterrupt", false)));
        xml_close(x);
    }
    write_hyperv(x, features);
    if (is_on(features, "smm"))
        xml_empty(x, "smm");
    write_kvm(x, p, features);
    if (jpath_obj(features, "pvspinlock"))
        xml_with(x, "pvspinlock", "state", on_off(is_on(features, "pvspinlock")));
    if (p->arch->has_vmport)
        xml_with(x, "vmport", "state", "off");
    xml_close(x);
    return 0;
}

static void write_timers(struct xml *x, const json_t *timer)
{
    static const struct {
        const char *vmi, *libvirt;
    } timers[] = { { "rtc", "rtc" },
                   { "pit", "pit" },
                   { "kvm", "kvmclock" },
                   { "hpet", "hpet" },
                   { "hyperv", "hypervclock" } };

    for (size_t i = 0; i < countof(timers); i++) {
        const json_t *given = jpath_obj(timer, timers[i].vmi);
        if (!given)
            continue;
        xml_open(x, "timer");
        xml_attr(x, "name", timers[i].libvirt);
        xml_attr(x, "track", jpath_str(given, "track", NULL));
        xml_attr(x, "tickpolicy", jpath_str(given, "tickPolicy", NULL));
        xml_attr(x, "present", jpath_bool(given, "present", true) ? "yes" : "no");
        xml_close(x);
    }
}

int domain_clock(struct xml *x, const struct domain_plan *p, struct error *e)
{
    const json_t *clock = jpath_obj(p->domain, "clock");
    if (!clock)
        return 0;
    const char *timezone = jpath_str(clock, "timezone", NULL);

    xml_open(x, "clock");
    if (timezone) {
        xml_attr(x, "offset", "timezone");
        xml_attr(x, "timezone", timezone);
    } else {
        xml_attr(x, "offset", "utc");
        const json_t *offset = jpath(clock, "utc.offsetSeconds");
        if (json_is_integer(offset))
            xml_attrf(x, "adjustment", "%lld", (long long)json_integer_value(offset));
        else if (jpath_obj(clock, "utc"))
            xml_attr(x, "adjustment", "reset");
    }
    write_timers(x, jpath_obj(clock, "timer"));
    xml_close(x);
    return 0;
}
