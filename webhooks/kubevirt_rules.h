/* SPDX-License-Identifier: Apache-2.0 */
/* What a KubeVirt object's spec may say, as rows; `here` is the spec. */
#ifndef WEBHOOKS_KUBEVIRT_RULES_H
#define WEBHOOKS_KUBEVIRT_RULES_H

#include "webhooks/rules.h"

extern const struct rule kubevirt_rules[];
extern const struct rule kubevirt_tls_rules[];
extern const struct rule kubevirt_seccomp_rules[];
/* Where the programs run; the shape of it, since trying it would take a right to make workloads. */
extern const struct rule kubevirt_infra_rules[];
extern const struct rule kubevirt_workloads_rules[];

#endif
