// SPDX-License-Identifier: Apache-2.0
/* Disk image headers, honest and hostile. */
#include "launcher/image.h"

#include "base/str.h"
#include "test/unit/rows.h"

#define ZERO8 "\0\0\0\0\0\0\0\0"
#define SIZE_1G "\0\0\0\0\x40\0\0\0"
/* magic, version, backing offset and length, cluster bits, size */
#define QCOW2(version, backing, bits, size)    \
    "QFI\xfb\0\0\0" version backing "\0\0\0\0" \
    "\0\0\0" bits size
#define REST ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 /* up to byte 72 */
#define BYTES(text) text, sizeof(text) - 1

// clang-format off
static const struct probe_case {
    const char *name;
    const char *head;
    size_t len;
    uint64_t file_bytes;
    const char *format; /* NULL: refused */
    uint64_t virtual_bytes;
    const char *why;    /* part of the message */
} cases[] = {
    { "boot sector is raw", BYTES("\xeb\x63\x90"), 1 << 20, "raw", 1 << 20, NULL },
    { "one byte is raw", BYTES("x"), 1, "raw", 1, NULL },
    { "empty file", BYTES(""), 0, NULL, 0, "empty" },
    { "qcow2 version 3", BYTES(QCOW2("\3", ZERO8, "\x10", SIZE_1G) REST ZERO8), 4096, "qcow2", 1 << 30, NULL },
    { "qcow2 version 2", BYTES(QCOW2("\2", ZERO8, "\x10", SIZE_1G) REST), 4096, "qcow2", 1 << 30, NULL },
    { "qcow2 with a backing file", BYTES(QCOW2("\3", "\0\0\0\0\0\0\1\0", "\x10", SIZE_1G) REST ZERO8), 4096, NULL, 0, "backing file" },
    { "qcow2 with a data file", BYTES(QCOW2("\3", ZERO8, "\x10", SIZE_1G) REST "\0\0\0\0\0\0\0\4"), 4096, NULL, 0, "data file" },
    { "qcow2 of a later version", BYTES(QCOW2("\4", ZERO8, "\x10", SIZE_1G) REST ZERO8), 4096, NULL, 0, "version" },
    { "qcow2 with huge clusters", BYTES(QCOW2("\3", ZERO8, "\x40", SIZE_1G) REST ZERO8), 4096, NULL, 0, "clusters" },
    { "qcow2 with tiny clusters", BYTES(QCOW2("\3", ZERO8, "\1", SIZE_1G) REST ZERO8), 4096, NULL, 0, "clusters" },
    { "qcow2 of no size", BYTES(QCOW2("\3", ZERO8, "\x10", ZERO8) REST ZERO8), 4096, NULL, 0, "size" },
    { "qcow2 of all sizes", BYTES(QCOW2("\3", ZERO8, "\x10", "\xff\xff\xff\xff\xff\xff\xff\xff") REST ZERO8), 4096, NULL, 0, "size" },
    { "qcow2 cut at its magic", BYTES("QFI\xfb\0\0\0\3"), 8, NULL, 0, "cut off" },
    { "qcow2 cut before its features", BYTES(QCOW2("\3", ZERO8, "\x10", SIZE_1G) REST), 72, NULL, 0, "cut off" },
    { "qcow1", BYTES("QFI\xfb\0\0\0\1" ZERO8), 4096, NULL, 0, "qcow1" },
    { "vmdk", BYTES("KDMV\1\0\0\0"), 4096, NULL, 0, "vmdk" },
    { "vmdk descriptor that names other files", BYTES("# Disk DescriptorFile\nversion=1\nRW 1 FLAT \"/etc/shadow\" 0"), 60, NULL, 0, "vmdk" },
    { "vhdx", BYTES("vhdxfile"), 4096, NULL, 0, "vhdx" },
    { "qed", BYTES("QED\0" ZERO8), 4096, NULL, 0, "qed" },
    { "luks", BYTES("LUKS\xba\xbe\0\1"), 4096, NULL, 0, "luks" },
};
// clang-format on

static void probes(void **state)
{
    const struct probe_case *c = *state;
    struct image_info info = { 0 };
    struct error e = { 0 };
    /* Exactly as long as said, so that a sanitizer sees a read past the end. */
    scoped(free) char *exact = must_malloc(c->len ? c->len : 1);
    memcpy(exact, c->head, c->len);

    int r = image_probe(&info, exact, c->len, c->file_bytes, &e);
    if (c->format) {
        assert_int_equal(r, 0);
        assert_string_equal(info.format, c->format);
        assert_true(info.virtual_bytes == c->virtual_bytes);
    } else {
        assert_int_equal(r, -ERR_INVALID);
        assert_non_null(strstr(e.msg, c->why));
    }
}

int main(void)
{
    return RUN_ROWS("image", cases, probes);
}
