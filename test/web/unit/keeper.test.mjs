// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Keeper } from '../../../web/src/keeper.js';

/* A keeper whose sessions the test opens and closes itself. */
function kept(stream = 'vnc', answer = null) {
    const dials = [];
    const keeper = new Keeper(stream, {
        dial(mode, watch) {
            dials.push({ mode, ...watch, isClosed: false });
            const mine = dials.at(-1);
            return () => (mine.isClosed = true);
        },
        ask: async () => answer,
        changed() {},
        random: () => 0,
    });

    return { keeper, dials };
}

const LOST = { code: 1006, reason: '', wasOpen: true };

test('opens, loses, and opens again after a growing pause', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { keeper, dials } = kept();

    keeper.start();
    for (const pause of [500, 1000, 2000, 4000, 8000, 15000, 15000]) {
        const count = dials.length;
        dials.at(-1).opened();
        await dials.at(-1).closed(LOST);
        assert.equal(keeper.state.phase, 'waiting');
        t.mock.timers.tick(pause - 1);
        assert.equal(dials.length, count, `${pause} ms are not over`);
        t.mock.timers.tick(1);
        assert.equal(dials.length, count + 1, `${pause} ms are over`);
    }
});

test('a good session makes the next failure the first', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { keeper, dials } = kept();

    keeper.start();
    await dials.at(-1).closed({ ...LOST, wasOpen: false });
    t.mock.timers.tick(500);
    dials.at(-1).opened();
    t.mock.timers.tick(10001);
    await dials.at(-1).closed(LOST);
    assert.equal(keeper.state.retryAt - Date.now(), 500);
});

test('a session that is replaced speaks no more', async () => {
    const { keeper, dials } = kept();

    keeper.start('shared');
    dials[0].opened();
    keeper.start('observe');
    assert.equal(dials[0].isClosed, true);
    await dials[0].closed(LOST);
    assert.equal(keeper.state.phase, 'connecting');
    assert.equal(dials[1].mode, 'observe');
});

test('stop ends the waiting', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { keeper, dials } = kept();

    keeper.start();
    await dials[0].closed({ ...LOST, wasOpen: false });
    keeper.stop();
    t.mock.timers.tick(60000);
    assert.equal(dials.length, 1);
    assert.equal(keeper.state.phase, 'idle');
});

test('what waiting does not cure is not tried again', async () => {
    const { keeper, dials } = kept('vnc', { code: 403, message: 'no' });

    keeper.start();
    await dials[0].closed({ ...LOST, wasOpen: false });
    assert.equal(keeper.state.phase, 'ended');
    keeper.retryNow();
    assert.equal(dials.length, 2);
});

test('who was made a watcher comes back as one', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { keeper, dials } = kept();

    keeper.start('takeOver');
    dials[0].opened();
    dials[0].noticed({ role: 'observer', sessions: 2 });
    await dials[0].closed(LOST);
    t.mock.timers.tick(500);
    assert.equal(dials[1].mode, 'observe');
});
