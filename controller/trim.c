/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of what is kept; see trim.h. */
#include "controller/trim.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/names.h"

void trim_own(json_t *obj)
{
    json_t *annotations = jpath_obj(obj, "metadata.annotations");
    json_object_del(annotations, "kubectl.kubernetes.io/last-applied-configuration");
}

/* Keep only the named members. */
static void keep_only(json_t *object, const char *const *keys, size_t n)
{
    const char *key;
    json_t *v;
    void *next;
    json_object_foreach_safe(object, next, key, v) {
        bool kept = false;
        for (size_t i = 0; i < n; i++)
            kept = kept || streq(key, keys[i]);
        if (!kept)
            json_object_del(object, key);
    }
}

#define KEEP(object, ...)                                   \
    do {                                                    \
        static const char *const keys_[] = { __VA_ARGS__ }; \
        keep_only(object, keys_, countof(keys_));           \
    } while (0)

void trim_identity(json_t *obj)
{
    KEEP(obj, "apiVersion", "kind", "metadata");
    KEEP(jpath_obj(obj, "metadata"), "name", "namespace", "uid", "resourceVersion");
}

static void trim_containers(json_t *list)
{
    size_t i;
    json_t *container;
    json_array_foreach(list, i, container) {
        KEEP(container, "name", "image");
    }
}

static void trim_container_statuses(json_t *list)
{
    size_t i;
    json_t *container;
    json_array_foreach(list, i, container) {
        KEEP(container, "name", "image", "imageID", "ready", "state");
    }
}

void trim_pod(json_t *pod)
{
    KEEP(jpath_obj(pod, "metadata"), "name", "namespace", "uid", "resourceVersion", "labels",
         "annotations", "ownerReferences", "creationTimestamp", "deletionTimestamp");
    KEEP(jpath_obj(pod, "metadata.annotations"), ANNOTATION_MEMORY_OVERHEAD,
         "kubevirt.io/migrationTransportUnix", "k8s.v1.cni.cncf.io/network-status");
    KEEP(jpath_obj(pod, "spec"), "nodeName", "containers");
    trim_containers(jpath_arr(pod, "spec.containers"));
    KEEP(jpath_obj(pod, "status"), "phase", "reason", "qosClass", "conditions", "containerStatuses",
         "initContainerStatuses");
    trim_container_statuses(jpath_arr(pod, "status.containerStatuses"));
    trim_container_statuses(jpath_arr(pod, "status.initContainerStatuses"));
}

void trim_node(json_t *node)
{
    KEEP(node, "metadata");
    KEEP(jpath_obj(node, "metadata"), "name", "uid", "resourceVersion", "labels", "annotations");
    KEEP(jpath_obj(node, "metadata.labels"), LABEL_SCHEDULABLE);
    KEEP(jpath_obj(node, "metadata.annotations"), ANNOTATION_HEARTBEAT);
}

char *index_vmi_by_node(const json_t *vmi)
{
    const char *node = jpath_str(vmi, "status.nodeName", "");
    return node[0] ? must_strdup(node) : NULL;
}

char *index_orphan_by_namespace(const json_t *obj)
{
    return meta_controller(obj) ? NULL : must_strdup(meta_namespace(obj));
}
