# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# Resident memory of every process.

# In MB of a million bytes, one decimal: now, and the most since the process began.
of_status() { awk -v key="$2:" '$1 == key { printf "%.1f", $2 * 1.024 / 1000 }' "/proc/$1/status"; }
resident() { of_status "$1" VmRSS; }
peak() { of_status "$1" VmHWM; }
anonymous() { of_status "$1" RssAnon; }

# each FIGURE PID...: "a, b, c"
each() {
    local figure=$1 pid out=
    shift
    for pid; do out+=${out:+, }$("$figure" "$pid"); done
    printf '%s' "${out:-none runs}"
}

measure_memory() {
    heading Memory
    put "Resident, in MB; shared libraries count in full for each process that maps them. A list has a figure a process. Anonymous is
what is the process's own. Most: since the process began, all tests and machines until then included.
"
    table process now "of it anonymous" most goal
    if [ -n "${idle_api:-}" ]; then
        row "virt-api of the admission part (now: before the load; most: after it)" "$idle_api" - "$loaded_api" 15
    fi
    local program pids goal
    for program in virt-api virt-controller virt-handler virt-launcher; do
        mapfile -t pids < <(processes "$program")
        goal=20
        [ "$program" != virt-api ] || goal=15
        row "$program" "$(each resident "${pids[@]}")" "$(each anonymous "${pids[@]}")" "$(each peak "${pids[@]}")" "$goal"
    done
    mapfile -t pids < <(pgrep -x 'libvirtd|virtqemud' || :)
    row "libvirtd beside a guest" "$(each resident "${pids[@]}")" "$(each anonymous "${pids[@]}")" "$(each peak "${pids[@]}")" -
}
