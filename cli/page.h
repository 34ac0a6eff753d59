/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page in a browser (docs/STREAMS.md): with the caller's own identity through a loopback proxy
 * (--browser, browser.h), or by a link that carries a ticket (--link).
 */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include "cli/cli.h"

enum { LINK_DURATION_MAX_S = 24 * 3600 };

// clang-format off
#define PAGE_FLAGS                                                                          \
    { "browser", 0, OPTION_BOOL, FLAG(page.in_browser), .dflt = "false",                    \
      .help = "Show it in a browser, through a proxy on this host that acts as you." },     \
    { "no-open", 0, OPTION_BOOL, FLAG(page.opens_nothing), .dflt = "false",                 \
      .help = "--browser: print the address only." },                                       \
    { "link", 0, OPTION_BOOL, FLAG(page.as_link), .dflt = "false",                          \
      .help = "Print a link with a short-lived ticket for this machine, with your rights." }, \
    { "duration", 0, OPTION_DURATION, FLAG(page.duration_ms), .dflt = "10m",                \
      .arg = "DURATION", .help = "--link: how long the link is good for." },                \
    { "link-url", 0, OPTION_STRING, FLAG(page.link_url), .dflt = "", .arg = "URL",          \
      .help = "--link: where browsers reach virt-api, as https://virt.example.org." }
// clang-format on

bool page_is_wanted(const struct cli *c);
/* view: "screen" or "console". */
int page_run(struct cli *c, const char *name, const char *view, struct error *e);

/* The link for a ticket, new; NULL with *e filled when nobody said where browsers reach virt-api.
 * answer: {token, url?}.  Pure. */
char *page_link(const json_t *answer, const char *base_url, const char *namespace, const char *name,
                const char *view, struct error *e);

#endif
