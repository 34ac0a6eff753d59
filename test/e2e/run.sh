#!/bin/bash
# End to end on the local node: cvirt as it is deployed, real machines.
#   run.sh [FILE...]      files of this folder (all without one); ONLY=pattern picks cases by name
# Expects the node up and cvirt deployed (make deploy).  The closing line counts the cases.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)

eval "$("$repository/deploy/local/node.sh" env)"
export PATH=$repository/build:$PATH
STATE=${CVIRT_STATE:-/var/lib/cvirt-local}
PKI=$STATE/pki
export STATE PKI repository
# shellcheck source=test/e2e/lib.sh
. "$here/lib.sh"

kubectl create namespace "$NS" --dry-run=client -o yaml | kubectl apply -f - >/dev/null || exit 1
kubectl label --overwrite namespace "$NS" pod-security.kubernetes.io/enforce=restricted >/dev/null

files=("$@")
[ ${#files[@]} -gt 0 ] || files=("$here"/[0-9]*.sh)
for file in "${files[@]}"; do
    say "$(basename "$file")"
    # shellcheck disable=SC1090
    . "$file"
done

kubectl delete namespace "$NS" --wait=false >/dev/null 2>&1 || :
for name in "${failures[@]:-}"; do
    [ -z "$name" ] || echo "failed: $name"
done
[ "$retried" -eq 0 ] || echo "$retried case(s) needed a second try"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
