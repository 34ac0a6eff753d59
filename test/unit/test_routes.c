/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of paths, and that the rows are whole. */
#include "subresources/routes.h"

#include "base/str.h"
#include "test/unit/rows.h"

#define V1 "/apis/subresources.kubevirt.io/v1/namespaces/"
#define LONG_64 "0123456789012345678901234567890123456789012345678901234567890123"

enum result { NO_PATH, NO_METHOD, MATCHED };

static const struct row {
    const char *name;
    enum http_method method;
    const char *path;
    enum result want;
    const char *namespace, *object, *subresource, *version; /* NULL: not looked at */
    enum route_target target;
    const char *tail;
} rows[] = {
    { "a machine's power", HTTP_PUT, V1 "ns/virtualmachines/vm/start", .want = MATCHED, "ns", "vm",
      "start", "v1", ROUTE_VM },
    { "the older version", HTTP_GET,
      "/apis/subresources.kubevirt.io/v1alpha3/namespaces/ns/virtualmachineinstances/vm/console",
      .want = MATCHED, "ns", "vm", "console", "v1alpha3", ROUTE_VMI },
    { "a trailing slash", HTTP_PUT, V1 "ns/virtualmachines/vm/start/", .want = MATCHED, "ns", "vm",
      "start" },
    { "a subresource of two words", HTTP_GET, V1 "ns/virtualmachineinstances/vm/vnc/screenshot",
      .want = MATCHED, .subresource = "vnc/screenshot", .target = ROUTE_VMI },
    { "percent-encoded letters", HTTP_PUT, V1 "n%73/virtualmachines/v%6D/st%61rt", .want = MATCHED,
      "ns", "vm", "start" },
    { "a name with dots", HTTP_PUT, V1 "ns/virtualmachines/a.b-c.d/stop", .want = MATCHED,
      .object = "a.b-c.d" },
    { "a machine that is sent", HTTP_PUT, V1 "ns/expand-vm-spec", .want = MATCHED, "ns", "", "",
      "v1", ROUTE_VM_SPEC },
    { "a machine that is sent, with a slash", HTTP_PUT, V1 "ns/expand-vm-spec/", .want = MATCHED,
      .target = ROUTE_VM_SPEC },
    { "a machine that is sent is only sent", HTTP_GET, V1 "ns/expand-vm-spec", .want = NO_METHOD },
    { "a machine that is sent has no name", HTTP_PUT, V1 "ns/expand-vm-spec/vm", .want = NO_PATH },
    { "a machine without its name", HTTP_PUT, V1 "ns/virtualmachines", .want = NO_PATH },
    { "the wrong method", HTTP_GET, V1 "ns/virtualmachines/vm/start", .want = NO_METHOD },
    { "the wrong method of a stream", HTTP_PUT, V1 "ns/virtualmachineinstances/vm/vnc",
      .want = NO_METHOD },
    { "HEAD", HTTP_HEAD, V1 "ns/virtualmachineinstances/vm/vnc", .want = NO_METHOD },

    { "a port", HTTP_GET, V1 "ns/virtualmachineinstances/vm/portforward/22", .want = MATCHED,
      .subresource = "portforward", .target = ROUTE_VMI, .tail = "22" },
    { "a port of a machine, with a slash", HTTP_GET, V1 "ns/virtualmachines/vm/portforward/22/",
      .want = MATCHED, .subresource = "portforward", .target = ROUTE_VM, .tail = "22" },
    { "a port and its protocol", HTTP_GET, V1 "ns/virtualmachines/vm/portforward/53/udp/",
      .want = MATCHED, .subresource = "portforward", .target = ROUTE_VM, .tail = "53/udp" },
    { "what a port may be is not decided here", HTTP_GET, V1 "ns/virtualmachines/vm/portforward/x",
      .want = MATCHED, .target = ROUTE_VM, .tail = "x" },
    { "a port is not written", HTTP_PUT, V1 "ns/virtualmachines/vm/portforward/22",
      .want = NO_METHOD },
    { "no port", HTTP_GET, V1 "ns/virtualmachines/vm/portforward", .want = NO_PATH },
    { "no port but a slash", HTTP_GET, V1 "ns/virtualmachines/vm/portforward/", .want = NO_PATH },
    { "more than a protocol", HTTP_GET, V1 "ns/virtualmachines/vm/portforward/22/tcp/x",
      .want = NO_PATH },
    { "a longer word", HTTP_GET, V1 "ns/virtualmachines/vm/portforwards/22", .want = NO_PATH },

    { "two trailing slashes", HTTP_PUT, V1 "ns/virtualmachines/vm/start//", .want = NO_PATH },
    { "an empty segment", HTTP_PUT, V1 "ns//virtualmachines/vm/start", .want = NO_PATH },
    { "an empty name", HTTP_PUT, V1 "ns/virtualmachines//start", .want = NO_PATH },
    { "nothing behind the name", HTTP_PUT, V1 "ns/virtualmachines/vm", .want = NO_PATH },
    { "nothing behind the name but a slash", HTTP_PUT, V1 "ns/virtualmachines/vm/",
      .want = NO_PATH },
    { "an encoded slash in the namespace", HTTP_PUT, V1 "a%2Fb/virtualmachines/vm/start",
      .want = NO_PATH },
    { "an encoded slash in the name", HTTP_PUT, V1 "ns/virtualmachines/..%2Fvm/start",
      .want = NO_PATH },
    { "a dot-dot for a name", HTTP_PUT, V1 "ns/virtualmachines/../start", .want = NO_PATH },
    { "an upper-case name", HTTP_PUT, V1 "ns/virtualmachines/VM/start", .want = NO_PATH },
    { "an encoded NUL", HTTP_PUT, V1 "ns/virtualmachines/vm%00/start", .want = NO_PATH },
    { "bytes that are not UTF-8", HTTP_PUT, V1 "ns/virtualmachines/%ff%fe/start", .want = NO_PATH },
    { "a line break", HTTP_PUT, V1 "ns/virtualmachines/vm%0d%0aX/start", .want = NO_PATH },
    { "a namespace that is too long", HTTP_PUT, V1 LONG_64 "/virtualmachines/vm/start",
      .want = NO_PATH },
    { "a name that is too long", HTTP_PUT,
      V1 "ns/virtualmachines/" LONG_64 LONG_64 LONG_64 LONG_64 "/start", .want = NO_PATH },
    { "a subresource that is too long", HTTP_PUT, V1 "ns/virtualmachines/vm/" LONG_64,
      .want = NO_PATH },
    { "a known subresource with a tail that is too long", HTTP_GET,
      V1 "ns/virtualmachineinstances/vm/console/" LONG_64, .want = NO_PATH },
    { "a known subresource with a tail", HTTP_GET, V1 "ns/virtualmachineinstances/vm/console/x",
      .want = NO_PATH },
    { "many short words", HTTP_GET,
      V1 "ns/virtualmachineinstances/vm/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/a/b/"
         "c/d/e/f/g",
      .want = NO_PATH },
    { "another version", HTTP_PUT,
      "/apis/subresources.kubevirt.io/v2/namespaces/ns/virtualmachines/vm/start", .want = NO_PATH },
    { "another group", HTTP_PUT, "/apis/kubevirt.io/v1/namespaces/ns/virtualmachines/vm/start",
      .want = NO_PATH },
    { "another resource", HTTP_PUT, V1 "ns/pods/vm/start", .want = NO_PATH },
    { "a machine's row for an instance", HTTP_PUT, V1 "ns/virtualmachineinstances/vm/start",
      .want = NO_PATH },
    { "an instance's row for a machine", HTTP_PUT, V1 "ns/virtualmachines/vm/pause",
      .want = NO_PATH },
    { "not namespaced", HTTP_PUT, "/apis/subresources.kubevirt.io/v1/virtualmachines/vm/start",
      .want = NO_PATH },
    { "the group alone", HTTP_GET, "/apis/subresources.kubevirt.io/", .want = NO_PATH },
    { "nothing", HTTP_GET, "", .want = NO_PATH },
};

static void matches(void **state)
{
    const struct row *c = *state;
    struct route_match m;
    int r = route_match(c->method, c->path, &m);

    assert_int_equal(r, c->want == NO_PATH ? 0 : 1);
    if (c->want == NO_PATH)
        return;
    assert_int_equal(m.route != NULL, c->want == MATCHED);
    assert_true(streq(m.allow, "GET") || streq(m.allow, "PUT"));
    if (c->want == NO_METHOD)
        assert_string_not_equal(m.allow, http_method_name(c->method));
    if (!m.route)
        return;
    assert_int_equal(m.target, c->target);
    assert_int_equal(m.route->target, m.target);
    assert_string_equal(m.route->subresource, m.subresource);
    if (c->namespace)
        assert_string_equal(m.namespace, c->namespace);
    if (c->object)
        assert_string_equal(m.name, c->object);
    if (c->subresource)
        assert_string_equal(m.subresource, c->subresource);
    if (c->tail)
        assert_string_equal(m.tail, c->tail);
    if (c->version)
        assert_string_equal(m.version, c->version);
}

static void rows_are_whole_and_unique(void **state)
{
    for (size_t i = 0; i < subresource_routes_len; i++) {
        const struct route *r = &subresource_routes[i];

        assert_non_null(r->handler);
        assert_true(strlen(r->doc) > 10);
        assert_true(r->method == HTTP_GET || r->method == HTTP_PUT);
        assert_true(r->flow == ROUTE_CALL || (r->method == HTTP_GET && !r->body));
        assert_string_equal(route_verb(r), r->method == HTTP_GET ? "get" : "update");
        for (size_t j = 0; j < i; j++) {
            const struct route *o = &subresource_routes[j];

            assert_false(o->target == r->target && o->method == r->method &&
                         streq(o->subresource, r->subresource));
        }
    }
}

static void every_row_is_reached_in_every_version(void **state)
{
    for (size_t v = 0; v < SUBRESOURCE_VERSION_COUNT; v++) {
        for (size_t i = 0; i < subresource_routes_len; i++) {
            const struct route *r = &subresource_routes[i];
            scoped(free) char *path = must_asprintf(
                "/apis/" SUBRESOURCE_GROUP "/%s/namespaces/ns/%s%s%s%s", subresource_versions[v],
                route_plural(r->target), *r->subresource ? "/name/" : "", r->subresource,
                r->flow == ROUTE_TUNNEL ? "/22" : "");
            struct route_match m;

            assert_int_equal(route_match(r->method, path, &m), 1);
            assert_ptr_equal(m.route, r);
            assert_string_equal(m.version, subresource_versions[v]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole_and_unique),
        cmocka_unit_test(every_row_is_reached_in_every_version),
    };

    return RUN_ROWS("paths", rows, matches) +
           cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
