/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt's numbers for states and reasons in the words of spec 05, section 2.3.  Pure. */
#ifndef LAUNCHER_HYPERVISOR_WORDS_H
#define LAUNCHER_HYPERVISOR_WORDS_H

/* Static strings; "Unknown" for numbers that are not known. */
const char *hypervisor_state_word(int state);
const char *hypervisor_reason_word(int state, int reason);

#endif
