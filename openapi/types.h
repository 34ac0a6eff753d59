/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that more than one file refers to, by the file that holds them.
 * The tables of whole kinds are reached through openapi/kinds.h.
 */
#ifndef OPENAPI_TYPES_H
#define OPENAPI_TYPES_H

#include "openapi/field.h"

/* meta.c: bits of Kubernetes' own API */
extern const struct schema presence_type, label_selector_type, local_ref_type, typed_local_ref_type,
    typed_ref_type, condition_type, resource_amounts_type, feature_switch_type,
    optional_switch_type;

/* core.c: what a machine hands to its pod */
extern const struct schema affinity_type, toleration_type, spread_constraint_type, dns_config_type;
/* cpu.c */
extern const struct schema cpu_type, cpu_feature_type, numa_type, realtime_type;
/* memory.c */
extern const struct schema memory_type, hugepages_type, domain_resources_type;
/* clock.c */
extern const struct schema guest_clock_type, clock_utc_type, timers_type;
/* features.c */
extern const struct schema features_type, hyperv_features_type, apic_feature_type, kvm_feature_type;
/* firmware.c */
extern const struct schema firmware_type, machine_type, chassis_type, efi_type,
    launch_security_type;
/* disks.c */
extern const struct schema disk_type, disk_block_size_type;
/* interfaces.c */
extern const struct schema interface_type, network_type;
/* devices.c */
extern const struct schema devices_type, gpu_type, host_device_type, vgpu_options_type, tpm_type;
/* domain.c */
extern const struct schema domain_type, io_threads_type;
/* volumes.c */
extern const struct schema volume_type, claim_volume_type, data_volume_ref_type;
/* access.c */
extern const struct schema access_credential_type;
/* probes.c */
extern const struct schema probe_type;
/* vmi_spec.c */
extern const struct schema vmi_spec_type, vmi_template_type, utility_volume_type;
/* vmi_status.c */
extern const struct schema vmi_status_type, migrated_volume_type, change_tracking_type,
    phase_transition_type;
/* migration_state.c */
extern const struct schema migration_state_type, migration_experimental_type;
/* data_volume.c */
extern const struct schema data_volume_template_type, data_volume_pvc_type;
/* vm.c */
extern const struct schema vm_spec_type, vm_status_type;
/* kubevirt_config.c, kubevirt_hardware.c */
extern const struct schema kubevirt_config_type, migration_config_type, permitted_devices_type,
    mediated_config_type, network_config_type, arch_config_type;

/* one file a kind */
extern const struct schema vmi_type, vm_type, vmirs_type, preset_type, migration_type,
    kubevirt_type;
extern const struct schema instancetype_type, cluster_instancetype_type, preference_type,
    cluster_preference_type, instancetype_spec_type, preference_spec_type;

#endif
