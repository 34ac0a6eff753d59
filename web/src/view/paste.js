// SPDX-License-Identifier: Apache-2.0
/*
 * Text typed into the guest key by key: it works in a boot loader as well, and needs nothing in the
 * guest.
 */
import { sendStroke, strokes } from '../typing.js';
import { openBox } from '../ui/dialog.js';
import { h } from '../ui/dom.js';

/* Slow enough for a guest's keyboard buffer of 16 keys and for a busy boot loader. */
const PAUSE_MS = 25;
const MAX_TEXT = 20000;

/** @param {{send: Function, canType: () => boolean, done: () => void}} to */
export function pasteBox({ send, canType, done }) {
    let isStopped = false;
    const box = openBox('Type text into the machine', () => {
        isStopped = true;
        done();
    });
    const text = h('textarea', {
        id: 'paste-text',
        rows: 6,
        maxLength: MAX_TEXT,
        spellcheck: false,
        autocomplete: 'off',
        autocapitalize: 'off',
        'aria-describedby': 'paste-help',
    });
    const bar = h('progress', { value: 0, max: 1, hidden: true, 'aria-label': 'Typed so far' });
    const go = h('button', { type: 'submit', class: 'primary' }, 'Type');
    const form = h('form', { on: { submit: run } },
        h('label', { for: 'paste-text' }, 'Text'),
        text,
        h('p', { class: 'help', id: 'paste-help' },
            'It is typed as on a US keyboard; the guest should use that layout.'),
        bar,
        h('div', { class: 'box-buttons' },
            h('button', { type: 'button', on: { click: () => box.close() } }, 'Cancel'), go));

    async function run(event) {
        event.preventDefault();

        const list = strokes(text.value);
        go.disabled = text.readOnly = true;
        bar.hidden = false;
        bar.max = Math.max(1, list.length);
        for (const [i, stroke] of list.entries()) {
            if (isStopped || !canType())
                break;
            sendStroke(send, stroke);
            bar.value = i + 1;
            await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        }
        box.close();
    }

    box.append(form);
    text.focus();
}
