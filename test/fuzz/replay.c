/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() for a fuzz target where the compiler has no libFuzzer: every file named, and every file of
 * every directory named, is given to the target once.  Options of libFuzzer are passed over.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "test/fuzz/target.h"

enum { INPUT_MAX = 1024 * 1024 };

static size_t replayed;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "re");
    scoped_buf text = BUF_INIT(INPUT_MAX);
    char piece[4096];
    size_t n;

    must(file != NULL);
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        must(buf_add(&text, piece, n));
    (void)fclose(file);
    /* A copy of just that size, so that a read behind the end is seen. */
    scoped(free) uint8_t *exact = must_malloc(text.len ? text.len : 1);
    if (text.len)
        memcpy(exact, text.data, text.len);
    (void)LLVMFuzzerTestOneInput(exact, text.len);
    replayed++;
}

static void replay_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    must(dir != NULL);
    while ((entry = readdir(dir))) {
        scoped(free) char *file = must_asprintf("%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            replay_file(file);
    }
    (void)closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;

        if (argv[i][0] == '-')
            continue;
        must(stat(argv[i], &st) == 0);
        if (S_ISDIR(st.st_mode))
            replay_dir(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("%zu inputs replayed\n", replayed);
    return 0;
}
