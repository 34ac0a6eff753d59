# shellcheck shell=bash
# virt-api reached without kube-apiserver: bearer tokens, origins, tickets, and who may not (docs/STREAMS.md, "Direct access").
# The machine is that of 52-streams.

SUB=/apis/subresources.kubevirt.io/v1/namespaces/$NS

# token_of NAME ROLE: a service account with a role in this namespace.
token_of() {
    k create serviceaccount "$1" --dry-run=client -o yaml | k apply -f - >/dev/null
    k create rolebinding "$1" --clusterrole="$2" --serviceaccount="$NS:$1" --dry-run=client -o yaml | k apply -f - >/dev/null
    k create token "$1" --duration=10m
}
bearer() { printf 'Authorization: Bearer %s' "$1"; }
as_protocol() { printf 'base64url.bearer.authorization.k8s.io.%s' "$(printf %s "$1" | base64 -w0 | tr '+/' '-_' | tr -d =)"; }

# upgrades PATH [curl arguments]: the status line of the answer to a websocket handshake; a stream that is open ends by --max-time.
upgrades() {
    local path=$1
    shift
    { curl -sk "${UPGRADE[@]}" "$@" "https://$(api_pod_ip):8443$path" || :; } | tr -d '\0\r' | sed -n 1p
}

direct_token() {
    local token
    token=$(token_of editor kubevirt.io:edit)
    direct "$SUB/virtualmachineinstances/streams/guestosinfo" -H "$(bearer "$token")" >/tmp/e2e-direct || :
    [ "$(code </tmp/e2e-direct)" != 401 ] || fail "refused: $(cat /tmp/e2e-direct)"
    [[ "$(upgrades "$SUB/virtualmachineinstances/streams/console?observe=true" -H "$(bearer "$token")")" == *" 101 "* ]] ||
        fail "no console with a token"
}
run_case "a service account's token opens a console directly" direct_token

direct_protocol() {
    local token head
    token=$(token_of editor kubevirt.io:edit)
    head=$({ curl -sk "${UPGRADE[@]}" -H "Sec-WebSocket-Protocol: $(as_protocol "$token"), plain.kubevirt.io" \
        "https://$(api_pod_ip):8443$SUB/virtualmachineinstances/streams/vnc?observe=true" || :; } | tr -d '\0\r' | sed -n '1,/^$/p')
    says ' 101 ' <<<"$head" || fail "no screen with a token as protocol: $head"
    says -i 'Sec-WebSocket-Protocol: plain.kubevirt.io' <<<"$head" || fail "the protocol is not answered: $head"
    ! says 'bearer' <<<"$head" || fail "the token is sent back: $head"
    upgrades "$SUB/virtualmachineinstances/streams/vnc" -H "Sec-WebSocket-Protocol: $(as_protocol "$token")" | says ' 40[01] ' ||
        fail "a token without a companion protocol is taken"
}
run_case "a browser's way: the token as a websocket protocol, which is not sent back" direct_protocol

no_token() { direct "$SUB/virtualmachineinstances/streams/guestosinfo" | has_status 401 Unauthorized; }
run_case "no token: 401" no_token
wrong_token() { direct "$SUB/virtualmachineinstances/streams/guestosinfo" -H "$(bearer not.a.token)" | has_status 401 Unauthorized; }
run_case "a token that nobody issued: 401" wrong_token

without_right() {
    local token
    token=$(token_of onlooker kubevirt.io:view)
    direct "$SUB/virtualmachineinstances/streams/vnc" -H "$(bearer "$token")" | has_status 403 Forbidden
    direct "$SUB/virtualmachines/streams/stop" -X PUT -H "$(bearer "$token")" | has_status 403 Forbidden
}
run_case "a token without the right: 403, for a stream and for a command" without_right

origins() {
    local token ip
    token=$(token_of editor kubevirt.io:edit)
    ip=$(api_pod_ip)
    upgrades "$SUB/virtualmachineinstances/streams/vnc?observe=true" -H "$(bearer "$token")" -H "Origin: https://elsewhere.example" |
        says ' 403 ' || fail "a foreign origin is let in"
    upgrades "$SUB/virtualmachineinstances/streams/vnc?observe=true" -H "$(bearer "$token")" -H "Origin: https://$ip:8443" |
        says ' 101 ' || fail "the own origin is refused"
    direct "$SUB/virtualmachines/streams/stop" -X PUT -H "$(bearer "$token")" -H 'Origin: https://elsewhere.example' |
        has_status 403 Forbidden
}
run_case "a foreign Origin: 403; the page's own is let in" origins

tickets() {
    local answer ticket
    answer=$(api PUT "$SUB/virtualmachineinstances/streams/link" -H 'Content-Type: application/json' -d '{"duration":"1m"}')
    [ "$(code <<<"$answer")" = 200 ] || fail "no ticket: $answer"
    ticket=$(sed '$d' <<<"$answer" | jq -r .token)
    upgrades "$SUB/virtualmachineinstances/streams/vnc?observe=true" -H "$(bearer "$ticket")" | says ' 101 ' ||
        fail "the ticket opens no screen"
    direct "$SUB/virtualmachineinstances/other/vnc" -H "$(bearer "$ticket")" | code | says '40[13]' ||
        fail "the ticket is taken for another machine"
    direct "$SUB/virtualmachineinstances/streams/vnc" -H "$(bearer "${ticket}x")" | has_status 401 Unauthorized
    direct "$SUB/virtualmachineinstances/streams/link" -X PUT -H "$(bearer "$ticket")" | code | says '40[13]' ||
        fail "a ticket makes another"
}
run_case "a ticket opens its own machine only, and cannot be altered" tickets

ticket_ends() {
    local ticket
    ticket=$(api PUT "$SUB/virtualmachineinstances/streams/link" -H 'Content-Type: application/json' -d '{"duration":"2s"}' |
        sed '$d' | jq -r .token)
    sleep 3
    direct "$SUB/virtualmachineinstances/streams/vnc" -H "$(bearer "$ticket")" | has_status 401 Unauthorized
}
run_case "an expired ticket: 401" ticket_ends

ticket_rights() {
    local token answer ticket
    token=$(token_of leaver kubevirt.io:edit)
    answer=$(curl -s --cacert "$PKI/ca.crt" -H "$(bearer "$token")" -X PUT -H 'Content-Type: application/json' -d '{"duration":"5m"}' \
        "$(apiserver_url)$SUB/virtualmachineinstances/streams/link")
    ticket=$(jq -r .token <<<"$answer")
    upgrades "$SUB/virtualmachineinstances/streams/vnc?observe=true" -H "$(bearer "$ticket")" | says ' 101 ' || fail "not let in: $answer"
    k delete rolebinding leaver
    # Both sides remember a verdict for 10 s.
    until_true 25 "the ticket of a user without the right: 403" ticket_is_refused "$ticket"
}
ticket_is_refused() { [ "$(direct "$SUB/virtualmachineinstances/streams/vnc" -H "$(bearer "$1")" | code)" = 403 ]; }
run_case "a ticket is worth what its user may: the right taken away, 403" ticket_rights

page() {
    local head
    head=$(direct /ui/ -i)
    says -i "content-security-policy: default-src 'none'; script-src 'self'" <<<"$head" || fail "policy: $head"
    ! says "unsafe" <<<"$head" || fail "unsafe: $head"
    api GET /apis/subresources.kubevirt.io/v1/ui/index.html | says '<title>' || fail "not served through kube-apiserver"
    [ "$(direct /ui/nothing.js | code)" = 404 ] || fail "an unknown file is not 404"
    [ "$(direct /ui/..%2f..%2fetc%2fpasswd | code)" = 404 ] || fail "a path out is not 404"
    curl -s --cacert "$PKI/ca.crt" -H "$(bearer "$(token_of onlooker kubevirt.io:view)")" -o /dev/null -w '%{http_code}' \
        "$(apiserver_url)/apis/subresources.kubevirt.io/v1/ui/index.html" | says 200 || fail "not for everyone who is known"
}
run_case "the page is served directly and through kube-apiserver, under a strict policy" page

reads() {
    local token
    token=$(token_of onlooker kubevirt.io:view)
    direct "/apis/kubevirt.io/v1/namespaces/$NS/virtualmachines/streams" -H "$(bearer "$token")" | sed '$d' |
        jq -e '.metadata.name == "streams" and (.metadata.managedFields | not)' >/dev/null || fail "no machine"
    direct "/apis/kubevirt.io/v1/namespaces/$NS/virtualmachines" -H "$(bearer "$token")" | sed '$d' |
        jq -e '[.items[].metadata.name] | index("streams") != null' >/dev/null || fail "no list"
    direct "/apis/kubevirt.io/v1/namespaces/kube-system/virtualmachines" -H "$(bearer "$token")" | has_status 403 Forbidden
    direct "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" -X POST -H "$(bearer "$token")" -H 'Content-Type: application/json' -d "$(
        jq -cn --arg ns "$NS" '{spec:{resourceAttributes:{group:"subresources.kubevirt.io",resource:"virtualmachines",subresource:"stop",verb:"update",namespace:$ns,name:"streams"}}}')" |
        sed '$d' | jq -e '.status.allowed == false' >/dev/null || fail "a viewer may stop machines"
}
run_case "what the page reads, with the caller's rights" reads
