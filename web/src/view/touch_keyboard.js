// SPDX-License-Identifier: Apache-2.0
/*
 * The keyboard of a phone, which only comes up for a text field.  The field is never seen; what
 * changes in it is typed.
 */
import { edits } from '../typing.js';
import { h, icon } from '../ui/dom.js';

/* Something to delete: without it, a phone's backspace key does nothing. */
const PADDING = '_'.repeat(50);

/** @param {(text: string) => void} type */
export function touchKeyboard(type) {
    let before = PADDING;
    const field = h('textarea', {
        class: 'off-screen',
        tabIndex: -1,
        autocapitalize: 'off',
        autocomplete: 'off',
        spellcheck: false,
        value: PADDING,
        'aria-label': 'Text for the machine',
        on: {
            input() {
                type(edits(before, field.value));
                before = field.value;
            },
            focus: refill,
        },
    });
    const button = h('button', {
        class: 'tool touch-only',
        type: 'button',
        id: 'keyboard',
        title: 'Keyboard',
        on: { click: () => field.focus() },
    }, icon('keys'), h('span', { class: 'label' }, 'Keyboard'));

    function refill() {
        field.value = before = PADDING;
        field.setSelectionRange(PADDING.length, PADDING.length);
    }

    return { field, button };
}
