/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virt-launcher pod of an instance: JSON in, JSON out, nothing else is
 * looked at.  Parts of their own: render_resources, render_volumes,
 * render_placement, render_probes.  Any thread.
 *
 * The name is derived from the instance's UID, so that creating the same pod
 * twice (a worker that repeats itself, a second leader) is refused by the API
 * server instead of starting a machine twice.
 */
#ifndef CONTROLLER_RENDER_POD_H
#define CONTROLLER_RENDER_POD_H

#include <jansson.h>

#include "base/error.h"
#include "controller/settings.h"
#include "kube/cluster_config.h"

struct pod_request {
    const json_t *vmi;
    const struct cluster_config *config;
    const struct settings *settings;
    const json_t *pvcs; /* object: claim name -> PersistentVolumeClaim; NULL is none */
    int jitter_s;       /* 0..119, added to the launcher's QEMU time limit */
};

/* A new v1 Pod.  -ERR_INVALID when the instance cannot be a pod (a bad quantity, a claim not in
 * `pvcs`). */
int render_pod(json_t **ret, const struct pod_request *q, struct error *e);

/* The pod's name: virt-launcher-NAME-SUFFIX.  New string. */
char *launcher_pod_name(const json_t *vmi);
/* spec.hostname, else the name up to its first dot, at most 63 characters.  New string. */
char *vmi_hostname(const json_t *vmi);
/* Label vmi.kubevirt.io/id: the name, shortened with a digest when it is no label value.  New
 * string. */
char *vmi_id_label(const json_t *vmi);

/* The rest is for the parts of the renderer. */

/* "amd64" when the instance names none. */
const char *vmi_arch(const json_t *vmi);
bool vmi_is_emulated(const struct pod_request *q);
int vmi_vcpus(const json_t *vmi); /* at least 1 */

#endif
