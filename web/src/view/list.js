// SPDX-License-Identifier: Apache-2.0
/*
 * The machines of a namespace, with small pictures of their screens.  A picture is QEMU's own
 * screenshot: it opens no session and disturbs none.
 */
import { objectPath } from '../api.js';
import { describeAll } from '../machine.js';
import { poll } from '../poll.js';
import { sentence } from '../reason.js';
import { formatFragment } from '../route.js';
import { h, icon, setText, stateBadge } from '../ui/dom.js';

const LIST_PAUSE_MS = 4000;
const PICTURE_PAUSE_MS = 1000; /* between looks at which picture is due */
const PICTURE_AGE_MS = 15000;

export function listView(page, { api, route, signOut }) {
    const { namespace } = route;
    const cards = new Map();
    const message = h('p', { class: 'list-message', role: 'status' }, 'Loading…');
    const grid = h('ul', { class: 'grid', 'aria-label': `Machines in ${namespace}` });
    const seen = new IntersectionObserver((entries) => {
        for (const entry of entries)
            entry.target.dataset.seen = entry.isIntersecting ? 'yes' : '';
    });

    document.title = `Machines · ${namespace}`;
    page.append(
        h('header', { class: 'bar' },
            h('a', { class: 'tool', href: '#/', 'aria-label': 'Choose another namespace' }, icon('back')),
            h('div', { class: 'name' }, h('h1', {}, 'Machines'), h('small', {}, namespace)),
            h('div', { class: 'spacer' }),
            signOut && h('button', { class: 'tool', type: 'button', on: { click: signOut } },
                'Sign out')),
        h('main', { class: 'list' }, message, grid));

    async function refresh() {
        try {
            const [vms, vmis] = await Promise.all([
                api.list(objectPath('virtualmachines', namespace)),
                api.list(objectPath('virtualmachineinstances', namespace)),
            ]);
            showMachines(describeAll(namespace, vms, vmis));
        } catch (e) {
            setText(message, sentence(e.message));
            message.dataset.tone = 'bad';
            message.hidden = false;
        }
    }

    function showMachines(machines) {
        const names = new Set(machines.map((m) => m.name));

        for (const [name, card] of cards)
            if (!names.has(name)) {
                seen.unobserve(card.element);
                card.remove();
                cards.delete(name);
            }
        for (const machine of machines) {
            if (!cards.has(machine.name)) {
                cards.set(machine.name, machineCard(api, machine));
                seen.observe(cards.get(machine.name).element);
            }
            cards.get(machine.name).show(machine);
        }
        const inOrder = machines.map((m) => cards.get(m.name).element);
        if (inOrder.some((element, i) => grid.children[i] !== element))
            grid.replaceChildren(...inOrder);

        message.hidden = machines.length > 0;
        message.dataset.tone = '';
        setText(message, `There are no machines in ${namespace}.`);
    }

    /* One picture at a time: the oldest of those that can be seen. */
    async function refreshPicture() {
        const due = [...cards.values()]
            .filter((c) => c.isDue())
            .sort((a, b) => a.pictureAt() - b.pictureAt())[0];

        await due?.takePicture();
    }

    const polls = [poll(refresh, LIST_PAUSE_MS), poll(refreshPicture, PICTURE_PAUSE_MS)];
    return () => {
        polls.forEach((p) => p.stop());
        seen.disconnect();
        for (const card of cards.values())
            card.remove();
    };
}

function machineCard(api, { namespace, name }) {
    const badge = stateBadge();
    const picture = h('img', { alt: '', hidden: true });
    const nothing = h('span', { class: 'no-picture' }, icon('screen'));
    const place = (view) => formatFragment({ view, namespace, name });
    const element = h('li', { class: 'machine' },
        h('a', { class: 'thumb', href: place('screen'), 'aria-label': `Screen of ${name}` },
            picture, nothing),
        h('div', { class: 'machine-foot' },
            h('h2', {}, name),
            badge.element,
            h('a', { class: 'tool', href: place('console'), 'aria-label': `Console of ${name}` },
                icon('console'))));
    let machine = null;
    let url = '';
    let takenAt = 0;

    function showPicture(next) {
        URL.revokeObjectURL(url);
        url = next;
        picture.hidden = !url;
        nothing.hidden = Boolean(url);
        picture.src = url;
    }

    return {
        element,
        pictureAt: () => takenAt,
        isDue: () => machine.running && element.dataset.seen && Date.now() - takenAt > PICTURE_AGE_MS,
        show(next) {
            machine = next;
            badge.show(machine);
            if (!machine.running && url)
                showPicture('');
        },
        async takePicture() {
            takenAt = Date.now();
            try {
                showPicture(URL.createObjectURL(await api.picture(namespace, name)));
            } catch {
                /* No graphics, no right, or not now: the card is as good without. */
            }
        },
        remove() {
            URL.revokeObjectURL(url);
            element.remove();
        },
    };
}
