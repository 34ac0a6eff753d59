#!/bin/bash
# All tests, and one closing line that counts them.
#   run.sh quick      checks and units: minutes
#   run.sh all        also units under sanitizers, and end to end on the local node (built on first use)
# Called by make check and make test, after a build.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.." || exit 1

passed=0 failed=0
failures=()
began=$SECONDS

# stage NAME COMMAND...: a stage that counts its own cases (its last line says so), or counts as one.
stage() {
    local name=$1 log count ok bad rc
    shift
    log=$(mktemp)
    printf '== %s (after %d s)\n' "$name" $((SECONDS - began))
    "$@" 2>&1 | tee "$log"
    rc=${PIPESTATUS[0]}
    count=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -1)
    rm -f "$log"
    if [ -n "$count" ]; then
        read -r ok _ bad _ <<<"$count"
    elif [ "$rc" -eq 0 ]; then
        ok=1 bad=0
    else
        ok=0 bad=1
    fi
    [ "$rc" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    [ "$bad" -eq 0 ] || failures+=("$name")
    passed=$((passed + ok)) failed=$((failed + bad))
}

make_goal() { make --no-print-directory "$@"; }

stage "lint" make_goal lint
stage "units" make_goal -j2 unit
stage "the page in a browser, without a cluster" test/web/run.sh
if [ "${1:-quick}" = all ]; then
    stage "units under the address and undefined-behaviour sanitizers" make_goal -j2 unit-asan
    stage "threaded units under the thread sanitizer" make_goal -j2 unit-tsan
    stage "fuzz targets, seconds each" make_goal -j2 fuzz-smoke
    stage "the local node with cvirt on it" deploy/run.sh deploy
    stage "end to end" test/e2e/run.sh
fi

for name in "${failures[@]:-}"; do
    [ -z "$name" ] || echo "failed stage: $name"
done
printf 'in %d s\n' $((SECONDS - began))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
