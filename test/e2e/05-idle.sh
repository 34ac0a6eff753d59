# shellcheck shell=bash
# Ten minutes of silence behind a proxy that cuts connections idle for 60 s.  They pass while other files run;
# 58-idle.sh looks at what came of it.
IDLE=$STATE/e2e-idle
IDLE_FOR=${E2E_IDLE_FOR:-10m}

begin_idle() {
    rm -rf "$IDLE" && mkdir "$IDLE"
    (cd "$repository/test/streams" && go build -o "$repository/build/streams" .)
    vmi_manifest idle | kubectl apply -f - >/dev/null
    until_true 90 "running" is_running idle
    # Not a job of this case, which would be ended with it.
    # shellcheck disable=SC2016
    setsid sh -c '"$@"; echo $? >"$0"' "$IDLE/code" \
        "$repository/build/streams" idle -server "$(apiserver_url)" -ca "$PKI/ca.crt" -cert "$PKI/admin.crt" -key "$PKI/admin.key" \
        -namespace "$NS" -name idle -for "$IDLE_FOR" -cut 60s >"$IDLE/log" 2>&1 </dev/null &
    disown
    sleep 3
    [ ! -e "$IDLE/code" ] || fail "ended: $(cat "$IDLE/log")"
}
run_case "a console and a screen fall silent behind a proxy that cuts idle connections" begin_idle
