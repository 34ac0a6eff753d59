// SPDX-License-Identifier: Apache-2.0
/*
 * One machine: its header, and its screen or console below.  This file joins three things that know
 * nothing of each other: what the machine is doing (asked again and again), the stream (kept open by
 * a Keeper), and the surface (screen or terminal) that shows it.
 */
import { ApiError, instancePath, objectPath } from '../api.js';
import { Channel } from '../channel.js';
import { Keeper } from '../keeper.js';
import { ACTIONS, describe } from '../machine.js';
import { poll } from '../poll.js';
import { sentence } from '../reason.js';
import { allowedOf } from '../rights.js';
import { formatFragment } from '../route.js';
import { h, icon, setText, stateBadge } from '../ui/dom.js';
import { overlay } from '../ui/overlay.js';
import { consoleSurface } from './console.js';
import { act, powerMenu } from './power.js';
import { screenSurface } from './screen.js';
import { sessionMenu } from './session_menu.js';

const POLL_PAUSE_MS = 3000;
const COUNTDOWN_MS = 500;

const SURFACES = {
    screen: { stream: 'vnc', make: screenSurface },
    console: { stream: 'console', make: consoleSurface },
};

export function machineView(page, { api, route, signOut }) {
    const { namespace, name } = route;
    const { stream, make } = SURFACES[route.view];
    const context = { api, route, machine: describe(namespace, name, null, null), allowed: new Set() };
    const cover = overlay();
    const status = h('span', { role: 'status' });
    const hint = h('span', { class: 'hint' });
    const stage = h('main', { class: 'stage', 'data-view': route.view });
    const surface = make(stage, context, { changed: render });
    const path = (mode) => instancePath(namespace, name, `${stream}?${mode}=true`);
    let isMissing = false;
    let refusal = null; /* why the machine's objects cannot be read */

    const keeper = new Keeper(stream, {
        dial(mode, watch) {
            const channel = new Channel(api.streamUrl(path(mode)), api.streamProtocols(), watch);
            return surface.open(channel, mode);
        },
        /* Asking must not take anything from anybody. */
        ask: (mode) => api.answerOf(path(mode === 'takeOver' ? 'shared' : mode)),
        changed: render,
    });
    const session = sessionMenu(keeper);
    const power = powerMenu(context, () => machinePoll.now());
    const head = header(route, [session.element, ...surface.tools, power.element]);

    document.title = `${name} · ${namespace}`;
    stage.append(cover.element);
    page.append(head.element, h('div', { class: 'theatre' }, stage,
        h('footer', { class: 'foot' }, status, hint)));

    async function look() {
        const read = (kind) => api.get(objectPath(kind, namespace, name)).catch((e) => e);
        const [vm, vmi] = await Promise.all([read('virtualmachines'), read('virtualmachineinstances')]);
        const errors = [vm, vmi].filter((o) => o instanceof ApiError);

        if (errors.some((e) => e.code === 0 || e.code >= 500))
            return; /* Nothing new is known; the stream tells of its own trouble. */
        isMissing = errors.length === 2 && errors.every((e) => e.code === 404);
        refusal = errors.find((e) => e.code === 403) ?? null;
        context.machine = describe(namespace, name, objectOf(vm), objectOf(vmi));
        follow();
        render();
    }

    /* The stream follows the machine: none while there is nothing to connect to. */
    function follow() {
        const isUp = context.machine.running || (!context.machine.known && !isMissing);

        if (isUp && keeper.state.phase === 'idle')
            keeper.start(keeper.mode);
        else if (!isUp && (keeper.state.phase === 'waiting' || keeper.state.phase === 'connecting'))
            keeper.stop();
    }

    function render() {
        const message = messageNow();

        head.show(context.machine);
        session.show(keeper.state);
        power.show();
        surface.show(keeper.state);
        if (message)
            cover.show(message);
        else
            cover.hide();
        stage.dataset.phase = message ? 'covered' : 'live';
        setText(status, message ? message.title : statusWords(context.machine, keeper.state));
        setText(hint, message ? '' : surface.hint());
    }

    function messageNow() {
        const { machine } = context;

        if (isMissing)
            return { title: `There is no machine ${name}`, text: `Nothing of this name is in ${namespace}.` };
        if (machine.known && !machine.running && keeper.state.phase === 'idle')
            return restMessage(context, () => machinePoll.now());
        return streamMessage(keeper, surface, { refusal, signOut });
    }

    function release(event) {
        const isOurs = event.ctrlKey && event.altKey && event.shiftKey && event.code === 'KeyQ';
        if (!isOurs || !stage.contains(document.activeElement))
            return;
        event.preventDefault();
        event.stopImmediatePropagation();
        surface.release();
        head.focus();
    }

    async function learnRights() {
        const wishes = ACTIONS.map(({ of, call }) => ({ of, call, verb: 'update' }));
        context.allowed = await allowedOf(api, namespace, name, [...wishes, ...surface.wishes]);
        render();
    }

    const machinePoll = poll(look, POLL_PAUSE_MS);
    const countdown = setInterval(() => keeper.state.phase === 'waiting' && render(), COUNTDOWN_MS);
    document.addEventListener('keydown', release, true);
    render();
    learnRights();
    return () => {
        document.removeEventListener('keydown', release, true);
        clearInterval(countdown);
        machinePoll.stop();
        keeper.stop();
        surface.end();
    };
}

function objectOf(answer) {
    return answer instanceof ApiError ? null : answer;
}

function header(route, tools) {
    const { namespace, name } = route;
    const badge = stateBadge();
    badge.element.setAttribute('role', 'status');
    const tabs = ['screen', 'console'].map((view) => h('a', {
        class: 'tab',
        href: formatFragment({ view, namespace, name }),
        ...(view === route.view ? { 'aria-current': 'page' } : {}),
    }, icon(view), h('span', {}, view === 'screen' ? 'Screen' : 'Console')));
    const more = h('button', {
        class: 'tool more',
        type: 'button',
        'aria-label': 'Tools',
        'aria-expanded': 'false',
        'aria-controls': 'tools',
    }, icon('more'));
    const strip = h('div', { class: 'tools', id: 'tools', role: 'toolbar', 'aria-label': 'Machine' },
        h('nav', { class: 'tabs', 'aria-label': 'View' }, ...tabs), ...tools);

    function unfold(isOpen) {
        strip.classList.toggle('open', isOpen);
        more.setAttribute('aria-expanded', String(isOpen));
    }

    more.addEventListener('click', () => unfold(!strip.classList.contains('open')));
    strip.addEventListener('click', ({ target }) => {
        if (target.closest('.menu-item:not([aria-disabled]), .tool:not([aria-haspopup])'))
            unfold(false);
    });
    strip.addEventListener('keydown', ({ key }) => key === 'Escape' && unfold(false));
    return {
        element: h('header', { class: 'bar' },
            h('a', {
                class: 'tool',
                href: formatFragment({ view: 'list', namespace }),
                'aria-label': `All machines in ${namespace}`,
            }, icon('back')),
            h('div', { class: 'name' }, h('h1', {}, name), h('small', {}, namespace)),
            badge.element, h('div', { class: 'spacer' }), more, strip),
        show: badge.show,
        focus: () => (more.offsetParent ? more : tabs[0]).focus(),
    };
}

/** The machine is not up: what it does instead, and the way to change that. */
function restMessage(context, changed) {
    const { machine, allowed } = context;
    const start = ACTIONS.find((a) => a.call === 'start');

    if (machine.tone === 'busy')
        return { title: machine.label, text: 'It will appear here once it runs.', busy: true };
    return {
        title: `${machine.name} is not running`,
        text: machine.detail ? sentence(machine.detail) : stateWords(machine),
        buttons: machine.startable && allowed.has(`${start.of}/${start.call}`)
            ? [{ label: 'Start', run: () => act(context, start).then(changed) }]
            : [],
    };
}

function stateWords({ label }) {
    return label === 'Unknown' || label === 'Stopped' ? '' : `Its state is: ${label}.`;
}

/** The machine is up, as far as is known: what the stream is doing.  Null: it is fine. */
function streamMessage(keeper, surface, { refusal, signOut }) {
    const { phase, reason, retryAt } = keeper.state;
    const again = { label: 'Try now', run: () => keeper.retryNow() };

    switch (phase) {
    case 'open':
        return surface.isReady() ? null : { title: 'Connected', text: 'Waiting for the picture.', busy: true };
    case 'waiting': {
        const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
        return {
            title: reason.title,
            text: `${reason.text} Trying again in ${seconds} s.`,
            buttons: [again],
        };
    }
    case 'ended':
        return { title: reason.title, text: reason.text, buttons: endButtons(keeper, reason, signOut) };
    default:
        if (reason)
            return { title: reason.title, text: 'Trying again…', busy: true };
        return { title: 'Connecting', text: refusal ? sentence(refusal.message) : '', busy: true };
    }
}

function endButtons(keeper, reason, signOut) {
    if (reason.then === 'sign-in')
        return signOut ? [{ label: 'Sign in', run: signOut }] : [];
    if (/took over/.test(reason.title))
        return [
            { label: 'Join again', run: () => keeper.start('shared') },
            { label: 'Only watch', run: () => keeper.start('observe') },
        ];
    return [{ label: 'Try again', run: () => keeper.retryNow() }];
}

function statusWords({ paused }, { role }) {
    if (paused)
        return 'Connected; the machine is paused';
    return role === 'observer' ? 'Connected, watching only' : 'Connected';
}
