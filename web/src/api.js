// SPDX-License-Identifier: Apache-2.0
/*
 * The Kubernetes API as this page uses it: plain objects in and out, errors as ApiError with the
 * sentence the server gave.  Works against virt-api itself, through the API server, and behind
 * kubectl-virt's loopback proxy: paths and answers are the same.
 */

const TIMEOUT_MS = 15000;
const MAX_MESSAGE = 500;
const PAGE = 500;
const MAX_ITEMS = 5000;

export class ApiError extends Error {
    /** @param {number} code HTTP status; 0: no answer came */
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}

export class Api {
    /**
     * @param {string} root what stands before "/apis" in paths
     * @param {string} token "" where the caller is known by other means
     */
    constructor(root, token) {
        this.root = root;
        this.token = token;
        /** Called when the server no longer accepts who we are. */
        this.refused = () => {};
    }

    get(path) {
        return this.#json('GET', path);
    }

    /**
     * All objects of a list, page by page.
     * @returns {Promise<object[]>}
     */
    async list(path) {
        const items = [];
        let next = '';

        do {
            const page = await this.get(`${path}?limit=${PAGE}${next && `&continue=${next}`}`);
            items.push(...page?.items ?? []);
            next = encodeURIComponent(page?.metadata?.continue ?? '');
        } while (next && items.length < MAX_ITEMS);
        return items;
    }

    put(path, body = {}) {
        return this.#json('PUT', path, body);
    }

    post(path, body) {
        return this.#json('POST', path, body);
    }

    /** @returns {Promise<Blob>} */
    async picture(namespace, name) {
        const path = instancePath(namespace, name, 'vnc/screenshot');
        return (await this.#ask('GET', path, undefined, 'image/png')).blob();
    }

    /**
     * What a plain request for a stream's path is answered.
     * @returns {Promise<{code: number, message: string}|null>} null: nothing answered
     */
    async answerOf(path) {
        try {
            const response = await this.#ask('GET', path);
            return { code: response.status, message: '' };
        } catch (e) {
            return e.code ? { code: e.code, message: e.message } : null;
        }
    }

    streamUrl(path) {
        return `${location.origin.replace(/^http/, 'ws')}${this.root}${path}`;
    }

    /** A websocket carries no Authorization header; Kubernetes takes the token from here. */
    streamProtocols() {
        const plain = 'plain.kubevirt.io';

        if (!this.token)
            return [plain];
        return [plain, `base64url.bearer.authorization.k8s.io.${base64url(this.token)}`];
    }

    async #json(method, path, body) {
        const response = await this.#ask(method, path, body);
        const text = await response.text();

        try {
            return text ? JSON.parse(text) : null;
        } catch {
            throw new ApiError(response.status, 'the server sent something that is not JSON');
        }
    }

    async #ask(method, path, body, accept = 'application/json') {
        const headers = { Accept: accept };
        if (this.token)
            headers.Authorization = `Bearer ${this.token}`;
        if (body !== undefined)
            headers['Content-Type'] = 'application/json';

        let response;
        try {
            response = await fetch(this.root + path, {
                method,
                headers,
                body: body === undefined ? undefined : JSON.stringify(body),
                cache: 'no-store',
                signal: AbortSignal.timeout(TIMEOUT_MS),
            });
        } catch (e) {
            const isLate = e.name === 'TimeoutError';
            throw new ApiError(0, isLate ? 'the server took too long' : 'the server cannot be reached');
        }
        if (response.ok)
            return response;

        const error = await errorOf(response);
        if (error.code === 401)
            this.refused(error);
        throw error;
    }
}

/* A Status, or the plain text that upstream sends for some refusals. */
async function errorOf(response) {
    const text = (await response.text().catch(() => '')).slice(0, 65536);
    let message = text;

    try {
        message = JSON.parse(text).message ?? '';
    } catch {
        /* Plain text, then. */
    }
    message = String(message).trim().slice(0, MAX_MESSAGE);
    return new ApiError(response.status, message || `the server answered ${response.status}`);
}

/** @param {string} text ASCII, as tokens are */
export function base64url(text) {
    return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** One machine's objects and subresources, as paths. */
export function objectPath(kind, namespace, name = '') {
    const tail = name && `/${encodeURIComponent(name)}`;

    return `/apis/kubevirt.io/v1/namespaces/${encodeURIComponent(namespace)}/${kind}${tail}`;
}

export function subresourcePath(kind, namespace, name, subresource) {
    return `/apis/subresources.kubevirt.io/v1/namespaces/${encodeURIComponent(namespace)}` +
        `/${kind}/${encodeURIComponent(name)}/${subresource}`;
}

export function instancePath(namespace, name, subresource) {
    return subresourcePath('virtualmachineinstances', namespace, name, subresource);
}
