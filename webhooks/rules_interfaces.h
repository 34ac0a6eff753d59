/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of one interface, with the network it is on. */
#ifndef WEBHOOKS_RULES_INTERFACES_H
#define WEBHOOKS_RULES_INTERFACES_H

#include "webhooks/rules.h"

extern const struct rule interface_rules[];

/* Bindings that are no more: refused at creation, left alone on what exists. */
extern const struct rule discontinued_interface_rules[];

#endif
