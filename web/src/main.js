// SPDX-License-Identifier: Apache-2.0
/*
 * The page's beginning: how to sign in, then the view that the address names, again at each change
 * of it.  One view lives at a time; it is told to end before the next begins.
 */
import { Api } from './api.js';
import { apiRoot, formatFragment, parseFragment } from './route.js';
import { forgetToken, rememberNamespace, saveToken, savedToken, wayToSignIn } from './session.js';
import { h } from './ui/dom.js';
import { homeView } from './view/home.js';
import { listView } from './view/list.js';
import { machineView } from './view/machine.js';
import { signInView } from './view/sign_in.js';

const VIEWS = { home: homeView, list: listView, screen: machineView, console: machineView };

const page = document.getElementById('page');
let auth = 'bearer';
let endView = () => {};

/** Take a token out of the address, where it would be seen, kept and shared. */
function takeToken() {
    const { route, token } = parseFragment(location.hash);

    if (token) {
        saveToken(token);
        history.replaceState(null, '', formatFragment(route));
    }
    return route;
}

function show() {
    const route = takeToken();

    endView();
    endView = () => {};
    page.replaceChildren();
    if (auth === 'bearer' && !savedToken()) {
        askToSignIn('');
        return;
    }

    const api = new Api(apiRoot(location.pathname), auth === 'bearer' ? savedToken() : '');
    api.refused = (error) => auth === 'bearer' && askToSignIn(`Please sign in again: ${error.message}.`);
    if (route.namespace)
        rememberNamespace(route.namespace);
    endView = VIEWS[route.view](page, { api, route, signOut: auth === 'bearer' ? signOut : null });
}

function askToSignIn(why) {
    const { route } = parseFragment(location.hash);

    endView();
    forgetToken();
    page.replaceChildren();
    endView = signInView(page, {
        why,
        route,
        apiFor: (token) => new Api(apiRoot(location.pathname), token),
        signedIn(token) {
            saveToken(token);
            show();
        },
    });
}

function signOut() {
    forgetToken();
    show();
}

async function start() {
    try {
        auth = await wayToSignIn();
    } catch {
        page.replaceChildren(h('main', { class: 'card', role: 'alert' },
            h('h1', {}, 'The server cannot be reached'),
            h('p', {}, 'This page could not read its settings.'),
            h('button', { type: 'button', class: 'primary', on: { click: start } }, 'Try again')));
        return;
    }
    addEventListener('hashchange', show);
    show();
}

start();
