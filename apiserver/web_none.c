/* SPDX-License-Identifier: Apache-2.0 */
/* The page's files of a build without web/: none, unless web_files.o (apiserver/web.mk) is linked.
 */
#include "apiserver/web.h"

__attribute__((weak)) const struct web_file web_files[] = { { .name = NULL } };
