/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt-gen: write the files that follow from tables of the code, so that they
 * can be committed and compared (make gen, make check-generated).
 *
 *     virt-gen OUTDIR     OUTDIR/deploy/crds, OUTDIR/deploy/rbac.yaml, ...
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "apiserver/manifests.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/must.h"
#include "base/scope.h"
#include "kube/yaml.h"
#include "openapi/emit.h"

#define HEADER "# Made by `make gen` from tables of the code; change those, not this file.\n"

static int write_file(const char *dir, const char *name, const struct buf *text, struct error *e)
{
    scoped(free) char *path = must_asprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "we");

    if (!f)
        return error_set(e, ERR_INTERNAL, "open '%s': %s", path, strerror(errno));
    const bool is_whole = fwrite(text->data, 1, text->len, f) == text->len;
    if (fclose(f) != 0 || !is_whole)
        return error_set(e, ERR_INTERNAL, "write '%s': %s", path, strerror(errno));
    return 0;
}

static void add_document(const json_t *object, struct buf *out)
{
    scoped(free) char *text = yaml_dump(object);

    buf_adds(out, "---\n");
    buf_adds(out, text);
}

/* takes `objects` */
static int write_manifest(const char *dir, const char *name, json_t *objects, struct error *e)
{
    json_auto_t *mine = objects;
    scoped_buf out = BUF_INIT(0);
    size_t i;
    json_t *object;

    buf_adds(&out, HEADER);
    json_array_foreach(mine, i, object)
        add_document(object, &out);
    return write_file(dir, name, &out, e);
}

static int write_crds(const char *dir, struct error *e)
{
    for (size_t i = 0; i < all_kinds_len; i++) {
        scoped(free) char *name =
            must_asprintf("deploy/crds/%s.%s.yaml", all_kinds[i]->plural, all_kinds[i]->group);
        int r = write_manifest(dir, name, must_pack("[o]", crd_json(all_kinds[i])), e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_pages(const char *dir, struct error *e)
{
    scoped_buf reference = BUF_INIT(0);
    scoped_buf not_acted_on = BUF_INIT(0);

    reference_write(&reference);
    not_acted_on_write(&not_acted_on);
    int r = write_file(dir, "docs/reference.md", &reference, e);
    return r < 0 ? r : write_file(dir, "docs/not-acted-on.md", &not_acted_on, e);
}

static int make_folders(const char *dir, struct error *e)
{
    static const char *const folders[] = { "", "/deploy", "/deploy/crds", "/docs" };

    for (size_t i = 0; i < countof(folders); i++) {
        scoped(free) char *path = must_asprintf("%s%s", dir, folders[i]);
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return error_set(e, ERR_INTERNAL, "make folder '%s': %s", path, strerror(errno));
    }
    return 0;
}

static int generate(const char *dir, struct error *e)
{
    int r = make_folders(dir, e);

    if (r == 0)
        r = write_crds(dir, e);
    if (r == 0)
        r = write_manifest(dir, "deploy/rbac.yaml", manifests_rbac(), e);
    if (r == 0)
        r = write_manifest(dir, "deploy/webhooks.yaml", manifests_webhooks(), e);
    if (r == 0)
        r = write_pages(dir, e);
    return r;
}

int main(int argc, char **argv)
{
    struct error e;

    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: virt-gen OUTDIR\n");
        return 2;
    }
    if (generate(argv[1], &e) < 0) {
        fprintf(stderr, "virt-gen: %s\n", e.msg);
        return 1;
    }
    return 0;
}
