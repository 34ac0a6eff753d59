// SPDX-License-Identifier: Apache-2.0
/*
 * Where in the page we are, as the address's fragment says it:
 *
 *   #/                          pick a namespace
 *   #/NAMESPACE                 its machines
 *   #/NAMESPACE/NAME/screen     one machine's screen
 *   #/NAMESPACE/NAME/console    one machine's serial console
 *
 * "?token=T" at the end of any of them signs in.  Pure: no document, no storage.
 */

/** @typedef {{view: 'home'|'list'|'screen'|'console', namespace: string, name: string}} Route */

const MAX_NAME = 253;
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Is this the name of a Kubernetes object or namespace?  Nothing else goes into a path. */
export function isName(text) {
    return text.length <= MAX_NAME && NAME.test(text);
}

/**
 * @param {string} fragment with or without its "#"
 * @returns {{route: Route, token: string}} what cannot be read is the home view
 */
export function parseFragment(fragment) {
    const text = fragment.replace(/^#/, '');
    const mark = text.indexOf('?');
    const path = mark < 0 ? text : text.slice(0, mark);
    const token = mark < 0 ? '' : new URLSearchParams(text.slice(mark + 1)).get('token') ?? '';
    return { route: parsePath(path), token };
}

function parsePath(path) {
    const home = { view: 'home', namespace: '', name: '' };
    const [namespace = '', name = '', view = 'screen'] = path.split('/').filter(Boolean);

    if (!isName(namespace))
        return home;
    if (!name)
        return { view: 'list', namespace, name: '' };
    if (!isName(name) || (view !== 'screen' && view !== 'console'))
        return { view: 'list', namespace, name: '' };
    return { view, namespace, name };
}

/** @param {Partial<Route>} route */
export function formatFragment({ view, namespace, name }) {
    switch (view) {
    case 'list':
        return `#/${namespace}`;
    case 'screen':
    case 'console':
        return `#/${namespace}/${name}/${view}`;
    default:
        return '#/';
    }
}

/**
 * What stands before "/apis" when the page itself is at `pathname`: it is served at PREFIX/ui/ and
 * at PREFIX/apis/subresources.kubevirt.io/VERSION/ui/.
 */
export function apiRoot(pathname) {
    return pathname.replace(/(\/apis\/subresources\.kubevirt\.io\/[^/]+)?\/ui(\/[^/]*)?$/, '');
}
