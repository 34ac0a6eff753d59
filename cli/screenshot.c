/* SPDX-License-Identifier: Apache-2.0 */
/* vnc screenshot: a picture of the machine's screen (spec 06, section 3.1). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "kube/client.h"

const struct option screenshot_flags[] = {
    { "file", 'f', OPTION_STRING, FLAG(file), .dflt = "", .arg = "FILE",
      .help = "Where the PNG goes; - is stdout." },
    { "move-cursor", 'm', OPTION_BOOL, FLAG(moves_cursor), .dflt = "false",
      .help = "Wake the screen by moving the cursor." },
    { 0 },
};

static int write_picture(const char *file, const struct buf *picture, struct error *e)
{
    bool is_stdout = streq(file, "-");
    FILE *out = is_stdout ? stdout : fopen(file, "we");
    bool is_ok = out && fwrite(picture->data, 1, picture->len, out) == picture->len;

    if (out)
        is_ok = (is_stdout ? fflush(out) : fclose(out)) == 0 && is_ok;
    return is_ok ? 0 : error_set(e, ERR_INTERNAL, "write %s: %s", file, strerror(errno));
}

int run_vnc_screenshot(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];
    const char *file = c->flags.file;

    if (!*file)
        return error_set(e, ERR_BAD_REQUEST, "--file is required: where the picture goes");

    scoped(free) char *sub =
        must_asprintf("vnc/screenshot?moveCursor=%s", c->flags.moves_cursor ? "true" : "false");
    scoped(free) char *path = cli_subresource(c, "virtualmachineinstances", name, sub);
    struct http_request q = { .method = HTTP_GET, .path = path, .accept = "*/*" };
    struct http_response answer;
    int r = http_client_do(kube_peek_http(c->kube), &q, &answer, e);

    if (r == 0 && answer.status != 200)
        r = cli_get(c, path, NULL, e);
    else if (r == 0)
        r = write_picture(file, &answer.body, e);
    http_response_done(&answer);
    return r < 0 ? error_wrap(e, "Can't access VMI %s", name) : 0;
}
