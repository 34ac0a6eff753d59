/* SPDX-License-Identifier: Apache-2.0 */
#include "http/token.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

void token_mac(const unsigned char key[TOKEN_MAC_BYTES], const void *data, size_t len,
               unsigned char out[TOKEN_MAC_BYTES])
{
    must(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, TOKEN_MAC_BYTES, data, len, out) == 0);
}

bool token_mac_fits(const unsigned char a[TOKEN_MAC_BYTES], const unsigned char b[TOKEN_MAC_BYTES])
{
    return gnutls_memcmp(a, b, TOKEN_MAC_BYTES) == 0;
}

char *token_encode(const void *data, size_t len)
{
    char *text = str_base64(data, len);

    text[strcspn(text, "=")] = '\0';
    for (char *p = text; *p; p++)
        *p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p);
    return text;
}

void *token_decode(const char *text, size_t len, size_t *ret_len)
{
    scoped(token_wipe) char *standard = must_calloc(1, len + 4);

    for (size_t i = 0; i < len; i++) {
        const char c = text[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return NULL;
        standard[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    }
    if (len % 4 == 1)
        return NULL;
    memset(standard + len, '=', (4 - len % 4) % 4);
    return str_unbase64(standard, ret_len);
}

void token_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
