/* SPDX-License-Identifier: Apache-2.0 */
/* The page's files of a build without web/: linked when no other web_files is. */
#include "apiserver/web.h"

const struct web_file web_files[] = { { .name = NULL } };
