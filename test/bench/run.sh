#!/bin/bash
# Figures about cvirt as it is deployed on the local node.  Ratios come from programs that take turns in one run: the
# same figure differs by a factor of three between two hours of one machine.
#   run.sh [--write] [PART...]    admission, instructions, streams, machine, memory, hanging: all of these without one; load
# Expects the node up and cvirt deployed (make deploy).  --write puts the page's sections into docs/BENCHMARKS.md; others
# there stay.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)

# Nothing of this may outlive its time, a stopped virt-handler least of all.
if [ -z "${BENCH_LIMITED:-}" ]; then
    BENCH_LIMITED=1 exec timeout --foreground --kill-after=20 "${BENCH_LIMIT:-480}" "$0" "$@"
fi

eval "$("$repository/deploy/local/node.sh" env)"
export PATH=$repository/build:$PATH
STATE=${CVIRT_STATE:-/var/lib/cvirt-local}
PKI=$STATE/pki
NS=cvirt-bench-$$
# shellcheck disable=SC2034 # for the parts
rounds=${BENCH_ROUNDS:-5} seconds=${BENCH_SECONDS:-2} lives=${BENCH_LIVES:-3}
work=$(mktemp -d)
page=$work/page.md

# shellcheck source=test/e2e/lib.sh
. "$repository/test/e2e/lib.sh"
for part in lib admission instructions streams load memory machine hanging; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

started=() stopped=()
finish() {
    local pid
    for pid in "${stopped[@]}"; do kill -CONT "$pid" 2>/dev/null || :; done
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || :; done
    kubectl delete namespace "$NS" --wait=false >/dev/null 2>&1 || :
    rm -rf "$work"
}
trap finish EXIT
trap 'die "out of time (BENCH_LIMIT=${BENCH_LIMIT:-480} s)"' TERM
trap 'exit 130' INT

write=
[ "${1:-}" != --write ] || { write=1 && shift; }
parts=("$@") whole=
[ $# -gt 0 ] || { whole=whole && parts=(admission instructions streams machine memory hanging); }

introduction
note_idle
prepare_reviews
for part in "${parts[@]}"; do
    say "$part"
    "measure_$part"
done
cat "$page"
if [ -n "$write" ]; then
    merge "$repository/docs/BENCHMARKS.md" "$page" $whole >"$work/merged.md"
    cp "$work/merged.md" "$repository/docs/BENCHMARKS.md"
fi
