#!/bin/bash
# Rules that a compiler does not know.  lint.sh RULE...; without one, all.  Exit 1 when something was found.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

layers=(base http certs openapi kube webhooks subresources controller handler launcher cli apiserver)
found=0

# Generated code is as its generator writes it.
sources() { git ls-files -- "${layers[@]/%//*.[ch]}" | grep -v 'pb-c\.[ch]$'; }
tests() { git ls-files -- 'test/unit/*.[ch]' 'test/fake/*.[ch]'; }

report() {
    printf '%s\n' "$@"
    found=1
}

rule_format() {
    local out
    out=$({ sources; tests; } | xargs clang-format --dry-run -Werror 2>&1 | grep -oE '^[^:]+:[0-9]+' | sort -u -t: -k1,1)
    [ -z "$out" ] || report "$out" "make fmt puts it right"
}

# function, what to use instead
banned='strcpy|snprintf
strcat|buf_adds
sprintf|snprintf
strtok|strtok_r
atoi|str_to_int
system|posix_spawn
popen|posix_spawn
gmtime|rfc3339
gets|read
sleep|an event, or poll with a deadline'
rule_banned() {
    local name instead out
    while IFS='|' read -r name instead; do
        out=$(sources | grep -v '^base/' | xargs grep -nE "(^|[^_a-zA-Z0-9\"])$name\(" /dev/null)
        [ -z "$out" ] || report "$out" "$name is banned: use $instead"
    done <<<"$banned"
}

# header, folders or files that may include it
fences='microhttpd.h|^http/
curl/|^http/
gnutls/|^(http|certs)/
uv.h|^base/loop.c
libvirt/|^launcher/
libwebsockets.h|^(handler|cli)/
nghttp2/|^handler/
protobuf-c/|^handler/
nftables/|^handler/
netlink/|^handler/
cmocka.h|^test/'
rule_fences() {
    local header where out
    while IFS='|' read -r header where; do
        out=$(sources | grep -vE "$where" | xargs grep -n "#include <$header" /dev/null)
        [ -z "$out" ] || report "$out" "<$header is included by $where only"
    done <<<"$fences"
}

rule_caps() {
    local out
    out=$(sources | grep '\.c$' | xargs pmccabe 2>/dev/null |
        awk '$1 > 15 || $5 > 80 { printf "%s %s: complexity %d, %d lines (at most 15, 80)\n", $6, $7, $1, $5 }')
    [ -z "$out" ] || report "$out"
    # Tests are tables for the most part, which do not count; a thousand lines are too many all the same.
    out=$({ sources; tests; } | xargs wc -l |
        awk '{ most = $2 ~ /^test\// ? 1000 : 800 } $2 != "total" && $1 > most { print $2 ": " $1 " lines (at most " most ")" }')
    [ -z "$out" ] || report "$out"
}

rule_words() {
    local out
    out=$(git grep -nE '/work/(main|shared)|proxy\.golang\.org|registry\.npmjs|pypi\.org' -- . ':!test/lint/lint.sh' ':!*.sum')
    [ -z "$out" ] || report "$out" "the project names no machine and no registry"
    out=$(sources | xargs grep -nE 'TODO($|[^(])|TODO\([^#]' /dev/null)
    [ -z "$out" ] || report "$out" "a TODO names its issue: TODO(#n)"
}

rule_cppcheck() {
    local out
    out=$(cppcheck -q --std=c11 --inline-suppr -j2 -I. --enable=warning,performance,portability \
        --suppressions-list=test/lint/cppcheck.txt \
        --include=test/lint/cppcheck.h \
        "${layers[@]}" 2>&1)
    [ -z "$out" ] || report "$out"
}

rule_shell() {
    local out
    out=$(git ls-files -- '*.sh' .ci/run | grep -v '^deploy/guest/root' | xargs shellcheck -x -S warning -e SC2154 2>&1)
    [ -z "$out" ] || report "$out"
}

rules=("$@")
[ ${#rules[@]} -gt 0 ] || rules=(format banned fences caps words cppcheck shell)
for rule in "${rules[@]}"; do
    echo "lint: $rule"
    "rule_$rule"
done
exit "$found"
