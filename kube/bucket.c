/* SPDX-License-Identifier: Apache-2.0 */
/* Token bucket arithmetic.  Pure. */
#include "kube/bucket.h"

#include <math.h>

struct bucket bucket_make(double per_second, double burst, int64_t now_ms)
{
    return (struct bucket){
        .per_second = per_second, .burst = burst, .tokens = burst, .at_ms = now_ms
    };
}

static void refill(struct bucket *b, int64_t now_ms)
{
    if (now_ms <= b->at_ms)
        return;
    b->tokens = fmin(b->burst, b->tokens + (double)(now_ms - b->at_ms) * b->per_second / 1000);
    b->at_ms = now_ms;
}

int64_t bucket_reserve(struct bucket *b, int64_t now_ms)
{
    refill(b, now_ms);
    b->tokens -= 1;
    return b->tokens >= 0 ? 0 : (int64_t)ceil(-b->tokens * 1000 / b->per_second);
}

bool bucket_try(struct bucket *b, int64_t now_ms)
{
    refill(b, now_ms);
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}
