// SPDX-License-Identifier: Apache-2.0
/*
 * A button that opens a list of things to do.  Arrow keys walk it, Escape and a click elsewhere close
 * it, and focus returns to where it was.
 */
import { h, icon, setText } from './dom.js';

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {() => void} [run] absent: a heading
 * @property {string} [why] why it cannot be chosen now; "" or absent: it can
 * @property {boolean} [checked] it is one of several, and this one is on
 */

/**
 * @param {{label: string, icon: string, id: string}} look
 * @param {() => Item[]} itemsNow asked each time the menu opens
 * @returns {{element: HTMLElement, setLabel: (text: string) => void, setIcon: (name: string) => void}}
 */
export function menuButton(look, itemsNow) {
    const text = h('span', { class: 'label' }, look.label);
    const list = h('div', { class: 'menu', role: 'menu', id: `${look.id}-menu`, hidden: true });
    let picture = icon(look.icon);
    const button = h('button', {
        class: 'tool',
        type: 'button',
        id: look.id,
        title: look.label,
        'aria-haspopup': 'menu',
        'aria-expanded': 'false',
        'aria-controls': list.id,
    }, picture, text, icon('chevron'));
    const element = h('div', { class: 'menu-anchor' }, button, list);

    list.setAttribute('aria-labelledby', look.id);

    function open() {
        list.replaceChildren(...itemsNow().map((item) => row(item, close)));
        list.hidden = false;
        button.setAttribute('aria-expanded', 'true');
        document.addEventListener('pointerdown', closeElsewhere, true);
        choices(list)[0]?.focus();
    }

    function close() {
        if (list.hidden)
            return;
        const hadFocus = list.contains(document.activeElement);
        list.hidden = true;
        button.setAttribute('aria-expanded', 'false');
        document.removeEventListener('pointerdown', closeElsewhere, true);
        if (hadFocus)
            button.focus();
    }

    function closeElsewhere(event) {
        if (!element.contains(event.target))
            close();
    }

    button.addEventListener('click', () => (list.hidden ? open() : close()));
    button.addEventListener('keydown', (event) => {
        if (event.key === 'ArrowDown' && list.hidden) {
            event.preventDefault();
            open();
        }
    });
    list.addEventListener('keydown', (event) => walk(event, list, close));
    element.addEventListener('focusout', (event) => {
        if (event.relatedTarget && !element.contains(event.relatedTarget))
            close();
    });
    return {
        element,
        setLabel: (label) => setText(text, label),
        setIcon(name) {
            const next = icon(name);
            picture.replaceWith(next);
            picture = next;
        },
    };
}

function row(item, close) {
    if (!item.run)
        return h('div', { class: 'menu-heading', role: 'presentation' }, item.label);

    const isRadio = item.checked !== undefined;
    const button = h('button', {
        class: 'menu-item',
        type: 'button',
        role: isRadio ? 'menuitemradio' : 'menuitem',
        tabIndex: -1,
        on: {
            click() {
                if (item.why)
                    return;
                close();
                item.run();
            },
        },
    }, h('span', {}, item.label), item.why && h('small', {}, item.why));

    if (isRadio)
        button.setAttribute('aria-checked', String(item.checked));
    if (item.why)
        button.setAttribute('aria-disabled', 'true');
    return button;
}

function choices(list) {
    return [...list.querySelectorAll('.menu-item')];
}

function walk(event, list, close) {
    const all = choices(list);
    const at = all.indexOf(document.activeElement);
    const to = {
        ArrowDown: (at + 1) % all.length,
        ArrowUp: (at - 1 + all.length) % all.length,
        Home: 0,
        End: all.length - 1,
    }[event.key];

    if (event.key === 'Escape') {
        event.stopPropagation();
        close();
    } else if (to !== undefined) {
        event.preventDefault();
        all[to].focus();
    }
}
