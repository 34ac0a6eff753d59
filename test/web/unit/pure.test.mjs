// SPDX-License-Identifier: Apache-2.0
/* The page's pure modules, row by row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { base64url } from '../../../web/src/api.js';
import { delayAfter } from '../../../web/src/backoff.js';
import { ACTIONS, describe, describeAll } from '../../../web/src/machine.js';
import {
    closeReason, modeAfter, parseNotice, refusalReason, roleWords, sentence,
} from '../../../web/src/reason.js';
import { apiRoot, formatFragment, isName, parseFragment } from '../../../web/src/route.js';
import { COMBINATIONS, edits, sendCombination, sendStroke, strokes } from '../../../web/src/typing.js';

/** One test per row, named by its first column. */
function rows(name, list, check) {
    for (const [label, ...columns] of list)
        test(`${name}: ${label}`, () => check(...columns));
}

const place = (view, namespace = '', name = '') => ({ view, namespace, name });

rows('route', [
    ['nothing', '', place('home'), ''],
    ['a namespace', '#/demo', place('list', 'demo'), ''],
    ['a namespace and a slash', '#/demo/', place('list', 'demo'), ''],
    ['a screen', '#/demo/vm.1/screen', place('screen', 'demo', 'vm.1'), ''],
    ['a machine alone is its screen', '#/demo/vm', place('screen', 'demo', 'vm'), ''],
    ['a console with a token', '#/demo/vm/console?token=a.b-c%3D', place('console', 'demo', 'vm'), 'a.b-c='],
    ['an unknown view', '#/demo/vm/disk', place('list', 'demo'), ''],
    ['a name that would leave its place', '#/demo/..%2f..', place('list', 'demo'), ''],
    ['a namespace of other letters', '#/De<mo>', place('home'), ''],
], (fragment, route, token) => assert.deepEqual(parseFragment(fragment), { route, token }));

rows('route back', [
    ['home', place('home')], ['list', place('list', 'demo')], ['screen', place('screen', 'demo', 'vm')],
    ['console', place('console', 'demo', 'vm')],
], (route) => assert.deepEqual(parseFragment(formatFragment(route)).route, route));

rows('what stands before /apis', [
    ['own service', '/ui/', ''],
    ['own service, file', '/ui/index.html', ''],
    ['through the API server', '/apis/subresources.kubevirt.io/v1/ui/', ''],
    ['below a prefix', '/k8s/ui/', '/k8s'],
    ['below a prefix, through the API server', '/k8s/apis/subresources.kubevirt.io/v1/ui/', '/k8s'],
], (pathname, root) => assert.equal(apiRoot(pathname), root));

test('a name is at most 253 letters', () => {
    assert.ok(isName('a'.repeat(253)));
    assert.ok(!isName('a'.repeat(254)));
});

rows('pause', [
    ['after the first failure', 1, 0, 500], ['doubles', 3, 0, 2000], ['is bounded', 6, 0, 15000],
    ['stays bounded', 5000, 0, 15000], ['at least half of it', 1, 0.999999, 250],
], (failures, random, ms) => assert.equal(delayAfter(failures, random), ms));

rows('stroke', [
    ['a letter', 'a', [[0x61, 'KeyA', false]]],
    ['a large letter', 'A', [[0x41, 'KeyA', true]]],
    ['a sign above a digit', '$', [[0x24, 'Digit4', true]]],
    ['line ends of all kinds', 'a\r\n\n\r', [
        [0x61, 'KeyA', false], [0xff0d, 'Enter', false], [0xff0d, 'Enter', false], [0xff0d, 'Enter', false]]],
    ['Latin-1', 'é', [[0xe9, '', false]]],
    ['beyond Latin-1', '€', [[0x010020ac, '', false]]],
    ['beyond 16 bits', '😀', [[0x0101f600, '', false]]],
    ['control characters are left out', '\x00\x07\x9b', []],
], (text, list) =>
    assert.deepEqual(strokes(text).map((s) => [s.keysym, s.code, s.shift]), list));

test('every printable ASCII character has its key', () => {
    for (let c = 0x20; c < 0x7f; c++) {
        const [stroke] = strokes(String.fromCharCode(c));
        assert.equal(stroke.keysym, c);
        assert.ok(stroke.code);
    }
});

rows('edit', [
    ['nothing', 'ab', 'ab', ''], ['more', 'ab', 'abc', 'c'], ['less', 'abc', 'a', '\b\b'],
    ['a word corrected', 'teh', 'the', '\b\bhe'], ['one character, two units', 'a😀', 'a', '\b'],
], (before, after, typed) => assert.equal(edits(before, after), typed));

test('shift is held around its key, and combinations end in reverse', () => {
    const sent = [];
    const send = (keysym, code, down) => sent.push(`${code}${down ? '+' : '-'}`);

    sendStroke(send, strokes('A')[0]);
    sendCombination(send, COMBINATIONS[0].keys);
    assert.equal(sent.join(' '), 'ShiftLeft+ KeyA+ KeyA- ShiftLeft- ' +
        'ControlLeft+ AltLeft+ Delete+ Delete- AltLeft- ControlLeft-');
});

rows('end of a session', [
    ['taken over', 1000, 'taken over by a new session', 'stop', /took/],
    ['the guest ended it', 1000, '', 'retry', /machine ended/],
    ['going away', 1001, 'virt-api is going away', 'retry', /^virt-api is going away\.$/],
    ['lost', 1006, '', 'retry', /network/],
    ['not the protocol', 1008, 'a frame too large', 'stop', /^A frame too large\.$/],
    ['a code nobody knows', 4999, '', 'retry', /network/],
], (code, reason, then, text) => {
    const why = closeReason(code, reason);
    assert.equal(why.then, then);
    assert.match(why.text, text);
});

rows('refusal', [
    ['no answer', null, 'retry', /network/],
    ['a plain request is told to upgrade', { code: 400, message: 'vnc is a websocket: send an Upgrade request' }, 'retry', /did not open/],
    ['unknown who', { code: 401, message: 'token expired' }, 'sign-in', /^Token expired\.$/],
    ['no right', { code: 403, message: 'no' }, 'stop', /^no\.$/],
    ['too many', { code: 429, message: 'too many streams' }, 'retry', /^Too many streams\.$/],
    ['no graphics', { code: 400, message: 'No graphics devices are present.' }, 'stop', /present\.$/],
    ['not running yet', { code: 400, message: 'VMI is not running' }, 'retry', /running\.$/],
    ['nothing said', { code: 502, message: '' }, 'retry', /502/],
], (status, then, text) => {
    const why = refusalReason(status);
    assert.equal(why.then, then);
    assert.match(why.text, text);
});

rows('mode of a reconnection', [
    ['typed together', 'shared', 'writer', 'vnc', 'shared'],
    ['a take-over happens once', 'takeOver', 'writer', 'vnc', 'shared'],
    ['was taken over', 'shared', 'observer', 'vnc', 'observe'],
    ['a reader of a console may get its turn', 'shared', 'observer', 'console', 'shared'],
    ['wanted to watch', 'observe', '', 'vnc', 'observe'],
    ['never heard its part', 'takeOver', '', 'vnc', 'shared'],
], (mode, role, stream, next) => assert.equal(modeAfter(mode, role, stream), next));

rows('notice', [
    ['a role', '{"role":"observer","sessions":3}', { role: 'observer', sessions: 3 }],
    ['no number', '{"role":"writer"}', { role: 'writer', sessions: 1 }],
    ['another role', '{"role":"king"}', null], ['no object', '7', null], ['nothing', 'null', null],
    ['no JSON', 'RFB', null],
], (text, notice) => assert.deepEqual(parseNotice(text), notice));

rows('role', [
    ['alone', { role: 'writer', sessions: 1 }, 'In control'],
    ['one other', { role: 'observer', sessions: 2 }, 'Watching · 1 other'],
    ['others', { role: 'writer', sessions: 4 }, 'In control · 3 others'],
], (state, words) => assert.equal(roleWords(state), words));

rows('sentence', [
    ['gets its form', 'vm is gone', 'Vm is gone.'], ['names keep theirs', 'virt-api is away', 'virt-api is away.'],
    ['has it', 'Gone.', 'Gone.'], ['nothing', ' ', ''],
], (text, whole) => assert.equal(sentence(text), whole));

test('a token is encoded as Kubernetes decodes it', () => {
    assert.equal(base64url('>>>???a'), 'Pj4-Pz8_YQ');
});

const vm = (printableStatus, spec = { runStrategy: 'Always' }, conditions = []) =>
    ({ metadata: { name: 'a' }, spec, status: { printableStatus, conditions } });
const vmi = (phase, conditions = [], metadata = {}) =>
    ({ metadata: { name: 'a', ...metadata }, status: { phase, conditions } });
const PAUSED = [{ type: 'Paused', status: 'True' }];

rows('machine', [
    ['runs', vm('Running'), vmi('Running'), { label: 'Running', tone: 'good', running: true, startable: false }],
    ['is paused', vm('Paused'), vmi('Running', PAUSED), { label: 'Paused', running: true, paused: true }],
    ['is stopped', vm('Stopped', { runStrategy: 'Halted' }), null, { running: false, startable: true, tone: 'off' }],
    ['is stopped, in the old words', vm('Stopped', { running: false }), null, { startable: true }],
    ['starts by itself', vm('Starting'), null, { startable: false, tone: 'busy' }],
    ['has no node', vm('ErrorUnschedulable'), vmi('Scheduling'), { label: 'No node fits', tone: 'bad' }],
    ['cannot be created', vm('Starting', undefined, [{ type: 'Failure', status: 'True', message: 'no quota' }]), null,
        { detail: 'no quota' }],
    ['has no VirtualMachine', null, vmi('Running'), { label: 'Running', hasMachine: false, running: true }],
    ['goes', null, vmi('Running', [], { deletionTimestamp: 'x' }), { label: 'Terminating', running: false }],
    ['is not there', null, null, { known: false, running: false, label: 'Unknown' }],
], (machine, instance, expected) => {
    const seen = describe('demo', 'a', machine, instance);
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((k) => [k, seen[k]])), expected);
});

rows('what can be done', [
    ['while it runs', vm('Running'), vmi('Running'), 'pause softreboot restart reset stop'],
    ['while it is paused', vm('Paused'), vmi('Running', PAUSED), 'unpause restart reset stop'],
    ['while it is stopped', vm('Stopped', { runStrategy: 'Halted' }), null, 'start'],
], (machine, instance, calls) => {
    const seen = describe('demo', 'a', machine, instance);
    assert.equal(ACTIONS.filter((a) => !a.unless(seen)).map((a) => a.call).join(' '), calls);
});

test('a list joins machines and instances by name', () => {
    const all = describeAll('demo', [vm('Running')], [vmi('Running'), vmi('Running', [], { name: 'lone' })]);
    assert.deepEqual(all.map((m) => `${m.name} ${m.hasMachine}`), ['a true', 'lone false']);
});
