// SPDX-License-Identifier: Apache-2.0
/* Start, stop and the like, as the user's rights allow. */
import { subresourcePath } from '../api.js';
import { ACTIONS } from '../machine.js';
import { sentence } from '../reason.js';
import { confirmBox, toast } from '../ui/dialog.js';
import { menuButton } from '../ui/menu.js';

/**
 * Do one of ACTIONS, after asking where it could hurt; say how it went.
 * @param {{api: import('../api.js').Api, machine: import('../machine.js').Machine}} context
 */
export async function act({ api, machine }, action) {
    const { namespace, name } = machine;

    if (action.ask && !await confirmBox({
        title: `${action.label} ${name}?`,
        text: action.ask,
        yes: action.label,
    }))
        return;
    try {
        await api.put(subresourcePath(action.of, namespace, name, action.call));
        toast(`${action.label}: asked for.`);
    } catch (e) {
        toast(`${action.label}: ${sentence(e.message)}`, 'bad');
    }
}

/** A menu of what is allowed; it is not there at all when nothing is. */
export function powerMenu(context, changed) {
    const menu = menuButton({ id: 'power', label: 'Power', icon: 'power' }, items);

    function offered() {
        const { machine, allowed } = context;

        return ACTIONS.filter(({ of, call }) =>
            allowed.has(`${of}/${call}`) && (of !== 'virtualmachines' || machine.hasMachine));
    }

    function items() {
        return offered().map((action) => ({
            label: action.label,
            why: action.unless(context.machine),
            run: () => act(context, action).then(changed),
        }));
    }

    menu.element.hidden = true;
    return {
        element: menu.element,
        show() {
            menu.element.hidden = offered().length === 0;
        },
    };
}
