/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest agent says, turned into what KubeVirt's API shows (spec 01,
 * guestosinfo; spec 05, section 3.8).  Pure.  The input comes from inside the guest: lists
 * and strings are bounded, members of a wrong type are left out.
 */
#ifndef LAUNCHER_GUEST_H
#define LAUNCHER_GUEST_H

#include <jansson.h>

enum { GUEST_LIST_MAX = 256, GUEST_TEXT_MAX = 1024 };

/* Each takes the `return` of one agent command and gives a new value. */
typedef json_t *guest_convert_fn(const json_t *answer);

guest_convert_fn guest_agent;       /* guest-info -> {version, supportedCommands} */
guest_convert_fn guest_os;          /* guest-get-osinfo -> {name, kernelRelease, ...} */
guest_convert_fn guest_hostname;    /* guest-get-host-name -> string */
guest_convert_fn guest_timezone;    /* guest-get-timezone -> "CET, 3600" */
guest_convert_fn guest_users;       /* guest-get-users -> [{userName, domain, loginTime}] */
guest_convert_fn guest_filesystems; /* guest-get-fsinfo -> [{diskName, mountPoint, ...}] */
guest_convert_fn
    guest_interfaces; /* guest-network-get-interfaces -> [{interfaceName, mac, ipAddresses}] */

/*
 * The Domain's interfaces: those of the domain with what the agent knows of
 * the same MAC address, then those that only the agent knows.  New array.
 */
json_t *guest_merge_interfaces(const json_t *of_domain, const json_t *of_agent);

#endif
