/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.volumes. */
#include "openapi/types.h"

#include "openapi/rows.h"
#include "openapi/rules.h"

// clang-format off
TYPE(cloud_init_type, "CloudInitSource", "What cloud-init in the guest is told; one source for each of user and network data.",
    STRING("networkData", "Network configuration, as text."),
    STRING("networkDataBase64", "Network configuration, base64."),
    OBJECT("networkDataSecretRef", local_ref_type, "Secret with the network configuration, key networkdata."),
    OBJECT("secretRef", local_ref_type, "Secret with the user data, key userdata."),
    STRING("userData", "User data, as text; at most 2048 bytes."),
    STRING("userDataBase64", "User data, base64; at most 2048 bytes when decoded."));

TYPE(config_map_volume_type, "ConfigMapVolumeSource", "A ConfigMap as a disk of files.",
    STRING("name", "Name of the ConfigMap.", .dflt = "\"\""),
    BOOL("optional", "Start without it when it does not exist."),
    STRING("volumeLabel", "Label of the disk's file system."));

TYPE(container_disk_type, "ContainerDiskSource", "A disk out of a container image; changes are lost when the guest stops.",
    STRING("image", "Image that holds the disk under /disk.", REQUIRED),
    STRING("imagePullPolicy", "When the node pulls the image.", ONE_OF("Always", "IfNotPresent", "Never")),
    STRING("imagePullSecret", "Secret with the registry's credentials."),
    STRING("path", "Absolute path of the disk in the image; the one file under /disk when absent."));

TYPE(container_path_type, "ContainerPathVolumeSource", "A path of the launcher's container, shared with the guest.",
    STRING("path", "Absolute path in the container.", REQUIRED, .max_length = 4096,
           RULES({ "self.startsWith('/')", "must be an absolute path", rule_is_absolute_path },
                 { "!self.contains('..')", "must not contain '..'", rule_has_no_parent_step })),
    BOOL("readOnly", "The guest cannot write; always so.", .dflt = "true",
         RULES({ "self == true", "must be true", rule_is_true })));

TYPE(data_volume_ref_type, "DataVolumeSource", "The claim of a DataVolume.",
    BOOL("hotpluggable", "May be taken away while the guest runs."),
    STRING("name", "Name of the DataVolume.", REQUIRED));

TYPE(object_field_type, "ObjectFieldSelector", "A field of the pod.",
    STRING("apiVersion", "Version that the path is written in; v1 when absent."),
    STRING("fieldPath", "Path of the field.", REQUIRED));

TYPE(resource_field_type, "ResourceFieldSelector", "A resource of the pod.",
    STRING("containerName", "Container whose resource it is."),
    QUANTITY("divisor", "Unit that the amount is written in."),
    STRING("resource", "Resource, such as limits.cpu.", REQUIRED));

TYPE(downward_file_type, "DownwardAPIVolumeFile", "One file about the pod.",
    OBJECT("fieldRef", object_field_type, "A field of the pod."),
    INT32("mode", "Permissions of the file."),
    STRING("path", "Relative path of the file.", REQUIRED),
    OBJECT("resourceFieldRef", resource_field_type, "A resource of the pod."));

TYPE(downward_volume_type, "DownwardAPIVolumeSource", "Facts about the pod as a disk of files.",
    LIST("fields", downward_file_type, "Files on the disk."),
    STRING("volumeLabel", "Label of the disk's file system."));

TYPE(empty_disk_type, "EmptyDiskSource", "An empty disk that lives as long as the instance.",
    QUANTITY("capacity", "Size of the disk.", REQUIRED));

TYPE(pod_claim_type, "PersistentVolumeClaimSource", "A claim of the same namespace.",
    STRING("claimName", "Name of the claim.", REQUIRED),
    BOOL("readOnly", "Mount it read-only."));

TYPE(ephemeral_volume_type, "EphemeralVolumeSource", "A claim that is read; changes are lost when the guest stops.",
    OBJECT("persistentVolumeClaim", pod_claim_type, "The claim that is read."));

TYPE(host_disk_type, "HostDisk", "A disk image on the node.",
    QUANTITY("capacity", "Size of the image if it is made."),
    STRING("path", "Absolute path on the node.", REQUIRED),
    BOOL("shared", "Several machines may use it."),
    STRING("type", "Disk (must exist) or DiskOrCreate.", REQUIRED));

TYPE(claim_volume_type, "ClaimVolumeSource", "A claim of the same namespace.",
    STRING("claimName", "Name of the claim.", REQUIRED),
    BOOL("hotpluggable", "May be taken away while the guest runs."),
    BOOL("readOnly", "The guest cannot write."));

TYPE(secret_volume_type, "SecretVolumeSource", "A Secret as a disk of files.",
    BOOL("optional", "Start without it when it does not exist."),
    STRING("secretName", "Name of the Secret."),
    STRING("volumeLabel", "Label of the disk's file system."));

TYPE(service_account_volume_type, "ServiceAccountVolumeSource", "A service account's token as a disk of files.",
    STRING("serviceAccountName", "Name of the service account."));

TYPE(sysprep_type, "SysprepSource", "Answer files for Windows' set-up; one of the two.",
    OBJECT("configMap", local_ref_type, "ConfigMap with the answer files."),
    OBJECT("secret", local_ref_type, "Secret with the answer files."));

TYPE(volume_type, "Volume", "One volume of the machine; exactly one source.",
    OBJECT("cloudInitConfigDrive", cloud_init_type, "Cloud-init data as a config drive."),
    OBJECT("cloudInitNoCloud", cloud_init_type, "Cloud-init data as a NoCloud disk."),
    OBJECT("configMap", config_map_volume_type, "A ConfigMap as a disk of files."),
    OBJECT("containerDisk", container_disk_type, "A disk out of a container image."),
    OBJECT("containerPath", container_path_type, "A path of the launcher's container.", INERT),
    OBJECT("dataVolume", data_volume_ref_type, "The claim of a DataVolume.", INERT),
    OBJECT("downwardAPI", downward_volume_type, "Facts about the pod as a disk of files."),
    PRESENCE("downwardMetrics", "Facts about the node as a small disk.", INERT),
    OBJECT("emptyDisk", empty_disk_type, "An empty disk."),
    OBJECT("ephemeral", ephemeral_volume_type, "A claim that is read; changes are lost.", INERT),
    OBJECT("hostDisk", host_disk_type, "A disk image on the node.", INERT),
    OBJECT("memoryDump", claim_volume_type, "Claim that a dump of the guest's memory goes to.", INERT),
    STRING("name", "Name of the volume, a DNS label.", REQUIRED),
    OBJECT("persistentVolumeClaim", claim_volume_type, "A claim of the same namespace.", INERT),
    OBJECT("secret", secret_volume_type, "A Secret as a disk of files."),
    OBJECT("serviceAccount", service_account_volume_type, "A service account's token as a disk of files."),
    OBJECT("sysprep", sysprep_type, "Answer files for Windows' set-up."));
// clang-format on
