# shellcheck shell=bash
# Start, find and end the node's own processes. A pid file holds the pid and the start time that the kernel
# gives it, so that a pid which now belongs to another program is never taken for ours.

start_time_of() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # The program's name may hold blanks; the fields are counted from the bracket after it.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    # A zombie has ended.
    [ "$1" != Z ] && echo "${20}"
}

# Print the pid of a component that runs; fail when it does not.
pid_of() {
    local pid started
    read -r pid started 2>/dev/null <"$STATE/pid/$1" || return 1
    [ "$(start_time_of "$pid")" = "$started" ] && echo "$pid"
}

in_node() { nsenter --net="/run/netns/$NETNS" "$@"; }

# spawn NAME COMMAND...: in the node's network namespace, in a session of its own.
spawn() {
    local name=$1 pid
    shift
    mkdir -p "$STATE/log" "$STATE/pid"
    printf '\n==== %(%FT%TZ)T %s\n' -1 "$*" >>"$STATE/log/$name.log"
    # The lock of this script must not live on in a daemon.
    setsid nsenter --net="/run/netns/$NETNS" "$@" >>"$STATE/log/$name.log" 2>&1 </dev/null 9>&- &
    pid=$!
    echo "$pid $(start_time_of "$pid")" | write_file "$STATE/pid/$name"
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

has_ended() { ! start_time_of "$1" >/dev/null; }

# end_process PID SECONDS: ask, wait, then insist.
end_process() {
    kill "$1" 2>/dev/null || return 0
    wait_for "$2" has_ended "$1" && return 0
    kill -KILL "$1" 2>/dev/null || :
    wait_for 5 has_ended "$1"
}

last_words_of() { tail -n 15 "$STATE/log/$1.log" 2>/dev/null | cut -c1-300 >&2 || :; }
