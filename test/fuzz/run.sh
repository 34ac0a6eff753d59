#!/bin/bash
# Run fuzz targets, as many at a time as there are processors; the closing line counts them.
#   run.sh SECONDS TARGET...
# What is found new goes to build/fuzz/corpus, an input that fails to build/fuzz/failed.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

seconds=$1
shift
build=build/fuzz

run_one() {
    local seconds=$1 target=$2 began=$SECONDS log=build/fuzz/log/$2
    mkdir -p "build/fuzz/corpus/$target" "build/fuzz/failed" "build/fuzz/log"
    # Logs of the code under test are kept out of the way; libFuzzer's own end in the file as well.
    "build/fuzz/test/$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=8192 \
        -dict=test/fuzz/json.dict -artifact_prefix="build/fuzz/failed/$target-" -print_final_stats=1 \
        "build/fuzz/corpus/$target" "test/fuzz/corpus/$target" >"$log" 2>&1
    local rc=$?
    if [ $rc -eq 0 ]; then
        echo "ok      $target ($(grep -aoE '[0-9]+ inputs replayed|number_of_executed_units: [0-9]+' "$log" | tail -1), $((SECONDS - began)) s)"
    else
        echo "FAILED  $target (exit $rc)"
        tail -60 "$log"
    fi
    return $rc
}
export -f run_one

mkdir -p $build
results=$(printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'run_one "$0" "$1"' "$seconds" {})
echo "$results"
passed=$(grep -c '^ok ' <<<"$results")
failed=$(grep -c '^FAILED ' <<<"$results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq $# ]
