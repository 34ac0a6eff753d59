/* SPDX-License-Identifier: Apache-2.0 */
/* What port-forward, ssh and scp are given. */
#include "cli/target.h"

#include "base/str.h"
#include "test/unit/rows.h"

static const struct target_case {
    const char *name, *text;
    const char *user, *kind, *machine, *namespace; /* kind NULL: refused */
    const char *why;                               /* part of the message then */
} targets[] = {
    { "a machine", "vm/a", .user = "", .kind = "vm", .machine = "a", .namespace = "" },
    { "an instance with its namespace", "vmi/a/ns", .user = "", .kind = "vmi", .machine = "a",
      .namespace = "ns" },
    { "kinds in full and in plural", "VirtualMachines/a", .user = "", .kind = "vm", .machine = "a",
      .namespace = "" },
    { "instances in plural", "vmis/a", .user = "", .kind = "vmi", .machine = "a", .namespace = "" },
    { "a dot belongs to the name", "vmi/a.b", .user = "", .kind = "vmi", .machine = "a.b",
      .namespace = "" },
    { "with a user", "me@vmi/a", .user = "me", .kind = "vmi", .machine = "a", .namespace = "" },
    { "the last @ counts", "me@corp@vm/a/ns", .user = "me@corp", .kind = "vm", .machine = "a",
      .namespace = "ns" },
    { "nothing", "", .why = "target cannot be empty" },
    { "no kind", "a", .why = "separated by '/'" },
    { "too many slashes", "vmi/a/ns/x", .why = "more than two '/'" },
    { "no namespace", "vmi/a/", .why = "namespace cannot be empty" },
    { "no name", "vmi/", .why = "name cannot be empty" },
    { "no name but a namespace", "vmi//ns", .why = "name cannot be empty" },
    { "another kind", "pod/a", .why = "unsupported resource type 'pod'" },
    { "the beginning of a kind", "v/a", .why = "unsupported resource type 'v'" },
    { "no user", "@vmi/a", .why = "expected username before '@'" },
    { "a user alone", "me@", .why = "expected target after '@'" },
    { "a name that is none", "vmi/a b", .why = "is not a name of Kubernetes" },
    { "a flag for a name", "vmi/-oX", .why = "is not a name of Kubernetes" },
};

static void parses_targets(void **state)
{
    const struct target_case *c = *state;
    struct error e = { 0 };
    struct target t;
    int r = target_parse_user(&t, c->text, &e);

    if (!c->kind) {
        assert_int_equal(r, -ERR_BAD_REQUEST);
        if (!strstr(e.msg, c->why))
            fail_msg("%s", e.msg);
        return;
    }
    assert_int_equal(r, 0);
    assert_string_equal(t.user, c->user);
    assert_string_equal(t.kind, c->kind);
    assert_string_equal(t.plural,
                        streq(c->kind, "vm") ? "virtualmachines" : "virtualmachineinstances");
    assert_string_equal(t.name, c->machine);
    assert_string_equal(t.namespace, c->namespace);
}

static const struct port_case {
    const char *name, *text;
    bool is_udp;
    int local, remote; /* remote 0: refused */
} ports[] = {
    { "one number is both", "8080", false, 8080, 8080 },
    { "two", "8080:80", false, 8080, 80 },
    { "tcp by name", "tcp/8080:80", false, 8080, 80 },
    { "udp", "UDP/53", true, 53, 53 },
    { "any local port", "0:22", false, 0, 22 },
    { "any local port, as kubectl's", ":22", false, 0, 22 },
    { "nothing", "", .remote = 0 },
    { "zero", "0", .remote = 0 },
    { "no remote port", "80:", .remote = 0 },
    { "remote port zero", "80:0", .remote = 0 },
    { "too large", "65536", .remote = 0 },
    { "not a number", "http", .remote = 0 },
    { "a sign", "+80", .remote = 0 },
    { "another protocol", "sctp/80", .remote = 0 },
    { "three", "1:2:3", .remote = 0 },
    { "very long", "00000000000000000000000080:80", .remote = 0 },
};

static void parses_ports(void **state)
{
    const struct port_case *c = *state;
    struct error e = { 0 };
    struct port_pair p;
    int r = port_pair_parse(&p, c->text, &e);

    if (c->remote == 0) {
        assert_int_equal(r, -ERR_BAD_REQUEST);
        return;
    }
    assert_int_equal(r, 0);
    assert_int_equal(p.is_udp, c->is_udp);
    assert_int_equal(p.local, c->local);
    assert_int_equal(p.remote, c->remote);
}

int main(void)
{
    return RUN_ROWS("targets", targets, parses_targets) + RUN_ROWS("ports", ports, parses_ports);
}
