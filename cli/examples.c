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
    { "migrate", "  %s migrate myvm --wait\n"
                 "  %s migrate myvm --addedNodeSelector zone=b\n" },
    { "migrate-cancel", "  %s migrate-cancel myvm\n" },
    { "evacuate-cancel", "  %s evacuate-cancel vm myvm\n" },
    { "addvolume", "  %s addvolume myvmi --volume-name=mydisk\n"
                   "  %s addvolume myvmi --volume-name=mydisk --disk-type=lun\n" },
    { "removevolume", "  %s removevolume myvmi --volume-name=mydisk\n" },
    { "expose", "  %s expose vm myvm --name=ssh --port=22 --type=NodePort\n"
                "  %s expose vmirs myset --name=web --port=80 --target-port=8080\n" },
    { "expand", "  %s expand --vm myvm\n"
                "  %s expand -f myvm.yaml -o json\n" },
    { "objectgraph", "  %s objectgraph myvm --exclude-optional -o yaml\n" },
    { "guestosinfo", "  %s guestosinfo myvmi\n" },
    { "console", "  %s console myvmi\n"
                 "  %s console myvmi --observe\n"
                 "  %s console myvmi --browser\n" },
    { "vnc", "  %s vnc myvmi\n"
             "  %s vnc myvmi --shared\n"
             "  %s vnc myvmi --browser\n"
             "  %s vnc myvmi --link --duration 30m\n" },
    { "vnc screenshot", "  %s vnc screenshot myvmi -f screen.png\n" },
    { "port-forward",
      "  %s port-forward vmi/myvmi tcp/8080:80\n"
      "  %s port-forward vm/myvm/mynamespace 2222:22 udp/5353:53\n"
      "  ssh -o 'ProxyCommand=kubectl virt port-forward --stdio vmi/%h %p' myvmi\n" },
    { "ssh", "  %s ssh me@vmi/myvmi\n"
             "  %s ssh vm/myvm/mynamespace --command uptime\n" },
    { "scp", "  %s scp notes.txt me@vmi/myvmi:notes.txt\n"
             "  %s scp -r vm/myvm:/var/log logs\n" },
    { "usbredir", "  %s usbredir 0951:1666 myvmi\n"
                  "  %s usbredir 1-4 myvmi\n" },
    { "create vm",
      "  %s create vm --name=myvm --volume-containerdisk=src:my.registry/fedora:42\n"
      "  %s create vm --instancetype=u1.small --volume-import=type:ds,src:ns/fedora\n"
      "  %s create vm --user=me --ssh-key=\"$(cat key.pub)\" | kubectl create -f -\n" },
    { "create instancetype", "  %s create instancetype --name=small --cpu=1 --memory=1Gi\n" },
    { "create preference", "  %s create preference --name=p --cpu-topology=cores\n" },
    { "create clone", "  %s create clone --source-name=myvm --target-name=copy\n" },
    { "credentials add-ssh-key",
      "  %s credentials add-ssh-key myvm --user=fedora --file=key.pub\n" },
    { "credentials remove-ssh-key",
      "  %s credentials remove-ssh-key myvm --user=fedora --file=key.pub\n" },
    { "credentials set-password",
      "  %s credentials set-password myvm --user=fedora --password=secret\n" },
    { "adm log-verbosity", "  %s adm log-verbosity --all\n"
                           "  %s adm log-verbosity --virt-api=5\n"
                           "  %s adm log-verbosity --reset\n" },
    { "completion", "  source <(kubectl-virt completion bash)\n"
                    "  kubectl-virt completion fish | source\n" },
};

const char *command_examples(const char *name)
{
    for (size_t i = 0; i < countof(examples); i++)
        if (streq(examples[i].command, name))
            return examples[i].text;
    return NULL;
}
