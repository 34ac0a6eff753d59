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
    printf '%s' "${out:-none}"
}

programs=(virt-api virt-controller virt-handler virt-launcher libvirtd)
declare -A idle

# Before anything is asked of them.
note_idle() {
    local program
    for program in "${programs[@]}"; do idle[$program]=$(each_process resident "$program"); done
}

# each_process FIGURE PROGRAM
each_process() {
    local pids
    mapfile -t pids < <(processes "$2")
    each "$1" "${pids[@]}"
}

measure_memory() {
    heading Memory
    put "Resident, in MB (10^6 bytes); shared libraries count in full for each process that maps them, anonymous memory is a process's own. A
list has a figure a process. Idle: before this run began; loaded: after the parts above, with one machine running; most: since the
process began.
"
    table process idle loaded "of it anonymous" most goal
    [ -z "${idle_api:-}" ] || row "virt-api of the admission part" "$idle_api" "$loaded_api" - "$loaded_api" 15
    run_machine
    local program goal
    for program in "${programs[@]}"; do
        case $program in
        virt-api) goal=15 ;;
        libvirtd) goal=- ;;
        *) goal=20 ;;
        esac
        row "$program" "${idle[$program]}" "$(each_process resident "$program")" "$(each_process anonymous "$program")" \
            "$(each_process peak "$program")" "$goal"
    done
}
