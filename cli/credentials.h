/* SPDX-License-Identifier: Apache-2.0 */
/* What the credentials commands find in a machine and in a secret's text.  Pure. */
#ifndef CLI_CREDENTIALS_H
#define CLI_CREDENTIALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum credential_kind { CREDENTIAL_SSH_KEY, CREDENTIAL_PASSWORD };

/* Names of the secrets that the guest agent takes from: SSH keys of this user, or passwords (of
 * any).  New array. */
json_t *credentials_secrets(const json_t *vm, enum credential_kind kind, const char *user);

/* Does the line (no newline in it) begin with the key, blanks aside? */
bool credentials_line_has_key(const char *line, size_t len, const char *key);

/* The text without the lines that hold the key.  New; *ret_found says whether there were any. */
char *credentials_without_key(const char *text, const char *key, bool *ret_found);

#endif
