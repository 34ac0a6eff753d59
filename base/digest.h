/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-1 and SHA-256 as lower-case hex, for names derived from other names (never for secrets).  Any
 * thread. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

enum { SHA1_HEX_MAX = 41, SHA256_HEX_MAX = 65 };

void sha1_hex(const void *data, size_t len, char out[SHA1_HEX_MAX]);
void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_MAX]);

#endif
