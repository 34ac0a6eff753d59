/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a review costs without TLS, sockets and HTTP: one process that answers the same one again
 * and again, for callgrind to count instructions in, from the bytes of the body to those of the
 * answer.
 *     reviews WEBHOOK REVIEW TIMES      WEBHOOK without its slash; "parse": jansson reads the body
 */
#include <stdio.h>

#include "test/fuzz/ask_webhooks.h"

enum { REVIEW_MAX = 1 << 20 };

static void parse_only(const char *text, size_t len)
{
    json_auto_t *body = json_loadb(text, len, 0, NULL);

    must(body != NULL);
}

static void ask_once(struct webhooks *h, const char *path, const char *text, size_t len)
{
    struct http_call call;

    ask(h, path, text, len, &call);
    must(call.status == 200);
    must(strstr(call.answer.data, "\"allowed\":true"));
    buf_done(&call.answer);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;

    const bool is_parse = streq(argv[1], "parse");
    const unsigned long times = strtoul(argv[3], NULL, 10);
    scoped(free) char *path = must_asprintf("/%s", argv[1]);
    scoped(free) char *text = must_malloc(REVIEW_MAX);
    FILE *f = fopen(argv[2], "re");
    if (!f)
        return 1;
    const size_t len = fread(text, 1, REVIEW_MAX, f);
    (void)fclose(f);

    struct webhooks *h = webhooks_start(&api_server, NULL, NULL, "kubevirt");
    for (unsigned long i = 0; i < times; i++) {
        if (is_parse)
            parse_only(text, len);
        else
            ask_once(h, path, text, len);
    }
    webhooks_stop(h);
    return 0;
}
