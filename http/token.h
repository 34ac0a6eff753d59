/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bearer tokens are made of: HMAC-SHA256, and base64url without padding
 * (RFC 4648, section 5), the only base64 that fits a header's token.  Any thread.
 */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum { TOKEN_MAC_BYTES = 32 };

void token_mac(const unsigned char key[TOKEN_MAC_BYTES], const void *data, size_t len,
               unsigned char out[TOKEN_MAC_BYTES]);
/* Equal?  Takes the same time wherever they differ. */
bool token_mac_fits(const unsigned char a[TOKEN_MAC_BYTES], const unsigned char b[TOKEN_MAC_BYTES]);

char *token_encode(const void *data, size_t len); /* new */
/* New, with a NUL behind the data; NULL when a character is not of the alphabet, or one is left
 * over. */
void *token_decode(const char *text, size_t len, size_t *ret_len);

/* Overwrite and free a secret; NULL is allowed.  For scoped(): token_wipe. */
void token_wipe(char *secret);
static inline void token_wipe_scope(char **secret)
{
    token_wipe(*secret);
}

#endif
