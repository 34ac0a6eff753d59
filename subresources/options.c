/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/options.h"

#include "openapi/rows.h"

#define OPTIONS_META                                           \
    STRING("apiVersion", "Group and version of this object."), \
        STRING("kind", "Which kind of options this is."),      \
        STRINGS("dryRun", "Check the request without changing anything: All.")

TYPE(start_options, "StartOptions", "How to start a machine.", OPTIONS_META,
     BOOL("paused", "Stop before the first instruction, until it is unpaused."));

TYPE(stop_options, "StopOptions", "How to stop a machine.", OPTIONS_META,
     INT64("gracePeriod", "Seconds that the guest has to shut down; 0 ends it at once."));

TYPE(restart_options, "RestartOptions", "How to restart a machine.", OPTIONS_META,
     INT64("gracePeriodSeconds",
           "0 restarts without waiting for the guest; nothing else is supported."));

TYPE(pause_options, "PauseOptions", "How to pause or unpause an instance.", OPTIONS_META);

TYPE(link_options, "LinkOptions", "How long a link lives, and what it shows.", OPTIONS_META,
     STRING("duration", "How long it lives, such as 10m (which is the default); at most 1h."),
     STRING("view", "What it opens: screen (the default) or console."));
