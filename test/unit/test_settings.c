/* SPDX-License-Identifier: Apache-2.0 */
/* What virt-api's command line says of direct access. */
#include "apiserver/settings.h"

#include "base/str.h"
#include "test/unit/rows.h"

static const struct row {
    const char *name;
    const char *argv[4];
    bool is_good;
} rows[] = {
    { "nothing", { "virt-api" }, true },
    { "off", { "virt-api", "--direct-access=false" }, true },
    { "a site", { "virt-api", "--allowed-origins=https://a.example:8443" }, true },
    { "a site behind a proxy without TLS", { "virt-api", "--allowed-origins=http://a" }, true },
    { "two sites",
      { "virt-api", "--allowed-origins=https://a", "--allowed-origins=https://[::1]:1" },
      true },
    { "where links go", { "virt-api", "--external-url=https://vms.example" }, true },

    { "a site without a scheme", { "virt-api", "--allowed-origins=a.example" }, false },
    { "any site", { "virt-api", "--allowed-origins=*" }, false },
    { "a site with a path", { "virt-api", "--allowed-origins=https://a.example/" }, false },
    { "no host", { "virt-api", "--allowed-origins=https://" }, false },
    { "the second is none",
      { "virt-api", "--allowed-origins=https://a", "--allowed-origins=b" },
      false },
    { "links with a slash at the end", { "virt-api", "--external-url=https://a/" }, false },
    { "links to nowhere", { "virt-api", "--external-url=ftp://a" }, false },
};

static void is_checked(void **state)
{
    const struct row *c = *state;
    struct settings s = { 0 };
    struct error e = { 0 };
    int argc = 0;

    while (argc < (int)countof(c->argv) && c->argv[argc])
        argc++;
    assert_int_equal(options_parse(&settings_program, &s, argc, (char **)c->argv, NULL, &e), 0);
    assert_int_equal(settings_check(&s, &e), c->is_good ? 0 : -ERR_BAD_REQUEST);
    if (!c->is_good)
        assert_non_null(strstr(e.msg, "https://host[:port]"));
    assert_int_equal(s.is_direct, !streq(c->name, "off"));
}

int main(void)
{
    return RUN_ROWS("settings", rows, is_checked);
}
