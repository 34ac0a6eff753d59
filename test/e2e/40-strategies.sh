# shellcheck shell=bash
# The six run strategies, on real machines.

strategy_of() { field vm "$1" .spec.runStrategy; }

# end_guest NAME: the guest powers itself off.
end_guest() {
    start_console "$1"
    log_in
    type_keys 'poweroff -f'
    sleep 1
    stop_console
}

halted() {
    vm_manifest s-halted Halted | kubectl apply -f -
    until_true 20 "Stopped" is vm s-halted .status.printableStatus Stopped
    is_absent vmi s-halted
    virt start s-halted
    until_true 90 "running" is_running s-halted
    [ "$(strategy_of s-halted)" = Always ] || fail "strategy is $(strategy_of s-halted)"
    virt stop s-halted
    [ "$(strategy_of s-halted)" = Halted ] || fail "strategy is $(strategy_of s-halted)"
    until_true 60 "gone" is_absent vmi s-halted
    k delete vm s-halted --timeout=60s
}
run_case "Halted: start makes it Always, stop makes it Halted" halted

always() {
    vm_manifest s-always Always | kubectl apply -f -
    until_true 90 "running" is_running s-always
    local uid
    uid=$(field vmi s-always .metadata.uid)
    end_guest s-always
    until_true 90 "started again" is_other_running s-always "$uid"
    k delete vm s-always --timeout=90s
}
is_other_running() { is_running "$1" && [ "$(field vmi "$1" .metadata.uid)" != "$2" ]; }
run_case "Always: a guest that ends is started again" always

manual() {
    vm_manifest s-manual Manual | kubectl apply -f -
    until_true 20 "Stopped" is vm s-manual .status.printableStatus Stopped
    virt start s-manual
    until_true 90 "running" is_running s-manual
    ! virt start s-manual 2>/dev/null || fail "started twice"
    virt stop s-manual
    until_true 60 "gone" is_absent vmi s-manual
    [ "$(strategy_of s-manual)" = Manual ]
    k delete vm s-manual --timeout=60s
}
run_case "Manual: starts and stops on request only" manual

rerun() {
    vm_manifest s-rerun RerunOnFailure | kubectl apply -f -
    until_true 90 "running" is_running s-rerun
    end_guest s-rerun
    until_true 60 "ended well and not started again" is_stopped s-rerun
    k delete vm s-rerun --timeout=60s
}
is_stopped() { is vm "$1" .status.printableStatus Stopped; }
run_case "RerunOnFailure: a guest that ends well stays down" rerun

once() {
    vm_manifest s-once Once | kubectl apply -f -
    until_true 90 "running" is_running s-once
    end_guest s-once
    until_true 60 "Succeeded" is vmi s-once .status.phase Succeeded
    sleep 3
    is vmi s-once .status.phase Succeeded
    k delete vm s-once --timeout=60s
}
run_case "Once: runs once and stays finished" once

receiver() {
    vm_manifest s-receiver WaitAsReceiver | kubectl apply -f -
    until_true 30 "waits" is_waiting s-receiver
    k delete vm s-receiver --timeout=60s
}
is_waiting() {
    [ "$(field vmi "$1" .status.phase)" = WaitingForSync ] || is vm "$1" .status.printableStatus WaitingForReceiver
}
run_case "WaitAsReceiver: an instance that waits for its migration" receiver

start_paused() {
    vm_manifest s-paused Halted | kubectl apply -f -
    until_true 20 "Stopped" is vm s-paused .status.printableStatus Stopped
    virt start s-paused --paused
    until_true 90 "Paused" has_condition vmi s-paused Paused
    virt unpause vm s-paused
    start_console s-paused
    expect 60 'login:' ''
    stop_console
    k delete vm s-paused --timeout=90s
}
run_case "start --paused waits before the first instruction" start_paused
