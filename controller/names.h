/* SPDX-License-Identifier: Apache-2.0 */
/* Labels, annotations, finalizers and reasons: the words that virt-controller and the
 * others share. */
#ifndef CONTROLLER_NAMES_H
#define CONTROLLER_NAMES_H

#define LABEL_NODE_NAME "kubevirt.io/nodeName"
#define LABEL_CREATED_BY "kubevirt.io/created-by"
#define LABEL_OUTDATED "kubevirt.io/outdatedLauncherImage"
#define LABEL_MIGRATION_TARGET "kubevirt.io/migrationTargetNodeName"
#define LABEL_SCHEDULABLE "kubevirt.io/schedulable"

#define ANNOTATION_LATEST_API "kubevirt.io/latest-observed-api-version"
#define ANNOTATION_STORAGE_API "kubevirt.io/storage-observed-api-version"
#define ANNOTATION_MIGRATION_TARGET "kubevirt.io/create-migration-target"
#define ANNOTATION_VM_GENERATION "kubevirt.io/vm-generation"
#define ANNOTATION_HEARTBEAT "kubevirt.io/heartbeat"
#define ANNOTATION_MEMORY_OVERHEAD "kubevirt.io/memory-overhead-bytes"

#define FINALIZER_VM "kubevirt.io/virtualMachineControllerFinalize"
#define FINALIZER_VMI "kubevirt.io/foregroundDeleteVirtualMachine"
#define FINALIZER_VMI_OLD "foregroundDeleteVirtualMachine"

#define REASON_CREATED "SuccessfulCreate"
#define REASON_CREATE_FAILED "FailedCreate"
#define REASON_DELETED "SuccessfulDelete"
#define REASON_DELETE_FAILED "FailedDelete"

#define MESSAGE_NOT_RUNNING "the guest is not running"

#define READINESS_GATE "kubevirt.io/virtual-machine-unpaused"

#endif
