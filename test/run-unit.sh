#!/bin/bash
# Run unit test programs one after another; the closing line counts their cases.  Lines of theirs that
# begin with "##" are findings for the reader (shares, coverage) and are shown.
set -u
# Libraries that were built without the thread sanitizer take locks and close descriptors unseen by it.
export TSAN_OPTIONS="${TSAN_OPTIONS:-suppressions=$(dirname "${BASH_SOURCE[0]}")/lint/tsan.txt ignore_noninstrumented_modules=1}"
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    if CMOCKA_MESSAGE_OUTPUT=TAP timeout "${UNIT_TIMEOUT:-120}" "$program" >"$log" 2>&1; then
        rc=0
    else
        rc=$?
    fi
    ok=$(grep -c '^ok ' "$log")
    bad=$(grep -c '^not ok ' "$log")
    if [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1 # crashed, timed out or leaked
    fi
    passed=$((passed + ok)) failed=$((failed + bad))
    if [ "$rc" -ne 0 ] || [ "$bad" -ne 0 ]; then
        echo "FAILED  $(basename "$program") (exit $rc)"
        grep -v '^ok ' "$log" | tail -60
    else
        echo "ok      $(basename "$program") ($ok)"
        grep '^## ' "$log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
