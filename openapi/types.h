/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that more than one file refers to, by the file that holds them.
 * The tables of whole kinds are reached through openapi/kinds.h.
 */
#ifndef OPENAPI_TYPES_H
#define OPENAPI_TYPES_H

#include "openapi/field.h"

/* meta.c: bits of Kubernetes' own API */
extern const struct schema presence, label_selector, local_ref, typed_local_ref, typed_ref,
    condition, resource_amounts, feature_switch, optional_switch;

/* core.c: what a machine hands to its pod */
extern const struct schema affinity, toleration, spread_constraint, dns_config;
/* cpu.c */
extern const struct schema cpu, cpu_feature, numa, realtime;
/* memory.c */
extern const struct schema memory, hugepages, domain_resources;
/* clock.c */
extern const struct schema guest_clock, clock_utc, timers;
/* features.c */
extern const struct schema features, hyperv_features, apic_feature, kvm_feature;
/* firmware.c */
extern const struct schema firmware, machine, chassis, efi, launch_security;
/* disks.c */
extern const struct schema disk, disk_block_size;
/* interfaces.c */
extern const struct schema interface, network;
/* devices.c */
extern const struct schema devices, gpu, host_device, vgpu_options, tpm;
/* domain.c */
extern const struct schema domain, io_threads;
/* volumes.c */
extern const struct schema volume, claim_volume, data_volume_ref;
/* access.c */
extern const struct schema access_credential;
/* probes.c */
extern const struct schema probe;
/* vmi_spec.c */
extern const struct schema vmi_spec, vmi_template;
/* vmi_status.c */
extern const struct schema vmi_status, migrated_volume, change_tracking, phase_transition;
/* migration_state.c */
extern const struct schema migration_state, migration_experimental;
/* data_volume.c */
extern const struct schema data_volume_template, data_volume_pvc;
/* vm.c */
extern const struct schema vm_spec, vm_status;
/* kubevirt_config.c, kubevirt_hardware.c */
extern const struct schema kubevirt_config, migration_config, permitted_devices, mediated_config,
    network_config, arch_config;

/* one file a kind */
extern const struct schema vmi, vm, vmirs, preset, migration, kubevirt;
extern const struct schema instancetype, cluster_instancetype, preference, cluster_preference;

#endif
