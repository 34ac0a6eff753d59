# shellcheck shell=bash
# After 58-idle.sh, whose sessions this would end.

in_a_browser_again() {
    web_tests WEB_KILL="kubectl -n kubevirt delete pods -l kubevirt.io=virt-api --force --grace-period=0"
    kubectl -n kubevirt rollout status deployment/virt-api --timeout=60s
}
run_case "a browser's session comes back by itself when virt-api is killed" in_a_browser_again
