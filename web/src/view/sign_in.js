// SPDX-License-Identifier: Apache-2.0
/* Who are you?  A bearer token, as a service account has one and as `kubectl create token` gives. */
import { checkIdentity } from '../rights.js';
import { h } from '../ui/dom.js';

export function signInView(page, { why, route, apiFor, signedIn }) {
    document.title = 'Sign in';

    const token = h('input', {
        id: 'token',
        type: 'password',
        autocomplete: 'off',
        spellcheck: false,
        required: true,
        'aria-describedby': 'token-help token-error',
    });
    const error = h('p', { class: 'field-error', id: 'token-error', role: 'alert' }, why);
    const button = h('button', { class: 'primary', type: 'submit' }, 'Sign in');
    const form = h('form', { class: 'card', on: { submit: submit } },
        h('h1', {}, 'Virtual machines'),
        route.name
            ? h('p', {}, 'Sign in to open ', h('b', {}, route.name), ` in ${route.namespace}.`)
            : h('p', {}, 'Sign in to see and use your machines.'),
        h('label', { for: 'token' }, 'Token'),
        token,
        error,
        button,
        h('p', { class: 'help', id: 'token-help' },
            'A token comes from ', h('code', {}, 'kubectl create token ACCOUNT'),
            '. It stays in this tab and is forgotten when the tab closes.'));

    async function submit(event) {
        const value = token.value.trim().replace(/^Bearer /, '');

        event.preventDefault();
        error.textContent = /^[\x21-\x7e]+$/.test(value) ? '' : 'A token has no spaces or special letters.';
        if (error.textContent)
            return;
        button.disabled = true;
        try {
            await checkIdentity(apiFor(value), route.namespace);
            signedIn(value);
        } catch (e) {
            if (e.code === 401)
                error.textContent = 'The server does not know this token; it may have expired.';
            else if (e.code === 0)
                error.textContent = 'The server cannot be reached. Try again in a moment.';
            else
                signedIn(value);
        } finally {
            button.disabled = false;
        }
    }

    page.append(h('main', { class: 'center' }, form));
    token.focus();
    return () => {};
}
