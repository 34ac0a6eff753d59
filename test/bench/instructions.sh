# shellcheck shell=bash disable=SC2034,SC2154 # run.sh and its parts share variables
# Instructions of a review, by callgrind: the figure that no neighbour on the machine disturbs.

# count TUNABLES WEBHOOK REVIEW TIMES: all instructions of the process.
count() {
    GLIBC_TUNABLES=$1 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$repository/build/bench/reviews" \
        "$2" "$work/$3.json" "$4" 2>&1 | awk '/Collected :/ { print $NF }'
}

# per_review TUNABLES WEBHOOK REVIEW: what 200 more of them add, divided by 200.
per_review() { echo $((($(count "$@" 300) - $(count "$@" 100)) / 200)); }

instructions_row() {
    local ours parse
    ours=$(per_review "$(tunables)" "$2" "$1")
    parse=$(per_review "" parse "$1")
    row "$1" "$ours" "$(per_review "" "$2" "$1")" "$parse" "$(ratio "$ours" "$parse")"
}

measure_instructions() {
    heading "Instructions of a review"
    put "The same reviews, from the bytes of the body to those of the answer, without TLS, sockets and HTTP (test/bench/reviews.c), counted by
callgrind; beside it jansson reading the body and letting go of it, which is all that the baseline does with it. As deployed: with
GLIBC_TUNABLES=$(tunables).
"
    table webhook "as deployed" "without tunables" "jansson reads the body" "ratio"
    instructions_row validate virtualmachineinstances-validate-create
    instructions_row mutate virtualmachineinstances-mutate
}
