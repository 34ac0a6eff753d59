/* SPDX-License-Identifier: Apache-2.0 */
/* Boundaries of the messages that a VNC viewer sends. */
#include "handler/rfb.h"

#include <string.h>

#include "base/scope.h"

enum { VERSION_LEN = 12, SECURITY_NONE = 1 };

static uint16_t be16(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* ---- messages: the whole length as their heads tell it; 0 when they are not known ---- */

static uint64_t set_encodings(const unsigned char *head)
{
    return 4 + 4 * (uint64_t)be16(head + 2);
}

/* A negative length is that of the extended clipboard. */
static uint64_t cut_text(const unsigned char *head)
{
    uint32_t len = be32(head + 4);

    return 8 + (uint64_t)(len > INT32_MAX ? -len : len);
}

static uint64_t fence(const unsigned char *head)
{
    return 9 + (uint64_t)head[8];
}

static uint64_t set_desktop_size(const unsigned char *head)
{
    return 8 + 16 * (uint64_t)head[6];
}

/* Sub-message 0 is a key with its scan code; 1 is about audio: on, off, format. */
static uint64_t qemu(const unsigned char *head)
{
    static const uint8_t audio[] = { 4, 4, 10 };
    uint16_t operation = be16(head + 2);

    if (head[1] == 0)
        return 12;
    return head[1] == 1 && operation < countof(audio) ? audio[operation] : 0;
}

static const struct message {
    uint8_t type;
    uint8_t head;  /* bytes by which its length is known */
    uint8_t size;  /* its length, or what `len` says */
    bool is_input; /* acts on the machine, not only on what this viewer is shown */
    uint64_t (*len)(const unsigned char *head);
} messages[] = {
    // clang-format off
    { 0,   1, 20, false, NULL },             /* SetPixelFormat */
    { 2,   4, 0,  false, set_encodings },
    { 3,   1, 10, false, NULL },             /* FramebufferUpdateRequest */
    { 4,   1, 8,  true,  NULL },             /* KeyEvent */
    { 5,   1, 6,  true,  NULL },             /* PointerEvent */
    { 6,   8, 0,  true,  cut_text },
    { 150, 1, 10, false, NULL },             /* EnableContinuousUpdates */
    { 248, 9, 0,  false, fence },
    { 250, 1, 4,  true,  NULL },             /* xvp */
    { 251, 8, 0,  true,  set_desktop_size },
    { 255, 4, 0,  true,  qemu },
    // clang-format on
};

static const struct message *find_message(uint8_t type)
{
    for (size_t i = 0; i < countof(messages); i++) {
        if (messages[i].type == type)
            return &messages[i];
    }
    return NULL;
}

/* ---- the stream ---- */

/* A whole version: what follows it. */
static enum rfb_phase after_version(const unsigned char *version)
{
    /* QEMU takes 3.4 and 3.5 for 3.3: the server names the security type, the viewer says nothing.
     */
    static const struct {
        const char *text;
        enum rfb_phase next;
    } versions[] = {
        { "RFB 003.003\n", RFB_INIT },     { "RFB 003.004\n", RFB_INIT },
        { "RFB 003.005\n", RFB_INIT },     { "RFB 003.007\n", RFB_SECURITY },
        { "RFB 003.008\n", RFB_SECURITY },
    };

    for (size_t i = 0; i < countof(versions); i++) {
        if (memcmp(version, versions[i].text, VERSION_LEN) == 0)
            return versions[i].next;
    }
    return RFB_OPAQUE;
}

/* The first bytes of a message: decide at the first, know its length at the last. */
static void take_head(struct rfb *f, bool may_type, unsigned char byte)
{
    if (f->have == 0)
        f->is_dropped = false;
    f->head[f->have++] = byte;

    const struct message *m = find_message(f->head[0]);
    if (!m) {
        f->phase = RFB_OPAQUE;
        return;
    }
    if (f->have == 1)
        f->is_dropped = m->is_input && !may_type;
    if (f->have < m->head)
        return;
    uint64_t len = m->len ? m->len(f->head) : m->size;
    if (len < f->have) {
        f->phase = RFB_OPAQUE;
        return;
    }
    f->left = len - f->have;
    f->have = 0;
}

/* One byte that is not yet the rest of a message; it may be changed. */
static void take_byte(struct rfb *f, bool may_type, unsigned char *byte)
{
    switch (f->phase) {
    case RFB_VERSION:
        f->head[f->have++] = *byte;
        if (f->have < VERSION_LEN)
            break;
        f->phase = after_version(f->head);
        f->have = 0;
        break;
    case RFB_SECURITY:
        f->phase = *byte == SECURITY_NONE ? RFB_INIT : RFB_OPAQUE;
        break;
    case RFB_INIT:
        *byte = 1;
        f->phase = RFB_MESSAGES;
        break;
    case RFB_MESSAGES:
        take_head(f, may_type, *byte);
        break;
    case RFB_OPAQUE:
        break;
    }
}

ssize_t rfb_filter(struct rfb *f, bool may_type, unsigned char *data, size_t len,
                   const char **ret_why)
{
    size_t kept = 0;

    for (size_t i = 0; i < len;) {
        size_t n = 1;

        if (f->phase == RFB_OPAQUE) {
            n = len - i;
        } else if (f->left > 0) {
            n = f->left < len - i ? (size_t)f->left : len - i;
            f->left -= n;
        } else {
            take_byte(f, may_type, data + i);
        }
        if (f->phase == RFB_OPAQUE && (!may_type || f->is_dropped)) {
            *ret_why = "an observer sent what is not understood";
            return -1;
        }
        if (!f->is_dropped) {
            memmove(data + kept, data + i, n);
            kept += n;
        }
        i += n;
    }
    return (ssize_t)kept;
}
