#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A C file with the bundled page's files in it, plain and compressed (apiserver/web.h).
#   embed.sh DIR WORK: DIR/files.txt lists the names; compressed ones are put into WORK.
set -eu
dir=$1 work=$2 n=0

mkdir -p "$work"
echo '/* SPDX-License-Identifier: Apache-2.0 */'
echo '/* Written by apiserver/embed.sh. */'
echo '#include "apiserver/web.h"'
echo
rows=
while read -r name; do
    [ -n "$name" ] || continue
    case $name in *[!A-Za-z0-9._-]*) echo "embed.sh: '$name' is no name of a file" >&2; exit 1 ;; esac
    gzip -9nc "$dir/$name" > "$work/$name.gz"
    tag=$(sha256sum < "$dir/$name" | cut -c1-32)
    printf '__asm__(".pushsection .rodata\\n"\n'
    for part in "data_$n $dir/$name" "gzip_$n $work/$name.gz"; do
        printf '        "web_%s: .incbin \\"%s\\"\\nweb_%s_end: .byte 0\\n"\n' \
            "${part%% *}" "${part#* }" "${part%% *}"
    done
    printf '        ".popsection\\n");\n'
    printf 'extern const char web_data_%d[], web_data_%d_end[], web_gzip_%d[], web_gzip_%d_end[];\n\n' \
        $n $n $n $n
    rows="$rows    { \"$name\", \"\\\"$tag\\\"\", web_data_$n, web_data_${n}_end, web_gzip_$n, web_gzip_${n}_end },
"
    n=$((n + 1))
done < "$dir/files.txt"
printf 'const struct web_file web_files[] = {\n%s    { .name = NULL },\n};\n' "$rows"
