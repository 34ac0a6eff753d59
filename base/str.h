/* SPDX-License-Identifier: Apache-2.0 */
/* Small things about C strings.  All arguments borrowed; NULL is allowed where said. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Equal; NULL equals only NULL. */
static inline bool streq(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);

/* Whole-string decimal in [min, max] (no sign unless min < 0, no space); 0 or -1. */
int str_to_int(const char *s, long long min, long long max, long long *ret_value);

/* Characters to put in, take out or change between two words, for "did you mean ...?". */
size_t str_distance(const char *a, const char *b);

/* Percent-decode into a new string; malformed escapes and %00 are kept raw.  "+" stays "+". */
char *str_percent_decode(const char *s);

/*
 * Text from outside must be UTF-8 before it becomes JSON (jansson refuses anything else, and
 * must_pack then aborts).  str_utf8_len: bytes of the character at s, 0 when it is malformed.
 */
bool str_is_utf8(const char *s);
size_t str_utf8_len(const char *s);
void str_make_utf8(char *s); /* every malformed byte becomes '?' */

/*
 * Standard base64 with padding.  New buffers; decode returns NULL on malformed input, skips line
 * breaks, and puts a NUL behind the data.
 */
char *str_base64(const void *data, size_t len);
void *str_unbase64(const char *s, size_t *ret_len);

/* Random bytes from the kernel; UUIDs as text, version 4 (random) and 5 (RFC 4122, of a name). */
void random_bytes(void *out, size_t len);
void uuid_v4(char out[37]);
void uuid_v5(const char *namespace_uuid, const char *name, char out[37]);

/* n characters as Kubernetes puts into names (no vowels, no 0, 1, 3) and a NUL into out[n + 1]. */
void random_suffix(char *out, size_t n);

/* Is `s` a DNS-1123 label (<= 63) / subdomain (<= 253)? */
bool is_dns_label(const char *s);
bool is_dns_subdomain(const char *s);

#endif
