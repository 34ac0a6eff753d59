/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of FIPS 180, and the lengths around a block's end. */
#include "base/digest.h"

#include "rows.h"

static const struct digest_case {
    const char *name, *text, *sha1, *sha256;
} cases[] = {
    { "empty", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "one block", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "two blocks by padding", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "55 bytes", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "c1c8bbdc22796e28c0e15163d20899b65621d65a",
      "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
    { "64 bytes", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "0098ba824b5c16427bd7a1122a5a442a25ec644d",
      "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
};

static void digests(void **state)
{
    const struct digest_case *c = *state;
    char sha1[SHA1_HEX_MAX];
    char sha256[SHA256_HEX_MAX];
    sha1_hex(c->text, strlen(c->text), sha1);
    sha256_hex(c->text, strlen(c->text), sha256);
    assert_string_equal(sha1, c->sha1);
    assert_string_equal(sha256, c->sha256);
}

int main(void)
{
    return RUN_ROWS("digest", cases, digests);
}
