/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/page.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/browser.h"
#include "cli/child.h"
#include "kube/client.h"

bool page_is_wanted(const struct cli *c)
{
    return c->flags.page.in_browser || c->flags.page.as_link;
}

/* ---- --browser ---- */

static void interrupted(int signal_number)
{
    _exit(0);
}

/* $BROWSER, or what the desktop has.  A failure is no error: the address is printed. */
static void open_browser(const char *url)
{
    const char *chosen = getenv("BROWSER");
    char *argv[] = { (char *)(chosen && *chosen ? chosen : "xdg-open"), (char *)url, NULL };
    struct error e;
    pid_t pid;

    if (child_start(&pid, argv, &e) < 0)
        (void)fprintf(stderr, "Open the address yourself (%s)\n", e.msg);
}

static int show_in_browser(struct cli *c, const char *name, const char *view, struct error *e)
{
    struct browser *b = NULL;

    if (browser_start(&b, c, (int)c->flags.port, e) < 0)
        return error_wrap(e, "proxy for the browser");
    scoped(free) char *url = browser_url(b, name, view);
    (void)signal(SIGINT, interrupted);
    (void)signal(SIGCHLD, SIG_IGN); /* the browser's own end concerns nobody */
    (void)printf("%s\n", url);
    (void)fflush(stdout);
    (void)fprintf(stderr, "The address works once, in a browser on this host. Ctrl+C ends it.\n");
    if (!c->flags.page.opens_nothing)
        open_browser(url);
    for (;;)
        (void)pause();
}

/* ---- --link ---- */

char *page_link(const json_t *answer, const char *base_url, const char *namespace, const char *name,
                const char *view, struct error *e)
{
    const char *url = jpath_str(answer, "url", "");
    const char *token = jpath_str(answer, "token", "");
    size_t len = strlen(base_url);

    if (len == 0 && *url)
        return must_strdup(url);
    if (!*token) {
        error_set(e, ERR_INTERNAL, "the server's answer holds no ticket");
        return NULL;
    }
    if (len == 0) {
        error_set(e, ERR_BAD_REQUEST,
                  "the server does not know where browsers reach it: give --link-url "
                  "https://HOST, or set virt-api's --external-url");
        return NULL;
    }
    if (!str_has_prefix(base_url, "https://") && !str_has_prefix(base_url, "http://")) {
        error_set(e, ERR_BAD_REQUEST, "--link-url: \"%s\" is not an http or https address",
                  base_url);
        return NULL;
    }
    while (len > 0 && base_url[len - 1] == '/')
        len--;
    return must_asprintf("%.*s/ui/#/%s/%s/%s?token=%s", (int)len, base_url, namespace, name, view,
                         token);
}

static int print_link(struct cli *c, const char *name, const char *view, struct error *e)
{
    const struct page_flags *f = &c->flags.page;
    long long seconds = f->duration_ms / 1000;

    if (seconds < 1 || seconds > LINK_DURATION_MAX_S)
        return error_set(e, ERR_BAD_REQUEST, "--duration: a link lives 1 second to %d hours",
                         LINK_DURATION_MAX_S / 3600);
    scoped(free) char *duration = must_asprintf("%llds", seconds);
    scoped(free) char *path = cli_subresource(c, "virtualmachineinstances", name, "link");
    json_auto_t *body = must_pack("{s:s, s:s}", "duration", duration, "view", view);
    json_auto_t *answer = NULL;

    if (cli_raw(c, HTTP_PUT, path, body, &answer, e) < 0)
        return error_wrap(e, "Can't make a link to VMI %s", name);
    scoped(free) char *link = page_link(answer, f->link_url, c->namespace, name, view, e);
    if (!link)
        return -(int)e->code;
    (void)printf("%s\n", link);
    (void)fflush(stdout);
    (void)fprintf(stderr,
                  "Good until %s, with your rights on this machine: treat it as a password.\n",
                  jpath_str(answer, "expirationTimestamp", "its end"));
    return 0;
}

int page_run(struct cli *c, const char *name, const char *view, struct error *e)
{
    if (c->flags.page.in_browser && c->flags.page.as_link)
        return error_set(e, ERR_BAD_REQUEST, "only one of --browser and --link can be asked for");
    return c->flags.page.as_link ? print_link(c, name, view, e) : show_in_browser(c, name, view, e);
}
