// SPDX-License-Identifier: Apache-2.0
/* Our part among those who have this screen or console open, and the way to another part. */
import { roleWords } from '../reason.js';
import { menuButton } from '../ui/menu.js';

const MODES = [
    { mode: 'shared', label: 'Use together with others' },
    { mode: 'observe', label: 'Only watch' },
    { mode: 'takeOver', label: 'Take over' },
];

/** @param {import('../keeper.js').Keeper} keeper */
export function sessionMenu(keeper) {
    const menu = menuButton({ id: 'session', label: 'Session', icon: 'people' }, () =>
        MODES.map(({ mode, label }) => ({
            label,
            checked: keeper.mode === mode,
            run: () => keeper.start(mode),
        })));

    return {
        element: menu.element,
        /** @param {import('../keeper.js').State} state */
        show(state) {
            menu.setLabel(state.role ? roleWords(state) : 'Session');
            if (menu.element.dataset.role !== state.role)
                menu.setIcon(state.role === 'observer' ? 'eye' : 'people');
            menu.element.dataset.role = state.role;
        },
    };
}
