/* SPDX-License-Identifier: Apache-2.0 */
/* What the launcher's pod takes from the instance: host name, DNS, probes, scheduling (spec 02, 4.1). */
#include "webhooks/rules.h"

const struct rule pod_rules[] = {
    { .path = "hostname", .check = rule_dns_label, .cause = CAUSE_INVALID, .message =
      "is not a DNS label: use at most 63 of a-z, 0-9 and '-', with a letter or digit at both ends" },
    { .path = "subdomain", .check = rule_dns_subdomain, .cause = CAUSE_INVALID, .message =
      "is not a DNS name: use labels of a-z, 0-9 and '-' joined by dots" },
    { .check = NULL },
};
