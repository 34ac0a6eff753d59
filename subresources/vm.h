/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of the VirtualMachine rows. */
#ifndef SUBRESOURCES_VM_H
#define SUBRESOURCES_VM_H

#include "subresources/routes.h"

subresource_fn vm_start;
subresource_fn vm_stop;
subresource_fn vm_restart;

#endif
