/* SPDX-License-Identifier: Apache-2.0 */
/* What ssh and scp are run with.  Pure but for the environment's user name. */
#ifndef CLI_SSH_H
#define CLI_SSH_H

#include "cli/cli.h"

struct words {
    char **item; /* NULL-terminated; each new */
    size_t len;
};
void words_done(struct words *w);

/* The tunnel's command as ssh hands it to a shell: quoted for it, "%" doubled for ssh.  Carries the
 * global flags that are set, but no secret.  New. */
char *ssh_proxy_command(const struct cli *c, const char *target, long long port);

int ssh_words(struct words *ret, const struct cli *c, const char *target, struct error *e);
int scp_words(struct words *ret, const struct cli *c, const char *from, const char *to,
              struct error *e);

/* Secrets travel to the tunnel's process in its environment: put them there, take them from there.
 */
void ssh_pass_secrets(const struct flags *f);
void ssh_take_secrets(struct flags *f);

#endif
