/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket.  The caller says what time it is and holds the lock. */
#ifndef KUBE_BUCKET_H
#define KUBE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    double per_second;
    double burst;
    double tokens; /* below 0: promised to callers that wait */
    int64_t at_ms; /* when tokens was right */
};

struct bucket bucket_make(double per_second, double burst, int64_t now_ms);

/* Take a token in any case; returns after how many ms it may be used (0: now). */
int64_t bucket_reserve(struct bucket *b, int64_t now_ms);
/* Take a token if there is one. */
bool bucket_try(struct bucket *b, int64_t now_ms);

#endif
