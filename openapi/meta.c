/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of small Kubernetes types that many other tables refer to. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(presence_type, "Presence", "An object without members; that it is there says it all.");

TYPE(feature_switch_type, "FeatureState", "Something that is on or off.",
    BOOL("enabled", "On or off; on when the object is there without it."));

TYPE(optional_switch_type, "OptionalSwitch", "Something that is on or off, or left to the default.",
    BOOL("enabled", "On or off; absent takes the default.", NULLABLE));

TYPE(label_requirement_type, "LabelSelectorRequirement", "One condition on a label.",
    STRING("key", "Label that the condition is about.", REQUIRED),
    STRING("operator", "In, NotIn, Exists or DoesNotExist.", REQUIRED),
    STRINGS("values", "Values for In and NotIn; absent for the others."));

TYPE(label_selector_type, "LabelSelector", "Picks objects by their labels; all conditions must hold.",
    LIST("matchExpressions", label_requirement_type, "Conditions on labels."),
    STRING_MAP("matchLabels", "Labels and the exact values they must have."));

TYPE(local_ref_type, "LocalObjectReference", "Names an object of the same namespace.",
    STRING("name", "Name of the object.", .dflt = "\"\""));

TYPE(typed_local_ref_type, "TypedLocalObjectReference", "Names an object of the same namespace and its kind.",
    STRING("apiGroup", "API group of the object; absent for core kinds."),
    STRING("kind", "Kind of the object.", REQUIRED),
    STRING("name", "Name of the object.", REQUIRED));

TYPE(typed_ref_type, "TypedObjectReference", "Names an object and its kind, possibly of another namespace.",
    STRING("apiGroup", "API group of the object; absent for core kinds."),
    STRING("kind", "Kind of the object.", REQUIRED),
    STRING("name", "Name of the object.", REQUIRED),
    STRING("namespace", "Namespace of the object; its own when absent."));

TYPE(condition_type, "Condition", "One thing that is known about the object, and since when.",
    TIME("lastProbeTime", "When it was last looked at.", NULLABLE),
    TIME("lastTransitionTime", "When the status last changed.", NULLABLE),
    STRING("message", "What it means, for a person."),
    STRING("reason", "What it means, in one word for a program."),
    STRING("status", "True, False or Unknown.", REQUIRED),
    STRING("type", "What the condition is about.", REQUIRED));

TYPE(resource_amounts_type, "ResourceAmounts", "Amounts of resources, by resource name.",
    QUANTITY_MAP("limits", "The most that may be used."),
    QUANTITY_MAP("requests", "What is set aside."));
// clang-format on
