# shellcheck shell=bash
# The page in a real browser, against the machine of 52-streams.sh.  Pictures are in build/web-pictures.

# web_tests NAME=VALUE...: those of test/web/cluster that have what they need.
web_tests() {
    (cd "$repository" && make --no-print-directory test/web/node_modules/stamp >/dev/null)
    cd "$repository/test/web" || return
    env WEB_URL="https://$(kubectl -n kubevirt get service virt-api -o 'jsonpath={.spec.clusterIP}')/ui/" WEB_MACHINE=streams \
        WEB_NAMESPACE="$NS" WEB_TOKEN="$(token_of editor kubevirt.io:edit)" WEB_OUT="$repository/build/web-pictures" "$@" npm run --silent cluster
}

in_a_browser() {
    # Screenshots are an administrator's by upstream's roles.
    k create rolebinding editor-pictures --clusterrole=kubevirt.io:admin --serviceaccount="$NS:editor" --dry-run=client -o yaml | k apply -f - >/dev/null
    kubectl apply -f - >/dev/null <<Y
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: watcher, namespace: $NS}
rules:
- {apiGroups: [subresources.kubevirt.io], resources: [virtualmachineinstances/vnc, virtualmachineinstances/vnc/screenshot, virtualmachineinstances/console], verbs: [get]}
Y
    k create rolebinding watcher --role=watcher --serviceaccount="$NS:onlooker" --dry-run=client -o yaml | k apply -f - >/dev/null
    local token answer
    token=$(token_of onlooker kubevirt.io:view)
    answer=$(api PUT "$SUB/virtualmachineinstances/streams/link" -H 'Content-Type: application/json' -d '{"duration":"10m"}' | sed '$d')
    web_tests WEB_READER_TOKEN="$token" WEB_LINK="https://$(kubectl -n kubevirt get service virt-api -o 'jsonpath={.spec.clusterIP}')$(jq -r .path <<<"$answer")"
}
run_case "a browser shows the screen, types, watches, takes over, logs in at the serial console" in_a_browser
