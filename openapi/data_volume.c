/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a VirtualMachine's spec.dataVolumeTemplates. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(data_checkpoint_type, "DataVolumeCheckpoint", "One step of an import in several steps.",
    STRING("current", "Snapshot that this step copies up to.", REQUIRED),
    STRING("previous", "Snapshot of the step before.", REQUIRED));

#define CLAIM_COMMON                                                                           \
    STRINGS("accessModes", "How the claim may be mounted.",                                         \
            ONE_OF("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")),          \
    OBJECT("dataSource", typed_local_ref_type, "What the claim is filled from."),                   \
    OBJECT("dataSourceRef", typed_ref_type, "What the claim is filled from, of any namespace."),    \
    OBJECT("resources", resource_amounts_type, "Size that is asked for."),                          \
    OBJECT("selector", label_selector_type, "Which volumes may serve the claim."),                  \
    STRING("storageClassName", "Storage class; the cluster's default when absent.")

TYPE(data_volume_pvc_type, "PersistentVolumeClaimSpec", "The claim that is made, as in Kubernetes.",
    CLAIM_COMMON,
    STRING("volumeAttributesClassName", "Class of attributes of the volume."),
    STRING("volumeMode", "What the guest finds: Block or Filesystem.", ONE_OF("Block", "Filesystem")),
    STRING("volumeName", "Volume that must serve the claim."));

TYPE(data_volume_storage_type, "StorageSpec", "The claim that is made; what is absent follows from the storage class.",
    CLAIM_COMMON,
    STRING("volumeMode", "What the guest finds: Block or Filesystem.", ONE_OF("Block", "Filesystem")),
    STRING("volumeName", "Volume that must serve the claim."));

TYPE(data_source_gcs_type, "DataVolumeSourceGCS", "An object of Google's storage.",
    STRING("secretRef", "Secret with the credentials."),
    STRING("url", "Where the image is.", REQUIRED));

TYPE(data_source_http_type, "DataVolumeSourceHTTP", "An image fetched by HTTP.",
    STRING("certConfigMap", "ConfigMap with the server's CA."),
    STRINGS("extraHeaders", "Headers sent along."),
    STRINGS("secretExtraHeaders", "Secrets whose contents are sent along as headers."),
    STRING("secretRef", "Secret with the credentials."),
    STRING("url", "Where the image is.", REQUIRED));

TYPE(data_source_imageio_type, "DataVolumeSourceImageIO", "A disk of oVirt.",
    STRING("certConfigMap", "ConfigMap with the server's CA."),
    STRING("diskId", "ID of the disk.", REQUIRED),
    BOOL("insecureSkipVerify", "Do not verify the server."),
    STRING("secretRef", "Secret with the credentials."),
    STRING("url", "Where the server is.", REQUIRED));

TYPE(data_source_named_type, "DataVolumeSourceNamed", "Another object of the cluster.",
    STRING("name", "Name of the object.", REQUIRED),
    STRING("namespace", "Namespace of the object.", REQUIRED));

TYPE(registry_platform_type, "PlatformOptions", "Which image of several.",
    STRING("architecture", "Architecture of the image."));

TYPE(data_source_registry_type, "DataVolumeSourceRegistry", "A disk out of a container image.",
    STRING("certConfigMap", "ConfigMap with the registry's CA."),
    STRING("imageStream", "Image stream to take it from."),
    OBJECT("platform", registry_platform_type, "Which image of several."),
    STRING("pullMethod", "Who pulls the image: the importer pod or the node."),
    STRING("secretRef", "Secret with the credentials."),
    STRING("url", "Where the image is."));

TYPE(data_source_s3_type, "DataVolumeSourceS3", "An object of an S3 store.",
    STRING("certConfigMap", "ConfigMap with the server's CA."),
    STRING("secretRef", "Secret with the credentials."),
    STRING("url", "Where the image is.", REQUIRED));

TYPE(data_source_vddk_type, "DataVolumeSourceVDDK", "A disk of VMware.",
    STRING("backingFile", "Path of the disk."),
    STRING("extraArgs", "ConfigMap with more arguments."),
    STRING("initImageURL", "Image with VMware's library."),
    STRING("secretRef", "Secret with the credentials."),
    STRING("thumbprint", "Fingerprint of the server's certificate."),
    STRING("url", "Where the server is."),
    STRING("uuid", "UUID of the machine."));

TYPE(data_volume_source_type, "DataVolumeSource_", "Where the data comes from; exactly one.",
    PRESENCE("blank", "An empty disk."),
    OBJECT("gcs", data_source_gcs_type, "An object of Google's storage."),
    OBJECT("http", data_source_http_type, "An image fetched by HTTP."),
    OBJECT("imageio", data_source_imageio_type, "A disk of oVirt."),
    OBJECT("pvc", data_source_named_type, "Another claim."),
    OBJECT("registry", data_source_registry_type, "A disk out of a container image."),
    OBJECT("s3", data_source_s3_type, "An object of an S3 store."),
    OBJECT("snapshot", data_source_named_type, "A snapshot of a volume."),
    PRESENCE("upload", "What a user uploads."),
    OBJECT("vddk", data_source_vddk_type, "A disk of VMware."));

TYPE(data_volume_source_ref_type, "DataVolumeSourceRef", "An object that says where the data comes from.",
    STRING("kind", "Kind of the source: DataSource.", REQUIRED),
    STRING("name", "Name of the object.", REQUIRED),
    STRING("namespace", "Namespace of the object; the machine's own when absent."));

TYPE(data_volume_spec_type, "DataVolumeSpec", "The claim that is made and what it is filled with.",
    LIST("checkpoints", data_checkpoint_type, "Steps of an import in several steps."),
    STRING("contentType", "A disk, or an archive of files.", ONE_OF("kubevirt", "archive")),
    BOOL("finalCheckpoint", "The last checkpoint ends the import."),
    BOOL("preallocation", "Take all of the space at once."),
    STRING("priorityClassName", "Priority class of the pods that fill it."),
    OBJECT("pvc", data_volume_pvc_type, "The claim, as in Kubernetes."),
    OBJECT("source", data_volume_source_type, "Where the data comes from."),
    OBJECT("sourceRef", data_volume_source_ref_type, "An object that says where the data comes from."),
    OBJECT("storage", data_volume_storage_type, "The claim, the rest following from the storage class."));

TYPE(data_volume_template_type, "DataVolumeTemplateSpec", "A DataVolume that is made for the machine and goes with it.",
    STRING("apiVersion", "Group and version of the schema of this object."),
    STRING("kind", "Which kind of object this is."),
    OPAQUE("metadata", "Name, labels and annotations of the DataVolume.", NULLABLE),
    OBJECT("spec", data_volume_spec_type, "The claim that is made and what it is filled with.", REQUIRED),
    OPAQUE("status", "Ignored: a template has no status.", NULLABLE));
// clang-format on
