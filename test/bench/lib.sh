# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# The page, numbers, and what more than one part needs.

die() {
    echo "bench: $*" >&2
    exit 1
}

heading() { printf '\n## %s\n\n' "$1" >>"$page"; }
put() { printf '%s\n' "$*" >>"$page"; }

# table HEAD...: its first two lines; row CELL...
table() {
    row "$@"
    local cell line='|'
    for cell; do line+='---|'; done
    put "$line"
}
row() {
    local cell line='|'
    for cell; do line+=" $cell |"; done
    put "$line"
}

# Of the lines of standard input: the middle, or the column's middle.
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }
# "least to most" of the lines of standard input.
range() { sort -g | sed -n '1p;$p' | paste -sd' ' | sed 's/ / to /'; }
rounded() { xargs -r printf '%.0f\n'; }
column() { awk -v n="$1" '{ print $n }' "$2"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }

# The processes of a program in the node's pods, wherever they run.
processes() { pgrep -f "^/usr/s?bin/$1( |\$)" || :; }

version_of() { dpkg-query -W -f '${source:Upstream-Version}' "$1" 2>/dev/null; }

introduction() {
    cat >"$page" <<X
# Benchmarks

Written by \`make deploy && make bench\` (\`test/bench/run.sh --write\`). Compare figures of one run only: the same machine has given
figures that differ by a factor of three within an hour. Everything here shares the machine's cores with what loads it, with the
node's Kubernetes, and with $(processes qemu-system-x86_64 | wc -l) other emulated guests; the load average before the run was $(cut -d' ' -f1 /proc/loadavg).
A range that is wide says that something else was at work.

Machine: $(nproc) cores of $(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), Linux $(uname -r | cut -d- -f1),
$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release); libmicrohttpd $(version_of libmicrohttpd12), gnutls $(version_of libgnutls30), jansson $(version_of libjansson4),
libvirt $(version_of libvirt0), QEMU $(version_of qemu-system-x86), Kubernetes $(kubectl version -o json | jq -r .serverVersion.gitVersion); guests by software emulation.
X
}

# merge OLD NEW [WHOLE]: OLD with those sections of NEW that have the same heading, then the rest of NEW. What is before
# the first heading is OLD's, or NEW's with a third argument.
merge() {
    awk -v whole="${3:-}" '
        FNR == 1 { heading = "" }
        /^## / { heading = $0 }
        NR == FNR { if (!(heading in section)) order[++n] = heading; section[heading] = section[heading] $0 "\n"; next }
        heading == "" ? !whole : !(heading in section) { print ($0 == heading ? "\n" : "") $0; next }
        !(heading in done) { printf "%s%s", heading == "" ? "" : "\n", section[heading]; done[heading] = 1 }
        END { for (i = 1; i <= n; i++) if (order[i] != "" && !(order[i] in done)) printf "\n%s", section[order[i]] }' "$2" "$1" |
        cat -s
}

# The machine that is there while something else is measured.
run_machine() {
    k get vm bench >/dev/null 2>&1 || vm_manifest bench Always | kubectl create -f - >/dev/null
    until_true 60 "a machine runs" is_running bench
}
