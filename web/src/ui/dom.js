// SPDX-License-Identifier: Apache-2.0
/* Elements in one expression. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {object} [props] "on" is a map of listeners, "class" the class; names with a dash are
 *     attributes, others properties of the element
 * @param {...(Node|string|null|false|undefined)} children
 */
export function h(tag, props = {}, ...children) {
    const element = document.createElement(tag);

    for (const [name, value] of Object.entries(props)) {
        if (name === 'on')
            for (const [event, listener] of Object.entries(value))
                element.addEventListener(event, listener);
        else if (name === 'class')
            element.className = value;
        else if (name.includes('-') || name === 'role' || name === 'for')
            element.setAttribute(name, value);
        else
            element[name] = value;
    }
    element.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
    return element;
}

/** Replace what is inside, unless it is the same already (focus and selection stay). */
export function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

/* Paths in a box of 24 by 24, drawn as lines. */
const ICONS = {
    back: 'M15 5l-7 7 7 7',
    chevron: 'M7 10l5 5 5-5',
    screen: 'M3 5h18v11H3z M9 20h6 M12 16v4',
    console: 'M3 4h18v16H3z M7 9l3 3-3 3 M12.5 15H17',
    power: 'M12 3v9 M6.8 6.8a7.5 7.5 0 1 0 10.4 0',
    keys: 'M2.5 6h19v12h-19z M6 10h.01 M10 10h.01 M14 10h.01 M18 10h.01 M7 14h10',
    paste: 'M8 4h8v4H8z M8 6H5v15h14V6h-3 M9 13h6 M9 17h4',
    view: 'M4 9V4h5 M20 9V4h-5 M4 15v5h5 M20 15v5h-5',
    camera: 'M3 7h4l2-3h6l2 3h4v13H3z M12 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8z',
    people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z M2.5 20c0-4 2.5-6 6.5-6s6.5 2 6.5 6 M16 4.4a3.5 3.5 0 0 1 0 6.2 M18 14.4c2.3.8 3.5 2.7 3.5 5.6',
    eye: 'M2 12c2.5-4.5 6-7 10-7s7.5 2.5 10 7c-2.5 4.5-6 7-10 7s-7.5-2.5-10-7z M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
    more: 'M5 12h.01 M12 12h.01 M19 12h.01',
};

/** @param {keyof ICONS} name */
export function icon(name) {
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');

    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', ICONS[name]);
    svg.append(path);
    return svg;
}

/** A machine's state: a dot and a word. */
export function stateBadge() {
    const text = h('span');
    const badge = h('span', { class: 'badge' },
        h('span', { class: 'dot', 'aria-hidden': 'true' }), text);

    return {
        element: badge,
        show({ label, tone }) {
            badge.dataset.tone = tone;
            setText(text, label);
        },
    };
}
