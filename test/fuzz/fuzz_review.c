/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is the webhook's path, the rest the body that is posted to it. */
#include "test/fuzz/ask_webhooks.h"
#include "test/fuzz/json_mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct webhooks *h;
    struct http_call c;
    scoped(free) char *path = input_line(&data, &len);

    if (!path || !webhook_find(path))
        return 0;
    if (!h)
        h = webhooks_start(&api_server, NULL, NULL, "kubevirt");
    ask(h, path, data, len, &c);

    json_auto_t *answer = json_loadb(c.answer.data, c.answer.len, 0, NULL);
    must(answer != NULL);
    must(c.status == 200 || (c.status >= 400 && c.status < 500));
    buf_done(&c.answer);
    return 0;
}
