/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/ticket.h"

#include <stdio.h>
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/token.h"

enum { KEYS_TRIED = 2 }; /* the present one and the one before it */

static const char label[] = "cvirt link ticket v1";

void ticket_done(struct ticket *t)
{
    json_decref(t->user);
    *t = (struct ticket){ 0 };
}

const char *machine_uid(const json_t *obj)
{
    const json_t *owner = meta_controller(obj);

    return owner && streq(jpath_str(owner, "kind", ""), "VirtualMachine")
               ? jpath_str(owner, "uid", "")
               : meta_uid(obj);
}

int ticket_seal(struct ticket *t, const struct tls_keys *keys, char **ret, struct error *e)
{
    unsigned char key[TLS_SECRET_BYTES], mac[TOKEN_MAC_BYTES];

    int r = tls_keys_derive(keys, 0, label, key, e);
    if (r < 0)
        return r;
    uuid_v4(t->id);
    json_auto_t *payload =
        must_pack("{s:s, s:O, s:s, s:s, s:s, s:I}", "id", t->id, "user", t->user, "namespace",
                  t->namespace, "name", t->name, "uid", t->machine_uid, "until", t->until_ms);
    scoped(token_wipe) char *text = must_dumps(payload, JSON_COMPACT | JSON_SORT_KEYS);
    const size_t len = strlen(text);

    if (len > TICKET_PAYLOAD_MAX) {
        explicit_bzero(key, sizeof(key));
        return error_set(e, ERR_TOO_LARGE,
                         "user \"%s\" has too many groups and attributes for a link: %zu bytes, "
                         "at most %d fit",
                         jpath_str(t->user, "username", ""), len, TICKET_PAYLOAD_MAX);
    }
    token_mac(key, text, len, mac);
    explicit_bzero(key, sizeof(key));
    scoped(token_wipe) char *body = token_encode(text, len);
    scoped(free) char *seal = token_encode(mac, sizeof(mac));

    *ret = must_asprintf(TICKET_PREFIX "%s.%s", body, seal);
    return 0;
}

bool ticket_is_one(const char *text)
{
    return str_has_prefix(text, TICKET_PREFIX);
}

static bool seal_fits(const struct tls_keys *keys, const char *payload, size_t len,
                      const unsigned char *mac)
{
    bool fits = false;

    for (unsigned age = 0; age < KEYS_TRIED && !fits; age++) {
        unsigned char key[TLS_SECRET_BYTES], want[TOKEN_MAC_BYTES];
        struct error ignored;

        if (tls_keys_derive(keys, age, label, key, &ignored) < 0)
            continue;
        token_mac(key, payload, len, want);
        fits = token_mac_fits(mac, want);
        explicit_bzero(key, sizeof(key));
    }
    return fits;
}

/* The payload whose seal fits; new, or NULL. */
static char *unseal(const char *text, const struct tls_keys *keys, size_t *ret_len)
{
    const char *body = text + sizeof(TICKET_PREFIX) - 1;
    const size_t body_len = strcspn(body, ".");
    size_t mac_len = 0;

    if (strlen(text) > TICKET_TEXT_MAX || body[body_len] != '.')
        return NULL;
    const char *seal = body + body_len + 1;
    scoped(free) unsigned char *mac = token_decode(seal, strlen(seal), &mac_len);
    scoped(free) char *payload = token_decode(body, body_len, ret_len);

    if (!payload || !mac || mac_len != TOKEN_MAC_BYTES || !seal_fits(keys, payload, *ret_len, mac))
        return NULL;
    return TAKE(payload);
}

static void copy_text(const json_t *payload, const char *key, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", jpath_str(payload, key, ""));
}

int ticket_open(const char *text, const struct tls_keys *keys, int64_t now_ms, struct ticket *ret,
                struct error *e)
{
    size_t len = 0;
    json_auto_t *payload = NULL;
    scoped(free) char *sealed = ticket_is_one(text) ? unseal(text, keys, &len) : NULL;

    *ret = (struct ticket){ 0 };
    /* What our own seal fits is ours; it is parsed with care all the same. */
    if (!sealed || json_parse(&payload, sealed, len, e) < 0 || !jpath_obj(payload, "user"))
        return error_set(e, ERR_UNAUTHORIZED,
                         "this link is not one that was given here, or it is older than the last "
                         "change of the serving key: ask for a new one");
    const int64_t until_ms = jpath_int(payload, "until", 0);
    if (until_ms <= now_ms)
        return error_set(e, ERR_UNAUTHORIZED, "this link has expired: ask for a new one");

    copy_text(payload, "id", ret->id, sizeof(ret->id));
    copy_text(payload, "namespace", ret->namespace, sizeof(ret->namespace));
    copy_text(payload, "name", ret->name, sizeof(ret->name));
    copy_text(payload, "uid", ret->machine_uid, sizeof(ret->machine_uid));
    ret->until_ms = until_ms;
    ret->user = json_incref(jpath_obj(payload, "user"));
    return 0;
}
