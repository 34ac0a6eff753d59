/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VNC viewer sends is filtered alike however it is cut, and an observer's input never
 * passes.  The first byte chooses the cut, the second where the viewer's part changes.
 */
#include "handler/rfb.h"
#include "test/fuzz/target.h"

struct run {
    struct rfb rfb;
    uint8_t *data; /* what passed, at its beginning */
    size_t kept;
    bool is_refused;
};

/* Filter data[at, at + len) to where the last piece ended. */
static void feed(struct run *r, bool may_type, size_t at, size_t len)
{
    const char *why = NULL;

    if (r->is_refused)
        return;
    ssize_t kept = rfb_filter(&r->rfb, may_type, r->data + at, len, &why);
    must(kept <= (ssize_t)len && (kept < 0) == (why != NULL));
    must(kept >= 0 || !may_type || r->rfb.is_dropped);
    r->is_refused = kept < 0;
    if (kept < 0)
        return;
    memmove(r->data + r->kept, r->data + at, (size_t)kept);
    r->kept += (size_t)kept;
    must(r->rfb.have < RFB_HEAD_MAX);
}

static struct run run(const uint8_t *data, size_t len, size_t step, size_t change, bool first)
{
    struct run r = { .data = must_malloc(len + 1) };

    memcpy(r.data, data, len);
    for (size_t at = 0; at < len;) {
        size_t end = at < change ? change : len;
        size_t n = step < end - at ? step : end - at;

        feed(&r, at < change ? first : !first, at, n);
        at += n;
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    size_t step = data[0] % 17 + 1, change = data[1];
    bool first = data[0] & 0x80;

    data += 2;
    len -= 2;
    if (change > len)
        change = len;
    struct run whole = run(data, len, len, change, first);
    struct run cut = run(data, len, step, change, first);

    must(whole.is_refused == cut.is_refused);
    /* What was refused is thrown away with the piece it came in. */
    must(whole.is_refused || whole.kept == cut.kept);
    must(whole.is_refused || memcmp(whole.data, cut.data, whole.kept) == 0);
    free(whole.data);
    free(cut.data);
    return 0;
}
