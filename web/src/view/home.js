// SPDX-License-Identifier: Apache-2.0
/* Which namespace?  Users may seldom list them, so it is typed. */
import { formatFragment, isName } from '../route.js';
import { lastNamespace } from '../session.js';
import { h } from '../ui/dom.js';

export function homeView(page, { signOut }) {
    document.title = 'Virtual machines';

    const error = h('p', { class: 'field-error', role: 'alert' });
    const namespace = h('input', {
        id: 'namespace',
        value: lastNamespace(),
        autocomplete: 'off',
        autocapitalize: 'off',
        spellcheck: false,
    });

    function submit(event) {
        const wanted = namespace.value.trim();

        event.preventDefault();
        if (isName(wanted))
            location.hash = formatFragment({ view: 'list', namespace: wanted });
        else
            error.textContent = 'A namespace has small letters, digits and dashes.';
    }

    page.append(h('main', { class: 'center' },
        h('form', { class: 'card', on: { submit: submit } },
            h('h1', {}, 'Virtual machines'),
            h('label', { for: 'namespace' }, 'Namespace'),
            namespace,
            error,
            h('button', { class: 'primary', type: 'submit' }, 'Show machines'),
            signOut && h('button', { class: 'quiet', type: 'button', on: { click: signOut } },
                'Sign out'))));
    namespace.focus();
    namespace.select();
    return () => {};
}
