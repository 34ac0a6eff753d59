// SPDX-License-Identifier: Apache-2.0
/*
 * One websocket of a machine's stream, in the shape of a WebSocket, which is what noVNC wants of a
 * raw channel.  Text messages are taken out of the stream: they tell our part in the session.
 */
import { parseNotice } from './reason.js';

const OPEN_TIMEOUT_MS = 15000;

/**
 * @typedef {object} Watch
 * @property {() => void} opened
 * @property {(notice: {role: string, sessions: number}) => void} noticed
 * @property {(how: {code: number, reason: string, wasOpen: boolean}) => void} closed once, at the end
 */

export class Channel {
    binaryType = 'arraybuffer';
    onopen = null;
    onmessage = null;
    onerror = null;
    onclose = null;

    #socket;
    #wasOpen = false;

    /** @param {Watch} watch */
    constructor(url, protocols, watch) {
        this.#socket = new WebSocket(url, protocols);
        this.#socket.binaryType = 'arraybuffer';

        const late = setTimeout(() => this.#socket.close(), OPEN_TIMEOUT_MS);
        this.#socket.onopen = (event) => {
            clearTimeout(late);
            this.#wasOpen = true;
            this.onopen?.(event);
            watch.opened();
        };
        this.#socket.onmessage = (event) => {
            if (typeof event.data !== 'string') {
                this.onmessage?.(event);
                return;
            }
            const notice = parseNotice(event.data);
            if (notice)
                watch.noticed(notice);
        };
        this.#socket.onerror = (event) => this.onerror?.(event);
        this.#socket.onclose = (event) => {
            clearTimeout(late);
            this.onclose?.(event);
            watch.closed({ code: event.code, reason: event.reason, wasOpen: this.#wasOpen });
        };
    }

    get protocol() {
        return this.#socket.protocol;
    }

    get readyState() {
        return this.#socket.readyState;
    }

    send(data) {
        if (this.#socket.readyState === WebSocket.OPEN)
            this.#socket.send(data);
    }

    close() {
        this.#socket.close();
    }
}
