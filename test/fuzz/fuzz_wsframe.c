/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends as a websocket is read alike however it is cut, and nothing is told after the
 * end.  The first byte chooses the cut.
 */
#include "base/buf.h"
#include "http/wsframe.h"
#include "test/fuzz/target.h"

/* Everything that was told; pieces of one message are joined. */
static bool feed(struct ws_reader *r, struct buf *told, const uint8_t *data, size_t len)
{
    scoped(free) uint8_t *mine = must_malloc(len + 1);
    struct ws_piece p = { .event = WS_EVENT_PING };
    size_t at = 0;

    memcpy(mine, data, len);
    while (p.event != WS_EVENT_MORE) {
        at += ws_read(r, mine + at, len - at, &p);
        must(at <= len);
        if (p.event == WS_EVENT_DATA) {
            must(p.data >= mine && p.data + p.len <= mine + len);
            (void)buf_add(told, p.data, p.len);
            if (p.is_end)
                (void)buf_adds(told, p.is_text ? "|t" : "|b");
        } else if (p.event == WS_EVENT_BAD) {
            (void)buf_addf(told, "!%s", p.why);
            return false;
        } else if (p.event != WS_EVENT_MORE) {
            must(p.len <= WS_CONTROL_MAX);
            (void)buf_addf(told, "[%d %d ", (int)p.event, p.code);
            (void)buf_add(told, p.data, p.len);
            (void)buf_adds(told, "]");
            if (p.event == WS_EVENT_CLOSE)
                return false;
        }
    }
    must(at == len);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ws_reader whole = { 0 }, cut = { 0 };
    struct ws_bounds bounds = { 0 };
    struct buf a = BUF_INIT(0), b = BUF_INIT(0);

    if (len == 0)
        return 0;
    size_t step = data[0] % 17 + 1;
    data++;
    len--;
    (void)feed(&whole, &a, data, len);
    bool goes_on = true;
    for (size_t at = 0; goes_on && at < len; at += step)
        goes_on = feed(&cut, &b, data + at, len - at < step ? len - at : step);
    must(a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0));

    ws_bounds_feed(&bounds, data, len);
    must(ws_bounds_is_between(&bounds) || ws_bounds_left(&bounds) > 0);
    buf_done(&a);
    buf_done(&b);
    return 0;
}
