/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.domain.clock. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(tick_timer_type, "TickTimer", "A timer of the guest that can lose ticks.",
    BOOL("present", "Whether the guest has it; yes when absent."),
    STRING("tickPolicy", "What happens to ticks that were missed: delay, catchup, merge or discard."));

TYPE(rtc_timer_type, "RTCTimer", "The real-time clock of the guest.",
    BOOL("present", "Whether the guest has it; yes when absent."),
    STRING("tickPolicy", "What happens to ticks that were missed: delay or catchup."),
    STRING("track", "What the clock follows: guest or wall."));

TYPE(plain_timer_type, "PlainTimer", "A timer of the guest.",
    BOOL("present", "Whether the guest has it; yes when absent."));

TYPE(timers_type, "Timer", "The timers that the guest finds.",
    OBJECT("hpet", tick_timer_type, "High-precision event timer; ticks by delay, catchup, merge or discard."),
    OBJECT("hyperv", plain_timer_type, "Hyper-V's reference counter, for Windows guests."),
    OBJECT("kvm", plain_timer_type, "KVM's own clock, for Linux guests."),
    OBJECT("pit", tick_timer_type, "Interval timer of old PCs; ticks by delay, catchup or discard."),
    OBJECT("rtc", rtc_timer_type, "Real-time clock."));

TYPE(clock_utc_type, "ClockOffsetUTC", "The clock shows UTC.",
    INT("offsetSeconds", "Seconds that the clock is ahead of UTC."));

TYPE(guest_clock_type, "Clock", "The clock and the timers that the guest finds.",
    OBJECT("timer", timers_type, "Timers the guest finds."),
    STRING("timezone", "The clock shows the local time of this zone, such as Europe/Berlin."),
    OBJECT("utc", clock_utc_type, "The clock shows UTC, with an offset if one is given."));
// clang-format on
