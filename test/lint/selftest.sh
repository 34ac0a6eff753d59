#!/bin/bash
# Every rule of lint.sh must find its fault: one is planted in a copy of the tree that has nothing else.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0 failed=0

# RULE FILE TEXT WORDS: lint.sh RULE says WORDS once FILE holds TEXT; nothing when WORDS are empty.
finds() {
    local rule=$1 file=$2 text=$3 words=$4 out rc
    rm -rf "${tree:?}"/*
    mkdir -p "$tree/$(dirname "$file")" "$tree/base" "$tree/test/lint"
    cp "$here"/../../.clang-format "$tree"
    cp "$here"/lint.sh "$here"/cppcheck.* "$tree/test/lint"
    printf 'int none;\n' >"$tree/base/none.c"
    printf '%b\n' "$text" >"$tree/$file"
    out=$("$tree/test/lint/lint.sh" "$rule" 2>&1)
    rc=$?
    if [ -z "$words" ] && [ "$rc" -eq 0 ]; then
        passed=$((passed + 1))
    elif [ -n "$words" ] && [ "$rc" -ne 0 ] && [[ $out == *"$words"* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED  lint.sh %s on %s: wanted "%s", exit %d\n%s\n' "$rule" "$file" "$words" "$rc" "$out"
    fi
}

git init -q "$tree"
many() { for _ in $(seq "$1"); do printf '%s\\n' "$2"; done; }

finds format base/a.c 'int a;' ''
finds format base/a.c 'int  a;' 'base/a.c:1'
finds format test/unit/test_a.c 'int  a;' 'test/unit/test_a.c:1'
finds format handler/a.pb-c.c 'int  a;' ''
finds banned http/a.c 'x = strcpy(a, b);' 'strcpy is banned: use snprintf'
finds banned http/a.c 'if (atoi(a))' 'atoi is banned: use str_to_int'
finds banned http/a.c '\tsleep(1);' 'sleep is banned: use an event'
finds banned base/a.c '\tsleep(1);' ''
finds banned base/a.c '\tstrcat(a, b);' 'strcat is banned'
finds banned http/a.c 'json_is_system(a); my_sleep(1); vsnprintf(a);' ''
finds fences http/a.c '#include <curl/curl.h>' ''
finds fences kube/a.c '#include <curl/curl.h>' '<curl/> is included by ^http/ only'
finds fences base/a.c '#include <uv.h>' '<uv.h>'
finds fences base/loop.c '#include <uv.h>' ''
finds fences handler/a.h '#include <libvirt/libvirt.h>' '<libvirt/>'
finds caps base/a.c "int f(void)\\n{\\n$(many 90 'a();')}" 'complexity 1, 93 lines'
finds caps base/a.c "int f(void)\\n{\\n$(many 15 'if (a) b();')}" 'complexity 16'
finds caps base/a.c "int f(void)\\n{\\n$(many 14 'if (a) b();')}" ''
finds caps test/unit/test_a.c "int f(void)\\n{\\n$(many 15 'if (a) b();')}" 'complexity 16'
finds caps base/a.h "$(many 801 'int a;')" 'base/a.h: 802 lines (at most 800)'
finds words docs/a.md 'See /work/x.' 'names no machine'
finds words deploy/a.sh 'pull quay.io/a' 'names no machine and no registry'
finds words base/a.c '// in /tmp/a' "a test's place only"
finds words base/a.c '// TODO: later' 'names its issue'
finds words base/a.c '// TODO(#12): later' ''
finds cppcheck base/a.c 'int f(void)\n{\n    int a[2];\n    return a[2];\n}' 'arrayIndexOutOfBounds'
finds shell deploy/a.sh '#!/bin/bash\ncd a\n' 'SC2164'
finds shell deploy/guest/root/rc '#!/bin/sh\ncd a\n' 'SC2164'
finds shell deploy/a.sh '#!/bin/bash\ncd a || exit\n' ''

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
