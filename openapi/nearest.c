/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/nearest.h"

#include <string.h>
#include <strings.h>

enum { NAME_MAX_LEN = 63, MISTAKES_MAX = 2 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    const unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Letters to add, take or change (Levenshtein); case is a small mistake and does not count. */
static unsigned mistakes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned row[NAME_MAX_LEN + 1];

    for (unsigned j = 0; j <= b_len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            const unsigned above = row[j];
            const unsigned change = diagonal + (strncasecmp(&a[i - 1], &b[j - 1], 1) != 0);
            row[j] = min3(above + 1, row[j - 1] + 1, change);
            diagonal = above;
        }
    }
    return row[b_len];
}

const char *nearest_field(const struct schema *s, const char *name)
{
    const size_t len = strnlen(name, NAME_MAX_LEN + 1);
    const char *best = NULL;
    unsigned best_mistakes = MISTAKES_MAX + 1;

    if (len > NAME_MAX_LEN)
        return NULL;
    for (const struct field *f = s->fields; f->name; f++) {
        const unsigned n = mistakes(name, len, f->name, f->name_len);
        if (n < best_mistakes && n * 2 < len) {
            best = f->name;
            best_mistakes = n;
        }
    }
    return best;
}
