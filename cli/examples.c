/* SPDX-License-Identifier: Apache-2.0 */
/* Examples of the commands, for --help and the manual pages.  "%s" is the program.  Data only. */
#include "base/scope.h"
#include "base/str.h"
#include "cli/help.h"

static const struct {
    const char *command, *text;
} examples[] = {
    { "start", "  %s start myvm\n"
               "  %s start myvm --paused\n" },
    { "stop", "  %s stop myvm\n"
              "  %s stop myvm --force --grace-period 0\n" },
    { "restart", "  %s restart myvm\n" },
    { "pause", "  %s pause vm myvm\n"
               "  %s pause vmi myvmi\n" },
    { "unpause", "  %s unpause vm myvm\n" },
};

const char *command_examples(const char *name)
{
    for (size_t i = 0; i < countof(examples); i++)
        if (streq(examples[i].command, name))
            return examples[i].text;
    return NULL;
}
