/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completion bash|zsh|fish: scripts that ask the program itself (complete.h), under the names
 * kubectl-virt and virtctl.  kubectl asks kubectl_complete-virt, a link to the program.
 */
#include <stdio.h>

#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"

static const struct {
    const char *shell, *script;
} scripts[] = {
    { "bash",
      "# bash completion of kubectl-virt and virtctl; use: source <(kubectl-virt completion bash)\n"
      "__kubectl_virt_complete()\n"
      "{\n"
      "    local line words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\") cur=\"${COMP_WORDS[COMP_CWORD]}\"\n"
      "    COMPREPLY=()\n"
      "    while IFS= read -r line; do\n"
      "        case \"$line\" in\n"
      "        :0) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
      "        :*) ;;\n"
      "        *) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
      "        esac\n"
      "    done < <(\"${COMP_WORDS[0]}\" __complete \"${words[@]}\" 2>/dev/null)\n"
      "}\n"
      "complete -F __kubectl_virt_complete kubectl-virt virtctl\n" },
    { "zsh",
      "#compdef kubectl-virt virtctl\n"
      "# zsh completion; use: source <(kubectl-virt completion zsh)\n"
      "__kubectl_virt_complete()\n"
      "{\n"
      "    local line file=0\n"
      "    local -a found\n"
      "    for line in \"${(@f)$(\"${words[1]}\" __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; "
      "do\n"
      "        case \"$line\" in\n"
      "        :0) file=1 ;;\n"
      "        :*|'') ;;\n"
      "        *) line=\"${line//:/\\\\:}\"; found+=(\"${line/$'\\t'/:}\") ;;\n"
      "        esac\n"
      "    done\n"
      "    if (( file )); then _files; else _describe -V value found; fi\n"
      "}\n"
      "if [ \"$funcstack[1]\" = \"_kubectl-virt\" ]; then\n"
      "    __kubectl_virt_complete\n"
      "else\n"
      "    compdef __kubectl_virt_complete kubectl-virt virtctl\n"
      "fi\n" },
    { "fish", "# fish completion; use: kubectl-virt completion fish | source\n"
              "function __kubectl_virt_complete\n"
              "    set -l words (commandline -opc)\n"
              "    set -l current (commandline -ct)\n"
              "    set -l program $words[1]\n"
              "    set -e words[1]\n"
              "    for line in ($program __complete $words \"$current\" 2>/dev/null)\n"
              "        switch $line\n"
              "            case ':0'\n"
              "                __fish_complete_path $current\n"
              "            case ':*'\n"
              "            case '*'\n"
              "                echo $line\n"
              "        end\n"
              "    end\n"
              "end\n"
              "complete -c kubectl-virt -f -a '(__kubectl_virt_complete)'\n"
              "complete -c virtctl -f -a '(__kubectl_virt_complete)'\n" },
};

int run_completion(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *shell = args->item[0];

    for (size_t i = 0; i < countof(scripts); i++)
        if (streq(scripts[i].shell, shell))
            return fputs(scripts[i].script, stdout) < 0
                       ? error_set(e, ERR_INTERNAL, "standard output cannot be written")
                       : 0;
    if (streq(shell, "powershell"))
        return error_set(e, ERR_BAD_REQUEST, "completion for powershell is not available");
    return error_set(e, ERR_BAD_REQUEST, "unknown shell \"%s\": use bash, zsh or fish", shell);
}
