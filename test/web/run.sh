#!/bin/bash
# The page's modules, and the page in a browser before a stand-in for virt-api; the closing line counts for test/run.sh.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
make --no-print-directory test-web >"$log" 2>&1
code=$?
passed=$(sed -nE 's/^ℹ pass ([0-9]+)$/\1/p' "$log")
failed=$(sed -nE 's/^ℹ fail ([0-9]+)$/\1/p' "$log")
[ "$code" -eq 0 ] || tail -n 60 "$log"
echo "${passed:-0} passed, ${failed:-1} failed"
exit "$code"
