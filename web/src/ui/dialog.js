// SPDX-License-Identifier: Apache-2.0
/*
 * Questions in a box over the page, and short messages at its edge.  The browser's own <dialog> keeps
 * focus inside and gives it back.
 */
import { h } from './dom.js';

/**
 * @param {{title: string, text: string, yes: string}} question
 * @returns {Promise<boolean>}
 */
export function confirmBox({ title, text, yes }) {
    return new Promise((resolve) => {
        const box = openBox(title, resolveOnClose);
        let answer = false;

        function resolveOnClose() {
            resolve(answer);
        }
        box.append(
            h('p', {}, text),
            h('div', { class: 'box-buttons' },
                h('button', { type: 'button', on: { click: () => box.close() } }, 'Cancel'),
                h('button', {
                    type: 'button',
                    class: 'danger',
                    on: {
                        click() {
                            answer = true;
                            box.close();
                        },
                    },
                }, yes)));
        box.querySelector('button').focus();
    });
}

/** An empty box with a title; it is gone once it closes. */
export function openBox(title, closed = () => {}) {
    const heading = h('h2', { id: 'box-title' }, title);
    const box = h('dialog', { class: 'box', 'aria-labelledby': 'box-title' }, heading);

    box.addEventListener('close', () => {
        box.remove();
        closed();
    });
    (document.fullscreenElement ?? document.body).append(box);
    box.showModal();
    return box;
}

const TOAST_MS = 6000;

/** Say something that needs no answer.  Screen readers hear it. */
export function toast(text, tone = 'off') {
    const note = h('div', { class: 'toast' }, text);
    const shelf = document.getElementById('toasts');

    note.dataset.tone = tone;
    shelf.append(note);
    setTimeout(() => note.remove(), TOAST_MS);
}
