// SPDX-License-Identifier: Apache-2.0
/*
 * What stands where the screen would, when there is none: why, and what to do about it.  The line
 * below the screen says its title to screen readers; a countdown read aloud would be a plague.
 */
import { h, setText } from './dom.js';

/**
 * @typedef {object} Message
 * @property {string} title
 * @property {string} text
 * @property {boolean} [busy] something is going on
 * @property {{label: string, run: () => void}[]} [buttons] the first is the one to press
 */

export function overlay() {
    const spinner = h('div', { class: 'spinner', 'aria-hidden': 'true' });
    const title = h('h2');
    const text = h('p');
    const buttons = h('div', { class: 'overlay-buttons' });
    const element = h('div', { class: 'overlay', hidden: true },
        spinner, title, text, buttons);
    let shownLabels = '';

    return {
        element,
        hide() {
            element.hidden = true;
        },
        /** @param {Message} message */
        show(message) {
            element.hidden = false;
            spinner.hidden = !message.busy;
            setText(title, message.title);
            setText(text, message.text);
            showButtons(message.buttons ?? []);
        },
    };

    /* Buttons stay in place while their labels do, so that they keep focus. */
    function showButtons(list) {
        const labels = list.map((b) => b.label).join('\n');
        if (labels !== shownLabels)
            buttons.replaceChildren(...list.map((b, i) => h('button', {
                type: 'button',
                class: i === 0 ? 'primary' : '',
            }, b.label)));
        shownLabels = labels;
        [...buttons.children].forEach((button, i) => {
            button.onclick = list[i].run;
        });
    }
}
