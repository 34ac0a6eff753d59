/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a container image, found without leaving it: links are followed as
 * if the image's directory were the root, ".." stops there, and magic links of /proc are
 * refused (openat2, RESOLVE_IN_ROOT).
 */
#ifndef LAUNCHER_BENEATH_H
#define LAUNCHER_BENEATH_H

#include "base/error.h"

/*
 * Open the regular file `path` of the tree `root`, read-only.  *ret_real (new)
 * is its path without links, which may be given to other programs as long as the tree
 * is read-only.  A descriptor, or -ERR_NOT_FOUND, -ERR_INVALID.
 */
int beneath_open(const char *root, const char *path, char **ret_real, struct error *e);

/* The only regular file in directory `dir` of the tree (no directories looked into).  As above. */
int beneath_open_only(const char *root, const char *dir, char **ret_real, struct error *e);

/* mkdir -p with mode 0770 for the last step; every step may exist. */
int make_dirs(const char *path, struct error *e);

#endif
