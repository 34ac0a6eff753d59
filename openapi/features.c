/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.domain.features. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(apic_feature_type, "FeatureAPIC", "The interrupt controller.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    BOOL("endOfInterrupt", "Let the guest end interrupts without leaving guest mode."));

TYPE(hyperv_spinlocks_type, "FeatureSpinlocks", "Tell Windows when to stop spinning for a lock.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    INT32("spinlocks", "Tries before the guest tells the host; at least 4096.", UNSIGNED));

TYPE(hyperv_vendor_type, "FeatureVendorID", "The vendor that the hypervisor claims to be.",
    BOOL("enabled", "On or off; on when the object is there without it."),
    STRING("vendorid", "Up to 12 characters."));

TYPE(hyperv_synic_timer_type, "SyNICTimer", "Synthetic timers.",
    OBJECT("direct", feature_switch_type, "Deliver expirations straight as an interrupt."),
    BOOL("enabled", "On or off; on when the object is there without it."));

TYPE(hyperv_tlb_flush_type, "TLBFlush", "Flush other processors' translations through the host.",
    OBJECT("direct", feature_switch_type, "Also for guests of the guest."),
    BOOL("enabled", "On or off; on when the object is there without it."),
    OBJECT("extended", feature_switch_type, "Flush parts of the address space, not all of it."));

TYPE(hyperv_features_type, "FeatureHyperv", "Enlightenments that make Windows guests faster.",
    OBJECT("evmcs", feature_switch_type, "Enlightened nested virtualization; needs vapic."),
    OBJECT("frequencies", feature_switch_type, "Tell the guest the frequencies of its timers."),
    OBJECT("ipi", feature_switch_type, "Interrupts between processors through the host; needs vpindex."),
    OBJECT("reenlightenment", feature_switch_type, "Tell the guest when its time source has changed."),
    OBJECT("relaxed", feature_switch_type, "Do not let the guest stop over a late timer."),
    OBJECT("reset", feature_switch_type, "Let the guest reset the machine."),
    OBJECT("runtime", feature_switch_type, "Tell the guest how long its processors really ran."),
    OBJECT("spinlocks", hyperv_spinlocks_type, "Tell the guest when to stop spinning for a lock."),
    OBJECT("synic", feature_switch_type, "Synthetic interrupt controller; needs vpindex."),
    OBJECT("synictimer", hyperv_synic_timer_type, "Synthetic timers; need synic."),
    OBJECT("tlbflush", hyperv_tlb_flush_type, "Flush other processors' translations through the host; needs vpindex."),
    OBJECT("vapic", feature_switch_type, "Faster interrupt controller."),
    OBJECT("vendorid", hyperv_vendor_type, "The vendor that the hypervisor claims to be."),
    OBJECT("vpindex", feature_switch_type, "Tell each processor its number."));

TYPE(kvm_feature_type, "FeatureKVM", "How KVM shows itself to the guest.",
    BOOL("hidden", "Hide KVM from the guest."));

TYPE(features_type, "Features", "What the guest's platform can do.",
    OBJECT("acpi", feature_switch_type, "ACPI tables; needed for an orderly shutdown."),
    OBJECT("apic", apic_feature_type, "Interrupt controller."),
    OBJECT("hyperv", hyperv_features_type, "Enlightenments for Windows guests, one by one."),
    OBJECT("hypervPassthrough", feature_switch_type, "All enlightenments that the node offers; excludes hyperv."),
    OBJECT("kvm", kvm_feature_type, "How KVM shows itself to the guest."),
    OBJECT("pvspinlock", feature_switch_type, "Let waiting processors sleep instead of spin."),
    OBJECT("smm", feature_switch_type, "System management mode; needed for secure boot."));
// clang-format on
