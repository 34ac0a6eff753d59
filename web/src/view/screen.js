// SPDX-License-Identifier: Apache-2.0
/* The machine's screen: noVNC over a channel of ours, and the tools around it. */
import RFB from '@novnc/novnc';

import { COMBINATIONS, KEYSYM, sendCombination, sendStroke, strokes } from '../typing.js';
import { toast } from '../ui/dialog.js';
import { h, icon } from '../ui/dom.js';
import { menuButton } from '../ui/menu.js';
import { sentence } from '../reason.js';
import { pasteBox } from './paste.js';
import { touchKeyboard } from './touch_keyboard.js';

const SCREENSHOT = { of: 'virtualmachineinstances', call: 'vnc/screenshot', verb: 'get' };

/* What a released keyboard must not leave pressed in the guest. */
const MODIFIERS = [
    [KEYSYM.Control_L, 'ControlLeft'], [KEYSYM.Control_L + 1, 'ControlRight'],
    [KEYSYM.Alt_L, 'AltLeft'], [KEYSYM.Alt_L + 1, 'AltRight'],
    [KEYSYM.Shift_L, 'ShiftLeft'], [KEYSYM.Shift_L + 1, 'ShiftRight'],
];

/**
 * A surface: what machine.js puts on its stage.  `changed` is called when isReady() or hint() may
 * have changed.
 */
export function screenSurface(stage, context, { changed }) {
    const { api, route } = context;
    const target = h('div', { class: 'screen' });
    const lastPicture = h('div', { class: 'last-picture', 'aria-hidden': 'true' });
    let rfb = null;
    let isReady = false;
    let isWatching = false;
    let scaling = 'fit';

    const send = (keysym, code, down) => rfb?.sendKey(keysym, code, down);
    const type = (text) => strokes(text).forEach((s) => sendStroke(send, s));
    const keyboard = touchKeyboard(type);
    const keys = menuButton({ id: 'keys', label: 'Keys', icon: 'keys' }, () =>
        COMBINATIONS.map(({ label, keys: combination }) => ({
            label,
            why: canType() ? '' : 'You are only watching',
            run() {
                sendCombination(send, combination);
                rfb?.focus();
            },
        })));
    const view = menuButton({ id: 'view', label: 'View', icon: 'view' }, () => [
        { label: 'Fit to window', checked: scaling === 'fit', run: () => setScaling('fit') },
        { label: 'Actual size', checked: scaling === 'actual', run: () => setScaling('actual') },
        { label: 'Full screen', run: fullScreen },
    ]);
    const paste = toolButton('paste', 'Paste', () => pasteBox({ send, canType, done: () => rfb?.focus() }));
    const camera = toolButton('camera', 'Screenshot', screenshot);

    stage.append(lastPicture, target, keyboard.field);
    stage.addEventListener('focusin', changed);
    stage.addEventListener('focusout', changed);

    function canType() {
        return Boolean(rfb) && isReady && !isWatching;
    }

    function setScaling(next) {
        scaling = next;
        if (rfb)
            rfb.scaleViewport = scaling === 'fit';
    }

    async function fullScreen() {
        try {
            await stage.parentElement.requestFullscreen();
            /* So that Alt+Tab and Escape reach the guest, where the browser lets them. */
            await navigator.keyboard?.lock?.();
        } catch {
            toast('This browser does not allow full screen here.', 'bad');
        }
        rfb?.focus();
    }

    async function screenshot() {
        try {
            save(await api.picture(route.namespace, route.name), route.name);
        } catch (e) {
            toast(`Screenshot: ${sentence(e.message)}`, 'bad');
        }
    }

    function open(channel, mode) {
        const mine = new RFB(target, channel, { shared: true });
        let canvas = null;

        rfb = mine;
        isReady = false;
        isWatching = mode === 'observe';
        mine.viewOnly = isWatching;
        mine.scaleViewport = scaling === 'fit';
        mine.background = 'transparent';
        mine.addEventListener('connect', () => {
            isReady = true;
            canvas = nameCanvas();
            lastPicture.replaceChildren();
            if (!isWatching && isFree(stage))
                mine.focus();
            changed();
        });
        mine.addEventListener('disconnect', () => {
            if (rfb === mine)
                rfb = null;
            if (canvas)
                leave(canvas);
        });
        return () => mine.disconnect();
    }

    function nameCanvas() {
        const canvas = target.querySelector('canvas');

        canvas.tabIndex = 0;
        canvas.setAttribute('role', 'application');
        canvas.setAttribute('aria-label',
            `Screen of ${route.name}. Control Alt Shift Q gives the keyboard back.`);
        return canvas;
    }

    /* What was seen last stays, faintly, until there is something new to see. */
    function leave(canvas) {
        canvas.tabIndex = -1;
        lastPicture.replaceChildren(canvas);
    }

    return {
        tools: [keys.element, paste, view.element, camera, keyboard.button],
        wishes: [SCREENSHOT],
        isReady: () => isReady,
        open,
        show({ phase, role }) {
            isReady &&= phase === 'open';
            if (phase === 'idle')
                lastPicture.replaceChildren();
            isWatching = role === 'observer' || (isWatching && role === '');
            if (rfb && rfb.viewOnly !== isWatching)
                rfb.viewOnly = isWatching;
            paste.disabled = keyboard.button.disabled = !canType();
            camera.hidden = !context.allowed.has(`${SCREENSHOT.of}/${SCREENSHOT.call}`);
            camera.disabled = !context.machine.running;
        },
        hint() {
            if (isWatching)
                return 'What you type stays here';
            return target.contains(document.activeElement)
                ? 'Keys go to the machine. Ctrl + Alt + Shift + Q gives them back'
                : 'Click the screen, or Tab to it, to type';
        },
        release() {
            for (const [keysym, code] of MODIFIERS)
                send(keysym, code, false);
            rfb?.blur();
            if (document.fullscreenElement)
                document.exitFullscreen();
        },
        end() {
            stage.removeEventListener('focusin', changed);
            stage.removeEventListener('focusout', changed);
        },
    };
}

/* Nobody is in the middle of something else on the page. */
function isFree(stage) {
    return document.activeElement === document.body || stage.contains(document.activeElement);
}

function toolButton(name, label, run) {
    return h('button', { class: 'tool', type: 'button', id: name, title: label, on: { click: run } },
        icon(name), h('span', { class: 'label' }, label));
}

function save(blob, name) {
    const url = URL.createObjectURL(blob);
    const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-');

    h('a', { href: url, download: `${name}-${time}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
}
