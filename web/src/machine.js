// SPDX-License-Identifier: Apache-2.0
/*
 * What a machine is doing, from its VirtualMachine and VirtualMachineInstance, and what may be asked of
 * it now.  Pure.
 */

/**
 * @typedef {object} Machine
 * @property {string} namespace
 * @property {string} name
 * @property {string} label the state in a word or two
 * @property {'good'|'busy'|'off'|'bad'} tone
 * @property {boolean} known at least one of the two objects was seen
 * @property {boolean} hasMachine it has a VirtualMachine, which can be started
 * @property {boolean} running its guest runs or is paused
 * @property {boolean} paused
 * @property {boolean} startable start would be accepted
 * @property {string} detail a sentence of what is wrong, or ""
 */

const TONES = {
    Running: 'good',
    Paused: 'off',
    Stopped: 'off',
    Succeeded: 'off',
    Starting: 'busy',
    Provisioning: 'busy',
    WaitingForVolumeBinding: 'busy',
    WaitingForReceiver: 'busy',
    Pending: 'busy',
    Scheduling: 'busy',
    Scheduled: 'busy',
    Stopping: 'busy',
    Terminating: 'busy',
    Migrating: 'busy',
};

/* printableStatus, where two words read better than one. */
const LABELS = {
    WaitingForVolumeBinding: 'Waiting for volume',
    WaitingForReceiver: 'Waiting for migration',
    CrashLoopBackOff: 'Crashing',
    ErrorUnschedulable: 'No node fits',
    ErrImagePull: 'Image missing',
    ImagePullBackOff: 'Image missing',
    ErrorPvcNotFound: 'Volume missing',
    DataVolumeError: 'Volume broken',
};

/**
 * @param {object|null} vm
 * @param {object|null} vmi
 * @returns {Machine}
 */
export function describe(namespace, name, vm, vmi) {
    const phase = vmi?.status?.phase ?? '';
    const paused = hasCondition(vmi, 'Paused');
    const running = phase === 'Running' && !vmi.metadata.deletionTimestamp;
    const word = vm?.status?.printableStatus ?? phaseWord(vmi, paused);

    return {
        namespace,
        name,
        label: LABELS[word] ?? word,
        tone: TONES[word] ?? (word === 'Unknown' ? 'off' : 'bad'),
        known: Boolean(vm || vmi),
        hasMachine: Boolean(vm),
        running,
        paused,
        startable: Boolean(vm) && !running && isStartable(vm, phase),
        detail: detailOf(vm),
    };
}

function phaseWord(vmi, paused) {
    const phase = vmi?.status?.phase;

    if (vmi?.metadata?.deletionTimestamp)
        return 'Terminating';
    if (phase === 'Running' && paused)
        return 'Paused';
    return phase || (vmi ? 'Pending' : 'Unknown');
}

function hasCondition(object, type) {
    return (object?.status?.conditions ?? []).some((c) => c.type === type && c.status === 'True');
}

function isStartable(vm, phase) {
    const isGone = phase === '' || phase === 'Succeeded' || phase === 'Failed';
    const strategy = vm.spec?.runStrategy ?? (vm.spec?.running ? 'Always' : 'Halted');

    return isGone && ['Halted', 'Manual', 'RerunOnFailure'].includes(strategy);
}

function detailOf(vm) {
    const failure = (vm?.status?.conditions ?? []).find(
        (c) => c.type === 'Failure' && c.status === 'True');

    return failure?.message ?? '';
}

/**
 * One row per thing that can be done to a machine.  `of` and `call` name the subresource, which is
 * also what the right to it is called; `unless` gives the reason why it cannot be done now, or "".
 */
export const ACTIONS = [
    {
        call: 'start', of: 'virtualmachines', label: 'Start',
        unless: (m) => (m.running ? 'It is running' : m.startable ? '' : 'It starts by itself'),
    },
    {
        call: 'pause', of: 'virtualmachineinstances', label: 'Pause',
        unless: (m) => notRunning(m) || (m.paused ? 'It is paused' : ''),
    },
    {
        call: 'unpause', of: 'virtualmachineinstances', label: 'Resume',
        unless: (m) => notRunning(m) || (m.paused ? '' : 'It is not paused'),
    },
    {
        call: 'softreboot', of: 'virtualmachineinstances', label: 'Soft reboot',
        unless: (m) => notRunning(m) || (m.paused ? 'It is paused' : ''),
    },
    {
        call: 'restart', of: 'virtualmachines', label: 'Restart',
        ask: 'The guest is shut down and started anew.',
        unless: notRunning,
    },
    {
        call: 'reset', of: 'virtualmachineinstances', label: 'Reset',
        ask: 'As if the reset button was pressed: what the guest has not written to its disks is lost.',
        unless: notRunning,
    },
    {
        call: 'stop', of: 'virtualmachines', label: 'Stop',
        ask: 'The guest is asked to shut down, and cut off when it does not.',
        unless: (m) => (m.label === 'Stopped' ? 'It is stopped' : ''),
    },
];

function notRunning(m) {
    return m.running ? '' : 'It is not running';
}

/**
 * The machines of a namespace: each VirtualMachine with its instance, and instances that have none.
 * @returns {Machine[]} by name
 */
export function describeAll(namespace, vms, vmis) {
    const instances = new Map(vmis.map((o) => [o.metadata.name, o]));
    const machines = new Map(vms.map((o) => [o.metadata.name, o]));
    const names = new Set([...machines.keys(), ...instances.keys()]);

    return [...names].sort().map((name) =>
        describe(namespace, name, machines.get(name) ?? null, instances.get(name) ?? null));
}
