/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locals that clean up after themselves.
 *
 *     scoped(buf_done) ...       not this: scoped() takes pointer variables only
 *     scoped(free) char *s = must_strdup("x");
 *     return TAKE(s);            the caller owns it now
 */
#ifndef BASE_SCOPE_H
#define BASE_SCOPE_H

#include <stdlib.h>
#include <unistd.h>

#define scoped(fn) __attribute__((cleanup(fn##_scope)))

/* Make `scoped(fn)` possible for a destructor of `type *`. */
#define DEFINE_SCOPE(type, fn)              \
    static inline void fn##_scope(type **p) \
    {                                       \
        if (*p)                             \
            fn(*p);                         \
    }

#define TAKE(p)                    \
    ({                             \
        __typeof__(p) take_ = (p); \
        (p) = NULL;                \
        take_;                     \
    })

#define countof(a) (sizeof(a) / sizeof((a)[0]))

static inline void free_scope(void *p)
{
    free(*(void **)p);
}

/* scoped_fd int fd = open(...); closed at the end of the block when >= 0. */
#define scoped_fd __attribute__((cleanup(close_scope)))

static inline void close_scope(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

#define TAKE_FD(fd)          \
    ({                       \
        int take_fd_ = (fd); \
        (fd) = -1;           \
        take_fd_;            \
    })

#endif
