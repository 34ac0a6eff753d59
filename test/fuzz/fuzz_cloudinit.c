/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [volume, instance]: the cloud-init data is decoded and written as files of a directory of its
 * own. The image itself is xorrisofs's work and is left out, as are the directories of Secrets.
 */
#include <stdio.h>
#include <unistd.h>

#include "launcher/beneath.h"
#include "launcher/cloudinit.h"
#include "launcher/domain.h"
#include "launcher/iso.h"
#include "test/fuzz/json_mutator.h"

static char dir[] = "/tmp/cvirt-fuzz-XXXXXX";

char *domain_volume_path(const json_t *volume, const json_t *vmi, const struct layout *layout)
{
    return must_asprintf("%s/seed", dir);
}

void iso_files_free(struct iso_files *f)
{
    free(f);
}

int iso_files_add(struct iso_files *f, const char *name, const char *path, struct error *e)
{
    must(access(path, R_OK) == 0);
    return 0;
}

int iso_files_add_dir(struct iso_files *f, const char *path, struct error *e)
{
    return 0;
}

int iso_make(struct reaper *r, const char *out, const char *label, const struct iso_files *files,
             struct error *e)
{
    return 0;
}

static void make_dir(void)
{
    static bool is_made;
    struct error e;

    if (is_made)
        return;
    must(mkdtemp(dir) != NULL);
    scoped(free) char *files = must_asprintf("%s/seed.d", dir);
    must(make_dirs(files, &e) == 0);
    is_made = true;
}

__attribute__((destructor)) static void remove_dir(void)
{
    static const char *const left[] = { "seed.d/meta", "seed.d/user", "seed.d/network", "seed.d",
                                        "." };

    for (size_t i = 0; i < countof(left); i++) {
        scoped(free) char *path = must_asprintf("%s/%s", dir, left[i]);
        (void)remove(path);
    }
    (void)rmdir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    json_auto_t *both = input_json(data, len);
    const json_t *volume = json_array_get(both, 0);
    const json_t *vmi = json_array_get(both, 1);
    struct error e = { 0 };

    /* A name of a volume is a DNS label, which the webhooks see to. */
    if (cloudinit_kind(volume) < 0 || strpbrk(jpath_str(volume, "name", ""), "./"))
        return 0;
    make_dir();
    if (cloudinit_write(NULL, volume, vmi, &LAYOUT_DEFAULT, &e) < 0)
        must(e.code != ERR_NONE && *e.msg);
    return 0;
}
