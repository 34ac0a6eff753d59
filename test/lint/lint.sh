#!/bin/bash
# Rules that a compiler does not know.  lint.sh RULE...; without one, all.  Exit 1 when something was found.
# Files that are not yet committed count as well.  test/lint/selftest.sh shows that every rule finds its fault.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

layers=(base http certs openapi kube webhooks subresources controller handler launcher cli apiserver)
found=0

# A file that was deleted but is still in the index is none.
files() { git ls-files -co --exclude-standard -- "$@" | while read -r f; do [ ! -f "$f" ] || echo "$f"; done; }
# Generated code is as its generator writes it.
sources() { files "${layers[@]/%//*.[ch]}" | grep -v 'pb-c\.[ch]$'; }
tests() { files 'test/unit/*.[ch]' 'test/fake/*.[ch]'; }
scripts() { files '*.sh' .ci/run; }
guest_scripts() { files deploy/guest/root | xargs grep -lE '^#!/bin/sh'; }

report() {
    printf '%s\n' "$@"
    found=1
}

rule_format() {
    local out
    out=$({ sources; tests; } | xargs clang-format --dry-run -Werror 2>&1 | grep -oE '^[^:]+:[0-9]+' | sort -u -t: -k1,1)
    [ -z "$out" ] || report "$out" "make fmt puts it right"
}

# function, where it is allowed all the same, what to use instead
banned='strcpy   - snprintf, buf_adds
strcat   - buf_adds
strncpy  - snprintf
strncat  - buf_adds
sprintf  - snprintf, buf_addf
vsprintf - vsnprintf
strtok   - strtok_r, strcspn
atoi     - str_to_int
atol     - str_to_int
atof     - strtod and its end pointer
gets     - read, with a limit
system   - posix_spawn
popen    - posix_spawn
mktemp   - mkstemp, mkdtemp
tmpnam   - mkstemp
alloca   - must_malloc
gmtime   ^base/ rfc3339 of base/clock.h
localtime - rfc3339 of base/clock.h
sleep    ^base/ an event, or poll with a deadline
usleep   ^base/ an event, or poll with a deadline'
rule_banned() {
    local name where instead out
    while read -r name where instead; do
        out=$(sources | grep -v "$where" | xargs grep -nE "(^|[^_a-zA-Z0-9\"])$name\(" /dev/null)
        [ -z "$out" ] || report "$out" "$name is banned: use $instead"
    done < <(sed 's/ - / ^$ /' <<<"$banned")
}

# header, folders or files that may include it
fences='microhttpd.h ^http/
curl/ ^http/
gnutls/ ^(http|certs)/
uv.h ^base/loop\.c
libvirt/ ^launcher/
libwebsockets.h ^handler/
nghttp2/ ^handler/
protobuf-c/ ^handler/
nftables/ ^handler/
netlink/ ^handler/
yaml.h ^kube/
cmocka.h ^test/'
rule_fences() {
    local header where out
    while read -r header where; do
        out=$(sources | grep -vE "$where" | xargs grep -n "#include <$header" /dev/null)
        [ -z "$out" ] || report "$out" "<$header> is included by $where only"
    done <<<"$fences"
}

# Complexity is McCabe's with a switch counted once: a row a case is a table.
rule_caps() {
    local out
    out=$({ sources; tests; } | grep '\.c$' | xargs pmccabe |
        awk '$1 > 15 || $5 > 80 { printf "%s %s: complexity %d, %d lines (at most 15, 80)\n", $6, $7, $1, $5 }')
    [ -z "$out" ] || report "$out"
    # Tests are tables for the most part, which do not count; a thousand lines are too many all the same.
    out=$({ sources; tests; } | xargs wc -l |
        awk '{ most = $2 ~ /^test\// ? 1000 : 800 } $2 != "total" && $1 > most { print $2 ": " $1 " lines (at most " most ")" }')
    [ -z "$out" ] || report "$out"
}

# The project speaks of itself alone: no machine it was made on, no host that it was fetched from.
machines='/work/|/farm/|/home/[a-z]'
hosts='(docker|quay|gcr|ghcr)\.io[/:]|registry\.k8s|proxy\.golang\.org|sum\.golang\.org|registry\.npmjs|pypi\.org|crates\.io'
rule_words() {
    local out
    out=$(files | grep -vE '^test/(golden|lint)/|\.sum$' | xargs grep -nIE "$machines|$hosts" /dev/null)
    [ -z "$out" ] || report "$out" "the project names no machine and no registry"
    out=$({ sources; files '*.md' docs; } | xargs grep -nI '/tmp/' /dev/null)
    [ -z "$out" ] || report "$out" "/tmp/ is a test's place only"
    out=$({ sources; tests; scripts; } | grep -v '^test/lint/' | xargs grep -nE 'TODO($|[^(])|TODO\([^#]|FIXME' /dev/null)
    [ -z "$out" ] || report "$out" "what is left to do names its issue: TODO(#n)"
}

rule_cppcheck() {
    local out
    out=$(cppcheck -q --std=c11 --inline-suppr -j2 -I. --enable=warning,performance,portability \
        --suppressions-list=test/lint/cppcheck.txt \
        --include=test/lint/cppcheck.h \
        "${layers[@]}" 2>&1)
    [ -z "$out" ] || report "$out"
}

# Not of the repository's scripts: SC2154, lib.sh sets what its users read.
# Not of the guest's: SC2154, set by who calls; SC2034, a loop that only counts; SC2093, exec in a loop that it ends;
# SC2174, a folder whose parent is there.
rule_shell() {
    local out
    out=$(scripts | xargs -r shellcheck -x -S warning -e SC2154 2>&1)
    [ -z "$out" ] || report "$out"
    out=$(guest_scripts | xargs -r shellcheck -S warning -e SC2154,SC2034,SC2093,SC2174 2>&1)
    [ -z "$out" ] || report "$out"
}

# What is not there would find nothing.
for tool in clang-format pmccabe cppcheck shellcheck git; do
    command -v "$tool" >/dev/null || { echo "lint needs $tool (deploy/packages.txt)"; exit 1; }
done
[ -n "$(sources)" ] || { echo "lint finds no sources: is this a git checkout?"; exit 1; }

rules=("$@")
[ ${#rules[@]} -gt 0 ] || rules=(format banned fences caps words cppcheck shell)
for rule in "${rules[@]}"; do
    echo "lint: $rule"
    "rule_$rule"
done
exit "$found"
