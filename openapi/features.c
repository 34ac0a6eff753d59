/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.domain.features. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(apic_feature, "FeatureAPIC", "The interrupt controller.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    BOOL("endOfInterrupt", "Let the guest end interrupts without leaving guest mode."));

TYPE(hyperv_spinlocks, "FeatureSpinlocks", "Tell Windows when to stop spinning for a lock.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    INT32("spinlocks", "Tries before the guest tells the host; at least 4096."));

TYPE(hyperv_vendor, "FeatureVendorID", "The vendor that the hypervisor claims to be.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    STRING("vendorid", "Up to 12 characters."));

TYPE(hyperv_synic_timer, "SyNICTimer", "Synthetic timers.",
    OBJECT("direct", feature_switch, "Deliver expirations straight as an interrupt."),
    BOOL("enabled", "On or off; on when the object is there without it."));

TYPE(hyperv_tlb_flush, "TLBFlush", "Flush other processors' translations through the host.",
    OBJECT("direct", feature_switch, "Also for guests of the guest."),
    BOOL("enabled", "On or off; on when the object is there without it."),
    OBJECT("extended", feature_switch, "Flush parts of the address space, not all of it."));

TYPE(hyperv_features, "FeatureHyperv", "Enlightenments that make Windows guests faster.",
    OBJECT("evmcs", feature_switch, "Enlightened nested virtualization; needs vapic."),
    OBJECT("frequencies", feature_switch, "Tell the guest the frequencies of its timers."),
    OBJECT("ipi", feature_switch, "Interrupts between processors through the host; needs vpindex."),
    OBJECT("reenlightenment", feature_switch, "Tell the guest when its time source has changed."),
    OBJECT("relaxed", feature_switch, "Do not let the guest stop over a late timer."),
    OBJECT("reset", feature_switch, "Let the guest reset the machine."),
    OBJECT("runtime", feature_switch, "Tell the guest how long its processors really ran."),
    OBJECT("spinlocks", hyperv_spinlocks, "Tell the guest when to stop spinning for a lock."),
    OBJECT("synic", feature_switch, "Synthetic interrupt controller; needs vpindex."),
    OBJECT("synictimer", hyperv_synic_timer, "Synthetic timers; need synic."),
    OBJECT("tlbflush", hyperv_tlb_flush, "Flush other processors' translations through the host; needs vpindex."),
    OBJECT("vapic", feature_switch, "Faster interrupt controller."),
    OBJECT("vendorid", hyperv_vendor, "The vendor that the hypervisor claims to be."),
    OBJECT("vpindex", feature_switch, "Tell each processor its number."));

TYPE(kvm_feature, "FeatureKVM", "How KVM shows itself to the guest.",
    BOOL("hidden", "Hide KVM from the guest."));

TYPE(features, "Features", "What the guest's platform can do.",
    OBJECT("acpi", feature_switch, "ACPI tables; needed for an orderly shutdown."),
    OBJECT("apic", apic_feature, "Interrupt controller."),
    OBJECT("hyperv", hyperv_features, "Enlightenments for Windows guests, one by one."),
    OBJECT("hypervPassthrough", feature_switch, "All enlightenments that the node offers; excludes hyperv."),
    OBJECT("kvm", kvm_feature, "How KVM shows itself to the guest."),
    OBJECT("pvspinlock", feature_switch, "Let waiting processors sleep instead of spin."),
    OBJECT("smm", feature_switch, "System management mode; needed for secure boot."));
// clang-format on
