# shellcheck shell=bash
# What is slow, flooded or silent: the end of 05-idle.sh, and viewers that misbehave.

streams_tool() {
    local command=$1
    shift
    "$repository/build/streams" "$command" -server "$(apiserver_url)" -ca "$PKI/ca.crt" -cert "$PKI/admin.crt" -key "$PKI/admin.key" \
        -namespace "$NS" -name streams "$@"
}
pids_of() { pgrep -x "$1" | paste -sd, -; }

flood() { streams_tool flood -bytes 4000000 -within 4m; }
run_case "a console that prints without a pause: every byte arrives" flood

stuck_viewer() { streams_tool viewers -stop 60s -pids "$(pids_of virt-api),$(pids_of virt-handler)"; }
run_case "a viewer that stops reading for a minute: memory stays, the other goes on, it catches up" stuck_viewer

idle_is_alive() {
    until_true 700 "the end of the silence" test -e "$IDLE/code"
    [ "$(cat "$IDLE/code")" = 0 ] || fail "$(cat "$IDLE/log")"
}
[ ! -e "$IDLE/log" ] || run_case "console and screen are alive after ten silent minutes behind it" idle_is_alive
