// SPDX-License-Identifier: Apache-2.0
/*
 * The page against a real cluster and a real guest, all told by the environment (README.md).  A test
 * whose variable is missing is skipped; WEB_URL and WEB_MACHINE are needed by all.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import {
    canvasPicture, keep, live, newPage, openAt, shot, startBrowser, terminalText, typeKeys, until,
} from '../browser.mjs';
import { difference, isBlank } from '../picture.mjs';

const env = process.env;
const URL_ = env.WEB_URL;
const TOKEN = env.WEB_TOKEN ?? '';
const NAMESPACE = env.WEB_NAMESPACE ?? 'default';
const NAME = env.WEB_MACHINE;
const USER = env.WEB_USER ?? 'root';
const PASSWORD = env.WEB_PASSWORD ?? 'cvirt';
const PROMPT = new RegExp(env.WEB_PROMPT ?? '[#$] ?$', 'm');
const SERIAL = env.WEB_SERIAL ?? '/dev/ttyS0';

/* Guests and nodes under emulation take their time. */
const SLOW_MS = Number(env.WEB_SLOW_MS ?? 90000);
const SCREEN_ECHO_MS = 2000;

let browser;
let pages = [];

before(async () => {
    browser = await startBrowser();
});

after(() => browser?.close());

afterEach(async () => {
    const complaints = pages.flatMap((p) => p.complaints);

    await Promise.all(pages.map((p) => p.context().close()));
    pages = [];
    assert.deepEqual(complaints, []);
});

function check(name, needs, body) {
    const missing = ['WEB_URL', 'WEB_MACHINE', ...needs].filter((variable) => !env[variable]);

    test(name, { skip: missing.length ? `needs ${missing.join(', ')}` : false }, body);
}

async function person(options) {
    const page = await newPage(browser, options);

    page.setDefaultTimeout(SLOW_MS);
    pages.push(page);
    return page;
}

async function at(view, { options, token = TOKEN } = {}) {
    const page = await person(options);

    await openAt(page, URL_, `/${NAMESPACE}/${NAME}/${view}`, token);
    await live(page);
    return page;
}

async function choose(page, menu, item) {
    await page.locator(`#${menu}`).click();
    await page.locator(`#${menu}-menu`).getByText(item, { exact: true }).click();
}

function becomes(page, words) {
    return until(`the session is: ${words}`, async () =>
        words.test(await page.locator('#session .label').textContent()), SLOW_MS);
}

/* The guest's own picture of its screen, past the page. */
async function screenshot(page) {
    const path = `/apis/subresources.kubevirt.io/v1/namespaces/${NAMESPACE}` +
        `/virtualmachineinstances/${NAME}/vnc/screenshot`;
    const headers = TOKEN ? { Authorization: `Bearer ${TOKEN}` } : {};
    const answer = await page.request.get(new URL(path, URL_).href, { headers });

    assert.equal(answer.status(), 200);
    return answer.body();
}

async function typeOnScreen(page, text) {
    await page.locator('.screen canvas').focus();
    await typeKeys(page, text);
}

/* Log in at the screen's terminal; in a shell that is open already it is only noise. */
async function logInOnScreen(page) {
    await typeOnScreen(page, `${USER}\n`);
    await sleep(SCREEN_ECHO_MS);
    await typeKeys(page, `${PASSWORD}\n`);
    await sleep(2 * SCREEN_ECHO_MS);
}

check('shows the guest’s screen as vnc/screenshot shows it', [], async () => {
    const page = await at('screen');

    await until('the pictures agree', async () => {
        const [ours, theirs] = [await canvasPicture(page), await screenshot(page)];
        keep('cluster-screenshot.png', theirs);
        return !isBlank(ours) && difference(ours, theirs, 'cluster-screen') < 0.005;
    }, SLOW_MS);
    await shot(page, 'cluster-screen');
});

check('two browsers watch one machine, and typing in one reaches guest and both', [], async () => {
    const [one, two, serial] = [await at('screen'), await at('screen'), await at('console')];
    const before = await canvasPicture(two);

    await becomes(one, /In control · 1 other/);
    await logInOnScreen(one);
    await typeKeys(one, `echo ok-$((6*7)) > ${SERIAL}\n`);
    await until('the guest did it', async () => /ok-42/.test(await terminalText(serial)), SLOW_MS);
    await until('the other sees it', async () => difference(before, await canvasPicture(two)) > 0, SLOW_MS);
    await until('both see the same', async () =>
        difference(await canvasPicture(one), await canvasPicture(two)) < 0.005, SLOW_MS);
    await shot(two, 'cluster-two-people');
});

check('who only watches cannot type', [], async () => {
    const [watcher, serial] = [await at('screen'), await at('console')];

    await choose(watcher, 'session', 'Only watch');
    await becomes(watcher, /Watching/);
    await live(watcher);
    await watcher.locator('.screen canvas').focus();
    await typeKeys(watcher, `echo no-$((6*7)) > ${SERIAL}\n`);
    await sleep(3 * SCREEN_ECHO_MS);
    assert.doesNotMatch(await terminalText(serial), /no-42/);
    await shot(watcher, 'cluster-watching');
});

check('taking over makes the other a watcher', [], async () => {
    const [one, two] = [await at('screen'), await at('screen')];

    await choose(two, 'session', 'Take over');
    await becomes(one, /Watching/);
    await becomes(two, /In control/);
    await shot(one, 'cluster-taken-over');
});

check('comes back by itself when the server is killed under it', ['WEB_KILL'], async () => {
    const page = await at('screen');

    await promisify(execFile)('/bin/sh', ['-c', env.WEB_KILL]);
    await page.locator('.stage[data-phase="covered"]').waitFor();
    await shot(page, 'cluster-reconnecting');
    await live(page);
    await until('there is a picture', async () => !isBlank(await canvasPicture(page)), SLOW_MS);
    await shot(page, 'cluster-reconnected');
});

check('the serial console logs in', [], async () => {
    const page = await at('console');
    const shows = (what) => until(`the console shows ${what}`, async () =>
        what.test(await terminalText(page)), SLOW_MS);

    await page.locator('.xterm').click();
    await becomes(page, /In control/);
    await page.keyboard.press('Enter');
    await shows(/login:|[#$] ?$/m);
    if (/login:\s*$/.test((await terminalText(page)).trimEnd())) {
        await page.keyboard.type(`${USER}\r`);
        await shows(/Password:/i);
        await page.keyboard.type(`${PASSWORD}\r`);
    }
    await shows(PROMPT);
    await page.keyboard.type('echo in-$((6*7))\r');
    await shows(/^in-42$/m);
    await shot(page, 'cluster-console');
    await page.keyboard.type('exit\r');
});

check('who may only read sees no power menu', ['WEB_READER_TOKEN'], async () => {
    const page = await at('screen', { token: env.WEB_READER_TOKEN });

    await page.locator('#camera').waitFor();
    assert.equal(await page.locator('#power').isVisible(), false);
    await shot(page, 'cluster-reader');
});

check('who may change it is offered to stop it', [], async () => {
    const page = await at('screen');

    await page.locator('#power').click();
    await page.locator('#power-menu').getByText('Stop', { exact: true }).waitFor();
});

check('a link opens the machine, and its token leaves the address', ['WEB_LINK'], async () => {
    const page = await person();

    page.home = new URL(env.WEB_LINK).host;
    await page.goto(env.WEB_LINK);
    await live(page);
    assert.doesNotMatch(page.url(), /token=/);
    await shot(page, 'cluster-link');
});

check('the list shows a picture of the machine', [], async () => {
    const page = await person();

    await openAt(page, URL_, `/${NAMESPACE}`, TOKEN);
    await page.locator('.machine', { hasText: NAME }).locator('img:visible').waitFor();
    await shot(page, 'cluster-list');
});

check('a phone shows the screen and has its tools in a menu', [], async () => {
    const page = await at('screen', {
        options: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true },
    });

    await page.getByLabel('Tools').tap();
    await page.locator('#keyboard').waitFor();
    await shot(page, 'cluster-phone');
});

check('the keyboard alone opens the screen and comes back from it', [], async () => {
    const page = await person();
    const focused = (selector) => page.evaluate((s) => document.activeElement.matches(s), selector);

    await openAt(page, URL_, `/${NAMESPACE}`, TOKEN);
    await page.getByLabel(`Screen of ${NAME}`, { exact: true }).waitFor();
    for (let i = 0; i < 100 && !await focused(`[aria-label="Screen of ${NAME}"]`); i++)
        await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await live(page);
    await until('keys go to the machine', () => focused('canvas'));
    await page.keyboard.press('Control+Alt+Shift+KeyQ');
    await until('the keyboard is back', () => focused('.tab'));
});
