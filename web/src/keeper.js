// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps one stream of one machine open: opens it, says in words why it ended, and opens it again
 * after a growing pause.  Knows neither screen nor terminal, neither document nor network: those come
 * as functions.
 */
import { delayAfter } from './backoff.js';
import { closeReason, modeAfter, refusalReason } from './reason.js';

/* A session that lived this long was a good one: the next failure counts as the first. */
const GOOD_AFTER_MS = 10000;

/**
 * @typedef {object} State
 * @property {'idle'|'connecting'|'open'|'waiting'|'ended'} phase
 * @property {import('./reason.js').Reason|null} reason why it is not open, once that is known
 * @property {number} retryAt when waiting: the moment of the next try, by Date.now()
 * @property {'writer'|'observer'|''} role
 * @property {number} sessions
 */

export class Keeper {
    /** @type {State} */
    state = { phase: 'idle', reason: null, retryAt: 0, role: '', sessions: 0 };
    mode = 'shared';

    #stream;
    #dial;
    #ask;
    #changed;
    #random;
    #failures = 0;
    #timer = 0;
    #turn = 0; /* what belongs to an earlier turn speaks to nobody */
    #close = () => {};

    /**
     * @param {'vnc'|'console'} stream
     * @param {object} with_
     * @param {(mode: string, watch: import('./channel.js').Watch) => () => void} with_.dial opens it,
     *     returns what closes it
     * @param {(mode: string) => Promise<{code: number, message: string}|null>} with_.ask what a plain
     *     request of the same is answered
     * @param {(state: State) => void} with_.changed
     * @param {() => number} [with_.random]
     */
    constructor(stream, { dial, ask, changed, random = Math.random }) {
        this.#stream = stream;
        this.#dial = dial;
        this.#ask = ask;
        this.#changed = changed;
        this.#random = random;
    }

    /** Open it, or open it anew in another mode. */
    start(mode = 'shared') {
        this.#end();
        this.mode = mode;
        this.#failures = 0;
        this.#open();
    }

    /** Stay away until start(). */
    stop() {
        this.#end();
        this.#set({ phase: 'idle', reason: null, role: '', sessions: 0 });
    }

    /** Do not wait for the end of the pause. */
    retryNow() {
        if (this.state.phase === 'waiting' || this.state.phase === 'ended')
            this.start(this.mode);
    }

    #end() {
        this.#turn++;
        clearTimeout(this.#timer);
        this.#close();
        this.#close = () => {};
    }

    #open() {
        const turn = ++this.#turn;
        const mine = (f) => (...args) => turn === this.#turn && f(...args);
        let openedAt = 0;

        this.#set({ phase: 'connecting', role: '', sessions: 0 });
        this.#close = this.#dial(this.mode, {
            opened: mine(() => {
                openedAt = Date.now();
                this.#set({ phase: 'open', reason: null });
            }),
            noticed: mine((notice) => this.#set(notice)),
            closed: mine(async ({ code, reason, wasOpen }) => {
                if (openedAt && Date.now() - openedAt > GOOD_AFTER_MS)
                    this.#failures = 0;
                const why = wasOpen ? closeReason(code, reason) : await this.#refusal();
                if (turn === this.#turn)
                    this.#closed(why);
            }),
        });
    }

    async #refusal() {
        return refusalReason(await this.#ask(this.mode));
    }

    #closed(why) {
        this.#close = () => {};
        this.mode = modeAfter(this.mode, this.state.role, this.#stream);
        if (why.then !== 'retry') {
            this.#set({ phase: 'ended', reason: why });
            return;
        }

        const pause = delayAfter(++this.#failures, this.#random());
        this.#timer = setTimeout(() => this.#open(), pause);
        this.#set({ phase: 'waiting', reason: why, retryAt: Date.now() + pause });
    }

    #set(change) {
        this.state = { ...this.state, ...change };
        this.#changed(this.state);
    }
}
