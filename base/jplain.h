/* SPDX-License-Identifier: Apache-2.0 */
/* Where the plain part of a JSON string ends, for jread and jwrite: eight bytes at a time. */
#ifndef BASE_JPLAIN_H
#define BASE_JPLAIN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * The high bit of each byte that is not plain text: a quote, a backslash, a control character, a
 * part of a longer character.  A borrow may mark plain bytes above such a one: the lowest is right.
 */
static inline uint64_t jplain_special(uint64_t word)
{
    const uint64_t ones = UINT64_MAX / 255;
    const uint64_t quote = word ^ ones * '"';
    const uint64_t backslash = word ^ ones * '\\';

    return (word | (word - ones * ' ') | (quote - ones) | (backslash - ones)) & ones * 0x80;
}

/* The first byte that is not plain, or the end. */
static inline const char *jplain_end(const char *at, const char *end)
{
    uint64_t word;

    for (; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        const uint64_t special = jplain_special(le64toh(word));
        if (special)
            return at + __builtin_ctzll(special) / 8;
    }
    while (at < end && (unsigned char)(*at - ' ') < 0x80 - ' ' && *at != '"' && *at != '\\')
        at++;
    return at;
}

#endif
