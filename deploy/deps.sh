#!/bin/bash
# Install the Debian packages that building, running and testing need and this machine lacks.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

wanted=$(cat "$here/packages.txt" "$here/local/packages.txt" | sed 's/#.*//' | xargs -n1 | sort -u)
# Comes with other builds of nodejs, which Debian's npm does not go with.
command -v npm >/dev/null || wanted="$wanted npm"
missing=()
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ "$(id -u)" -eq 0 ] || {
    echo "deps: run as root, or install: ${missing[*]}" >&2
    exit 1
}
echo "deps: installing ${#missing[@]} Debian packages"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
