/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of what a machine hands to its pod: affinity, tolerations, spreading,
 * DNS.  Rows are open: Kubernetes adds members to these types, and it is the
 * API server that judges them in the pod.
 */
#include "openapi/types.h"

#include "openapi/rows.h"

#define OPEN .open = true

// clang-format off
TYPE(node_requirement_type, "NodeSelectorRequirement", "One condition on a node's label or field.",
    STRING("key", "Label or field that the condition is about.", REQUIRED),
    STRING("operator", "How it compares.", REQUIRED, ONE_OF("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")),
    STRINGS("values", "What it is compared with."));

TYPE(node_term_type, "NodeSelectorTerm", "Conditions that must all hold.",
    LIST("matchExpressions", node_requirement_type, "Conditions on labels.", OPEN),
    LIST("matchFields", node_requirement_type, "Conditions on fields.", OPEN));

TYPE(node_selector_type, "NodeSelector", "Terms of which one must hold.",
    LIST("nodeSelectorTerms", node_term_type, "The terms.", REQUIRED, OPEN));

TYPE(preferred_node_type, "PreferredSchedulingTerm", "A wish, and how much it counts.",
    OBJECT("preference", node_term_type, "The wish.", REQUIRED, OPEN),
    INT32("weight", "How much this term counts, from 1 to 100.", REQUIRED));

TYPE(node_affinity_type, "NodeAffinity", "Nodes that the pod must or should run on.",
    LIST("preferredDuringSchedulingIgnoredDuringExecution", preferred_node_type, "Nodes it should run on.", OPEN),
    OBJECT("requiredDuringSchedulingIgnoredDuringExecution", node_selector_type, "Nodes it must run on.", OPEN));

TYPE(pod_term_type, "PodAffinityTerm", "Pods, and the topology in which they are near.",
    OBJECT("labelSelector", label_selector_type, "Which pods.", OPEN),
    STRINGS("matchLabelKeys", "Labels whose values must be the same as the pod's."),
    STRINGS("mismatchLabelKeys", "Labels whose values must not be the same as the pod's."),
    OBJECT("namespaceSelector", label_selector_type, "Namespaces of the pods.", OPEN),
    STRINGS("namespaces", "Namespaces of the pods, by name."),
    STRING("topologyKey", "Label of nodes that makes them near.", REQUIRED));

TYPE(weighted_pod_type, "WeightedPodAffinityTerm", "A wish, and how much it counts.",
    OBJECT("podAffinityTerm", pod_term_type, "The wish.", REQUIRED, OPEN),
    INT32("weight", "How much this term counts, from 1 to 100.", REQUIRED));

TYPE(pod_affinity_type, "PodAffinity", "Pods that must or should be near, or far.",
    LIST("preferredDuringSchedulingIgnoredDuringExecution", weighted_pod_type, "Those that should.", OPEN),
    LIST("requiredDuringSchedulingIgnoredDuringExecution", pod_term_type, "Those that must.", OPEN));

TYPE(affinity_type, "Affinity", "Where the pod may run.",
    OBJECT("nodeAffinity", node_affinity_type, "By the node.", OPEN),
    OBJECT("podAffinity", pod_affinity_type, "Near these pods.", OPEN),
    OBJECT("podAntiAffinity", pod_affinity_type, "Far from these pods.", OPEN));

TYPE(toleration_type, "Toleration", "A taint that does not keep the pod away.",
    STRING("effect", "Effect of the taint; all when absent.", ONE_OF("NoSchedule", "PreferNoSchedule", "NoExecute")),
    STRING("key", "Key of the taint; all when absent."),
    STRING("operator", "How the value compares; Equal when absent.", ONE_OF("Equal", "Exists", "Lt", "Gt")),
    INT64("tolerationSeconds", "Seconds before the pod is evicted after all; never when absent."),
    STRING("value", "Value of the taint."));

TYPE(spread_constraint_type, "TopologySpreadConstraint", "How evenly pods spread.",
    OBJECT("labelSelector", label_selector_type, "Pods that are counted.", OPEN),
    STRINGS("matchLabelKeys", "Labels whose values must be the same as the pod's."),
    INT32("maxSkew", "How uneven it may be.", REQUIRED),
    INT32("minDomains", "How many domains there must be."),
    STRING("nodeAffinityPolicy", "Whether nodes that affinity rules out count.", ONE_OF("Honor", "Ignore")),
    STRING("nodeTaintsPolicy", "Whether nodes that taints rule out count.", ONE_OF("Honor", "Ignore")),
    STRING("topologyKey", "Label of nodes that makes a domain.", REQUIRED),
    STRING("whenUnsatisfiable", "What happens when it cannot be kept.", REQUIRED, ONE_OF("DoNotSchedule", "ScheduleAnyway")));

TYPE(dns_option_type, "PodDNSConfigOption", "One option of the resolver.",
    STRING("name", "Name of the option."),
    STRING("value", "Its value."));

TYPE(dns_config_type, "PodDNSConfig", "Name servers and search domains.",
    STRINGS("nameservers", "Addresses of name servers."),
    LIST("options", dns_option_type, "Options of the resolver.", OPEN),
    STRINGS("searches", "Search domains."));
// clang-format on
