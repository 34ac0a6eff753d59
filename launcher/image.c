// SPDX-License-Identifier: Apache-2.0
/* Disk image headers; see image.h. */
#include "launcher/image.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"

/* Formats that QEMU would know by their first bytes, but that a containerDisk may not be. */
static const struct magic {
    const char *name;
    size_t offset, len;
    const char *bytes;
} foreign[] = {
    { "qcow1", 0, 8, "QFI\xfb\0\0\0\1" },
    { "qed", 0, 4, "QED\0" },
    { "vmdk", 0, 4, "KDMV" },
    { "vmdk", 0, 4, "COWD" },
    { "vmdk", 0, 21, "# Disk DescriptorFile" },
    { "vhdx", 0, 8, "vhdxfile" },
    { "vpc", 0, 8, "conectix" },
    { "vdi", 64, 4, "\x7f\x10\xda\xbe" },
    { "luks", 0, 6, "LUKS\xba\xbe" },
};

enum {
    QCOW2_HEADER_BYTES = 72, /* version 2 */
    QCOW2_INCOMPATIBLE_AT = 72,
    QCOW2_DATA_FILE_BIT = 1 << 2,
    QCOW2_CLUSTER_BITS_MIN = 9,
    QCOW2_CLUSTER_BITS_MAX = 21,
};

static const uint64_t virtual_bytes_max = UINT64_C(1) << 56; /* of qcow2 */

static uint32_t be32_at(const unsigned char *p, size_t offset)
{
    uint32_t v;
    memcpy(&v, p + offset, sizeof(v));
    return be32toh(v);
}

static uint64_t be64_at(const unsigned char *p, size_t offset)
{
    uint64_t v;
    memcpy(&v, p + offset, sizeof(v));
    return be64toh(v);
}

static int probe_qcow2(struct image_info *ret, const unsigned char *p, size_t len, struct error *e)
{
    if (len < QCOW2_HEADER_BYTES)
        return error_set(e, ERR_INVALID, "qcow2 header is cut off");
    uint32_t version = be32_at(p, 4);
    uint64_t backing_at = be64_at(p, 8);
    uint32_t cluster_bits = be32_at(p, 20);
    uint64_t size = be64_at(p, 24);

    if (version != 2 && version != 3)
        return error_set(e, ERR_INVALID, "qcow2 version %u is not known", version);
    if (backing_at != 0)
        return error_set(e, ERR_INVALID, "qcow2 image has a backing file, which is not allowed");
    if (cluster_bits < QCOW2_CLUSTER_BITS_MIN || cluster_bits > QCOW2_CLUSTER_BITS_MAX)
        return error_set(e, ERR_INVALID, "qcow2 header has clusters of 2^%u bytes", cluster_bits);
    if (size == 0 || size > virtual_bytes_max)
        return error_set(e, ERR_INVALID, "qcow2 header has an impossible disk size");
    if (version == 3) {
        if (len < QCOW2_INCOMPATIBLE_AT + 8)
            return error_set(e, ERR_INVALID, "qcow2 header is cut off");
        if (be64_at(p, QCOW2_INCOMPATIBLE_AT) & QCOW2_DATA_FILE_BIT)
            return error_set(e, ERR_INVALID,
                             "qcow2 image has an external data file, which is not allowed");
    }
    *ret = (struct image_info){ .format = "qcow2", .virtual_bytes = size };
    return 0;
}

int image_probe(struct image_info *ret, const void *head, size_t len, uint64_t file_bytes,
                struct error *e)
{
    const unsigned char *p = head;

    if (file_bytes == 0)
        return error_set(e, ERR_INVALID, "image is empty");
    for (size_t i = 0; i < countof(foreign); i++) {
        const struct magic *m = &foreign[i];
        if (len >= m->offset + m->len && memcmp(p + m->offset, m->bytes, m->len) == 0)
            return error_set(e, ERR_INVALID, "image has the format %s (wanted: raw or qcow2)",
                             m->name);
    }
    if (len >= 4 && memcmp(p, "QFI\xfb", 4) == 0)
        return probe_qcow2(ret, p, len, e);
    *ret = (struct image_info){ .format = "raw", .virtual_bytes = file_bytes };
    return 0;
}

int image_probe_fd(struct image_info *ret, int fd, struct error *e)
{
    unsigned char head[IMAGE_HEAD_BYTES];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set(e, ERR_INTERNAL, "stat: %s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(e, ERR_INVALID, "image is not a regular file");
    ssize_t n = pread(fd, head, sizeof(head), 0);
    if (n < 0)
        return error_set(e, ERR_INTERNAL, "read: %s", strerror(errno));
    return image_probe(ret, head, (size_t)n, (uint64_t)st.st_size, e);
}

bool image_can_be_direct(const char *path)
{
    scoped_fd int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    return fd >= 0;
}
