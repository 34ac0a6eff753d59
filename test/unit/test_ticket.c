/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets of links: what is sealed is what is opened, by whoever has the key, until its end. */
#include "tls_fixture.h"

#include "base/scope.h"
#include "base/str.h"
#include "http/token.h"
#include "subresources/ticket.h"
#include "test/unit/rows.h"

enum { NOW = 1000000 };

static struct test_cert ca, first, second, third;

static int setup(void **state)
{
    ca = test_cert_new(NULL, "CA", 0, 86400);
    first = test_cert_new(&ca, "first", FOR_SERVER, 86400);
    second = test_cert_new(&ca, "second", FOR_SERVER, 86400);
    third = test_cert_new(&ca, "third", FOR_SERVER, 86400);
    return 0;
}

static int teardown(void **state)
{
    test_cert_done(&ca);
    test_cert_done(&first);
    test_cert_done(&second);
    test_cert_done(&third);
    return 0;
}

static void set_pair(struct tls_keys *k, const struct test_cert *c)
{
    struct error e;

    assert_int_equal(tls_keys_set_pair(k, c->cert_pem, c->key_pem, &e), 0);
}

static struct tls_keys *keys_of(const struct test_cert *c)
{
    struct tls_keys *k = tls_keys_new();

    set_pair(k, c);
    return k;
}

static char *sealed(const struct tls_keys *k, json_t *user)
{
    struct ticket t = {
        .user = user, .namespace = "ns", .name = "vm", .machine_uid = "uid-of-it", .until_ms = NOW
    };
    struct error e = { 0 };
    char *text = NULL;

    if (ticket_seal(&t, k, &text, &e) < 0)
        fail_msg("%s", e.msg);
    return text;
}

static bool opens(const char *text, const struct tls_keys *k, int64_t now_ms)
{
    struct ticket t;
    struct error e = { 0 };
    int r = ticket_open(text, k, now_ms, &t, &e);

    ticket_done(&t);
    if (r < 0)
        assert_int_equal(r, -ERR_UNAUTHORIZED);
    return r == 0;
}

static void what_is_sealed_is_opened(void **state)
{
    struct tls_keys *k = keys_of(&first);
    struct tls_keys *replica = keys_of(&first);
    json_auto_t *user = json_q("{'username':'ann','groups':['a'],'extra':{'k':['v']},'uid':'7'}");
    scoped(free) char *text = sealed(k, user);
    struct ticket t;
    struct error e = { 0 };

    assert_true(ticket_is_one(text));
    assert_null(strpbrk(text, "+/= \n"));
    assert_int_equal(ticket_open(text, replica, NOW - 1, &t, &e), 0);
    assert_json(t.user, user);
    assert_string_equal(t.namespace, "ns");
    assert_string_equal(t.name, "vm");
    assert_string_equal(t.machine_uid, "uid-of-it");
    assert_int_equal(t.until_ms, NOW);
    assert_int_equal(strlen(t.id), 36);
    ticket_done(&t);
    assert_false(opens(text, k, NOW));
    tls_keys_unref(k);
    tls_keys_unref(replica);
}

static void a_change_of_key_ends_no_link_and_the_next_does(void **state)
{
    struct tls_keys *k = keys_of(&first);
    struct tls_keys *other = keys_of(&second);
    json_auto_t *user = json_q("{'username':'ann'}");
    scoped(free) char *text = sealed(k, user);

    assert_false(opens(text, other, 0));
    set_pair(k, &second);
    assert_true(opens(text, k, 0));
    set_pair(k, &second); /* nothing new */
    assert_true(opens(text, k, 0));
    set_pair(k, &third);
    assert_false(opens(text, k, 0));
    tls_keys_unref(k);
    tls_keys_unref(other);
}

static void without_a_key_there_are_none(void **state)
{
    struct tls_keys *k = tls_keys_new();
    struct tls_keys *with = keys_of(&first);
    json_auto_t *user = json_q("{'username':'ann'}");
    scoped(free) char *text = sealed(with, user);
    struct ticket t = { .user = user };
    struct error e = { 0 };
    char *none = NULL;

    assert_int_equal(ticket_seal(&t, k, &none, &e), -ERR_UNAVAILABLE);
    assert_false(opens(text, k, 0));
    tls_keys_unref(k);
    tls_keys_unref(with);
}

static void too_many_groups_are_refused(void **state)
{
    struct tls_keys *k = keys_of(&first);
    json_auto_t *user = json_q("{'username':'ann','groups':[]}");
    json_t *groups = json_object_get(user, "groups");
    struct ticket t = { .user = user };
    struct error e = { 0 };
    char *text = NULL;

    for (int i = 0; i < 100; i++)
        must_append(groups, json_string("a group with a name of some length"));
    assert_int_equal(ticket_seal(&t, k, &text, &e), -ERR_TOO_LARGE);
    assert_non_null(strstr(e.msg, "ann"));
    assert_null(text);
    tls_keys_unref(k);
}

/* A seal of ours on something else: of another purpose, or malformed. */
static const struct forged {
    const char *name, *label, *payload;
} forged[] = {
    { "another purpose", "something else",
      "{'user':{'username':'root'},'namespace':'ns','name':'vm','uid':'u','until':9000000}" },
    { "not JSON", "cvirt link ticket v1", "{" },
    { "no user", "cvirt link ticket v1", "{'until':9000000}" },
    { "no end", "cvirt link ticket v1", "{'user':{'username':'root'}}" },
};

static void forged_is_refused(void **state)
{
    const struct forged *c = *state;
    struct tls_keys *k = keys_of(&first);
    unsigned char key[TLS_SECRET_BYTES], mac[TOKEN_MAC_BYTES];
    scoped(free) char *payload = must_strdup(c->payload);
    struct error e;

    for (char *p = payload; *p; p++)
        *p = (char)(*p == '\'' ? '"' : *p);
    assert_int_equal(tls_keys_derive(k, 0, c->label, key, &e), 0);
    token_mac(key, payload, strlen(payload), mac);
    scoped(free) char *body = token_encode(payload, strlen(payload));
    scoped(free) char *seal = token_encode(mac, sizeof(mac));
    scoped(free) char *text = must_asprintf(TICKET_PREFIX "%s.%s", body, seal);

    assert_false(opens(text, k, 1));
    tls_keys_unref(k);
}

static void the_machine_of_an_instance_is_its_owner(void **state)
{
    json_auto_t *owned =
        json_q("{'metadata':{'uid':'i','ownerReferences':[{'kind':'VirtualMachine','uid':'m',"
               "'controller':true}]}}");
    json_auto_t *pooled =
        json_q("{'metadata':{'uid':'i','ownerReferences':[{'kind':'VirtualMachineInstanceReplicaSet"
               "','uid':'r','controller':true}]}}");
    json_auto_t *alone = json_q("{'metadata':{'uid':'i'}}");

    assert_string_equal(machine_uid(owned), "m");
    assert_string_equal(machine_uid(pooled), "i");
    assert_string_equal(machine_uid(alone), "i");
}

/* ---- what they are made of ---- */

static void base64url_goes_both_ways(void **state)
{
    static const struct {
        const char *data, *text;
    } pairs[] = { { "", "" },          { "f", "Zg" },         { "fo", "Zm8" },
                  { "foo", "Zm9v" },   { "\xfb\xff", "-_8" }, { "\xff\xef\xbe", "_---" },
                  { "foob", "Zm9vYg" } };
    static const char *const bad[] = { "Zg==", "Z", "Zm9vY", "Zm+v", "Zm/v", "Zm v", "Zm\nv" };
    size_t len;

    for (size_t i = 0; i < countof(pairs); i++) {
        scoped(free) char *text = token_encode(pairs[i].data, strlen(pairs[i].data));
        assert_string_equal(text, pairs[i].text);
        scoped(free) char *data = token_decode(text, strlen(text), &len);
        assert_string_equal(data, pairs[i].data);
        assert_int_equal(len, strlen(pairs[i].data));
    }
    for (size_t i = 0; i < countof(bad); i++)
        assert_null(token_decode(bad[i], strlen(bad[i]), &len));
}

/* As openssl has it for 32 bytes of zeros and "test". */
static void the_mac_is_hmac_sha256(void **state)
{
    static const unsigned char want[TOKEN_MAC_BYTES] = {
        0x43, 0xb0, 0xce, 0xf9, 0x92, 0x65, 0xf9, 0xe3, 0x4c, 0x10, 0xea,
        0x9d, 0x35, 0x01, 0x92, 0x6d, 0x27, 0xb3, 0x9f, 0x57, 0xc6, 0xd6,
        0x74, 0x56, 0x1d, 0x8b, 0xa2, 0x36, 0xe7, 0xa8, 0x19, 0xfb,
    };
    unsigned char key[TOKEN_MAC_BYTES] = { 0 }, got[TOKEN_MAC_BYTES];

    token_mac(key, "test", 4, got);
    if (!token_mac_fits(got, want)) {
        for (size_t i = 0; i < sizeof(got); i++)
            print_error("%02x", got[i]);
        fail();
    }
    got[31] ^= 1;
    assert_false(token_mac_fits(got, want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_is_opened),
        cmocka_unit_test(a_change_of_key_ends_no_link_and_the_next_does),
        cmocka_unit_test(without_a_key_there_are_none),
        cmocka_unit_test(too_many_groups_are_refused),
        cmocka_unit_test(the_machine_of_an_instance_is_its_owner),
        cmocka_unit_test(base64url_goes_both_ways),
        cmocka_unit_test(the_mac_is_hmac_sha256),
    };
    ROW_TESTS(forged_tests, forged, forged_is_refused);

    return cmocka_run_group_tests_name("ticket", tests, setup, teardown) +
           cmocka_run_group_tests_name("forged", forged_tests, setup, teardown);
}
