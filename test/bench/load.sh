# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# virt-api's memory while reviews keep coming: bounded, and flat.

load_seconds=$((${BENCH_MINUTES:-5} * 60))
load_limit_mb=20
load_growth_mb=0.2

# A second's figures, as bytes / 10^6, while the process $1 lives and $2 seconds last.
sample_resident() {
    local i
    for ((i = 0; i < $2; i++)); do
        resident "$1" && echo
        sleep 1
    done
}

# Of a column: first, most, last; slope of all in MB a minute; last quarter's mean less that of the quarter before.
trend() {
    awk '{ v[NR] = $1; if ($1 > most) most = $1; x += NR; y += $1; xx += NR * NR; xy += NR * $1 }
        END {
            q = int(NR / 4)
            for (i = 0; i < q; i++) { late += v[NR - i] / q; before += v[NR - q - i] / q }
            printf "%.1f %.1f %.1f %.2f %.2f\n", v[1], most, v[NR], 60 * (NR * xy - x * y) / (NR * xx - x * x), late - before
        }'
}

# keep_asking CONNECTIONS WEBHOOK REVIEW
keep_asking() {
    REVIEW=$work/$3.json wrk -t1 -c"$1" -d"${load_seconds}s" -s "$here/post.lua" "$ours/$2" >"$work/$3.wrk" &
    started+=($!)
}
requests_of() { awk '/requests in/ { n += $1 } /Non-2xx|Socket errors/ { print "bench: wrk: " $0 > "/dev/stderr" } END { print n }' "$@"; }

measure_load() {
    local first most last slope growth
    start_servers
    keep_asking 13 virtualmachineinstances-validate-create validate
    keep_asking 12 virtualmachineinstances-mutate mutate
    sleep 2 # the handshakes
    sample_resident "$api_pid" $((load_seconds - 4)) >"$work/rss"
    until_true 10 "wrk ends" grep -q 'requests in' "$work/validate.wrk"
    until_true 10 "wrk ends" grep -q 'requests in' "$work/mutate.wrk"
    read -r first most last slope growth < <(trend <"$work/rss")

    heading "Memory under load"
    put "Resident memory of virt-api in MB (10^6 bytes), once a second, while 25 keep-alive HTTPS connections ask without pause for
$load_seconds s (13 validate, 12 mutate; reviews as above). Growth: the last quarter's mean less that of the quarter before. Goals: most $load_limit_mb, growth
$load_growth_mb.
"
    table reviews first most last "MB a minute" growth
    row "$(requests_of "$work/validate.wrk" "$work/mutate.wrk")" "$first" "$most" "$last" "$slope" "$growth"
    awk -v most="$most" -v growth="$growth" -v limit="$load_limit_mb" -v flat="$load_growth_mb" 'BEGIN { exit most > limit || growth > flat }' ||
        die "virt-api under load: at most $most MB, growth $growth MB"
}
