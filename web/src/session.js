// SPDX-License-Identifier: Apache-2.0
/*
 * Who is using the page: a token kept for as long as this tab lives, and never in the address.
 */

const TOKEN = 'cvirt.token';
const NAMESPACE = 'cvirt.namespace';

export function savedToken() {
    return sessionStorage.getItem(TOKEN) ?? '';
}

export function saveToken(token) {
    sessionStorage.setItem(TOKEN, token);
}

export function forgetToken() {
    sessionStorage.removeItem(TOKEN);
}

export function lastNamespace() {
    return localStorage.getItem(NAMESPACE) ?? '';
}

export function rememberNamespace(namespace) {
    localStorage.setItem(NAMESPACE, namespace);
}

/**
 * How this page is served.
 * @returns {Promise<'bearer'|'none'>}
 */
export async function wayToSignIn() {
    const response = await fetch(new URL('config.json', document.baseURI), { cache: 'no-store' });
    if (!response.ok)
        throw new Error(`config.json: the server answered ${response.status}`);
    const { auth } = await response.json();

    return auth === 'none' ? 'none' : 'bearer';
}
