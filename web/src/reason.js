// SPDX-License-Identifier: Apache-2.0
/*
 * Why a stream ended or was refused, in words, and whether to try again by itself.  Pure.
 *
 * `then` says what follows: 'retry' (by itself, with back-off), 'stop' (the user decides), or
 * 'sign-in' (the identity is not accepted any more).
 */

/** @typedef {{title: string, text: string, then: 'retry'|'stop'|'sign-in'}} Reason */

const CLOSES = {
    1000: ['The connection was closed', 'The machine ended this session.', 'retry'],
    1001: ['The connection was closed', 'The server is going away.', 'retry'],
    1006: ['The connection was lost', 'The network or the server went away.', 'retry'],
    1008: ['The session was refused', 'The server did not understand what this page sent.', 'stop'],
    1011: ['The server had a problem', 'It could not carry this session on.', 'retry'],
    1013: ['This page was too slow', 'It did not keep up with the machine.', 'retry'],
};

/** A session that had been open has ended. */
export function closeReason(code, reason) {
    if (code === 1000 && /taken over/.test(reason))
        return {
            title: 'Somebody else took over',
            text: 'Another session of this machine took this one’s place.',
            then: 'stop',
        };

    const [title, text, then] = CLOSES[code] ?? CLOSES[1006];
    return { title, text: reason ? sentence(reason) : text, then };
}

const REFUSALS = {
    401: ['Please sign in again', 'sign-in'],
    403: ['You may not do this', 'stop'],
    404: ['There is no such machine', 'retry'],
    409: ['The machine is not ready', 'retry'],
    429: ['Too many sessions are open', 'retry'],
    503: ['The server is not ready', 'retry'],
    504: ['The server took too long', 'retry'],
};

/**
 * A session could not begin.  `status` is what a plain request for the same path was answered:
 * a browser does not show its page the answer to a websocket.
 *
 * @param {{code: number, message: string}|null} status null: there was no answer at all
 */
export function refusalReason(status) {
    if (!status)
        return {
            title: 'The server cannot be reached',
            text: 'The network is down, or the server is starting.',
            then: 'retry',
        };
    if (isInvitation(status))
        return {
            title: 'The connection could not be made',
            text: 'The server takes requests, but this stream did not open.',
            then: 'retry',
        };
    if (/No (serial consoles|graphics devices) are present/.test(status.message))
        return { title: 'There is nothing to show', text: sentence(status.message), then: 'stop' };

    const [title, then] = REFUSALS[status.code] ?? ['The connection was refused', 'retry'];
    return { title, text: sentence(status.message || `HTTP status ${status.code}`), then };
}

/* All is well for a websocket; a plain request cannot be one. */
function isInvitation({ code, message }) {
    return code < 400 || code === 426 || (code === 400 && /is a websocket|upgrade/i.test(message));
}

/** First letter large, unless it is a name's, and full stop at the end; our servers say neither. */
export function sentence(text) {
    const trimmed = text.trim();
    if (!trimmed)
        return '';
    const isWord = /^[a-z]+[\s,:.]/.test(trimmed);
    const whole = isWord ? trimmed[0].toUpperCase() + trimmed.slice(1) : trimmed;

    return /[.!?)\]]$/.test(whole) ? whole : `${whole}.`;
}

/**
 * How to ask for the session again.  A take-over happens once; who was made a watcher since stays
 * one, so that a reconnection never takes typing away from somebody.  (A console that is asked for
 * as shared reads while somebody else writes; a screen would type.)
 *
 * @param {'shared'|'observe'|'takeOver'} mode
 * @param {'writer'|'observer'|''} role what the server said last
 * @param {'vnc'|'console'} stream
 */
export function modeAfter(mode, role, stream) {
    if (mode === 'observe')
        return 'observe';
    return role === 'observer' && stream === 'vnc' ? 'observe' : 'shared';
}

/** @returns {{role: string, sessions: number}|null} null for a text that tells no role */
export function parseNotice(text) {
    try {
        const { role, sessions } = JSON.parse(text);
        if (role === 'writer' || role === 'observer')
            return { role, sessions: Number.isInteger(sessions) ? sessions : 1 };
    } catch {
        /* Not for us. */
    }
    return null;
}

/** Who else is here, for the role button. */
export function roleWords({ role, sessions }) {
    const others = sessions - 1;
    const company = others < 1 ? '' : others === 1 ? ' · 1 other' : ` · ${others} others`;

    return (role === 'observer' ? 'Watching' : 'In control') + company;
}
