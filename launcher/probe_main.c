// SPDX-License-Identifier: Apache-2.0
/* virt-probe: see probe.h.  Ends with 0 when the guest is well, which is all that kubelet asks. */
#include <stdio.h>

#include "base/options.h"
#include "launcher/probe.h"

enum { UNWELL = 1 };

int main(int argc, char **argv)
{
    struct probe p;
    struct error e;

    int r = probe_parse(&p, argc, argv, &e);
    if (r == OPTIONS_DONE)
        return 0;
    if (r >= 0)
        r = probe_run(&p, stdout, stderr, &e);
    if (r < 0)
        (void)fprintf(stderr, "virt-probe: %s\n", e.msg);
    return r < 0 ? UNWELL : r;
}
