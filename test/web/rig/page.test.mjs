// SPDX-License-Identifier: Apache-2.0
/* The page in a real browser, against the rig: no cluster, one real QEMU. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
    canvasPicture, keep, live, newPage, openAt, shot, startBrowser, terminalText, typeKeys, until,
} from '../browser.mjs';
import { difference, isBlank, matchesGolden } from '../picture.mjs';
import { machine, startRig } from '../rig.mjs';

let rig;
let browser;
let pages;

before(async () => {
    [rig, browser] = await Promise.all([startRig(), startBrowser()]);
});

after(async () => {
    await browser?.close();
    await rig?.stop();
});

beforeEach(() => {
    pages = [];
    rig.auth = 'bearer';
    rig.machines = [machine('alpha')];
    rig.refusal = null;
    rig.puts = [];
});

afterEach(async () => {
    const complaints = pages.flatMap((p) => p.complaints);

    await Promise.all(pages.map((p) => p.context().close()));
    assert.deepEqual(complaints, []);
});

async function person(options) {
    const page = await newPage(browser, options);

    pages.push(page);
    return page;
}

async function atScreen(options, token = 'admin') {
    const page = await person(options);

    await openAt(page, rig.url, '/demo/alpha/screen', token);
    await live(page);
    return page;
}

async function atConsole(token = 'admin') {
    const page = await person();

    await openAt(page, rig.url, '/demo/alpha/console', token);
    await live(page);
    return page;
}

async function choose(page, menu, item) {
    await page.locator(`#${menu}`).click();
    await page.locator(`#${menu}-menu`).getByText(item, { exact: true }).click();
}

function sessionLabel(page) {
    return page.locator('#session .label').textContent();
}

/* Typing takes a few of the guest's ticks to be seen. */
async function screenChanges(page, since) {
    await until('the screen changes', async () => difference(since, await canvasPicture(page)) > 0);
}

test('asks to sign in, says what is wrong with a token, and takes a good one', async () => {
    const page = await person();

    await openAt(page, rig.url, '/demo/alpha/screen');
    await page.getByLabel('Token').waitFor();
    matchesGolden('sign-in', await shot(page, 'sign-in'));
    await page.getByLabel('Token').fill('nobody');
    await page.keyboard.press('Enter');
    await page.getByText('does not know this token').waitFor();
    await page.getByLabel('Token').fill('admin');
    await page.keyboard.press('Enter');
    await live(page);
});

test('a token in the link signs in and leaves the address at once', async () => {
    const page = await atScreen();

    assert.equal(new URL(page.url()).hash, '#/demo/alpha/screen');
});

test('a token that ends meanwhile leads back to the sign-in, with the reason', async () => {
    const page = await atScreen();

    rig.users.admin = undefined;
    await page.getByText('Please sign in again').waitFor();
    rig.users.admin = /./;
});

test('nobody is asked for a token where the proxy knows who it is', async () => {
    rig.auth = 'none';
    const page = await person();

    await openAt(page, rig.url, '/demo/alpha/screen');
    await live(page);
});

test('the page works below the path of the API server too', async () => {
    const page = await person();

    await openAt(page, rig.url.replace('/ui/', '/apis/subresources.kubevirt.io/v1/ui/'),
        '/demo/alpha/screen', 'admin');
    await live(page);
});

test('a list without machines says so', async () => {
    const page = await person();

    await openAt(page, rig.url, '/empty', 'admin');
    await page.getByText('There are no machines in empty.').waitFor();
    matchesGolden('no-machines', await shot(page, 'no-machines'));
});

test('the list shows pictures of running machines and opens no session', async () => {
    rig.machines.push(machine('beta', 'Stopped'), machine('gamma', 'Starting'));
    const page = await person();

    await openAt(page, rig.url, '/demo', 'admin');
    await page.locator('.machine img:visible').waitFor();
    assert.equal(await page.locator('.machine').count(), 3);
    assert.equal(await page.locator('.machine img:visible').count(), 1);
    assert.equal(rig.sessions.length, 0);
    await shot(page, 'list');
    await page.getByLabel('Screen of alpha').click();
    await live(page);
});

test('shows the guest’s screen as a screenshot of it shows it', async () => {
    const page = await atScreen();

    await until('the pictures agree', async () =>
        difference(await rig.guest.picture(), await canvasPicture(page)) < 0.001);
    assert.ok(!isBlank(await canvasPicture(page)));
    await shot(page, 'screen');
});

test('typing reaches the guest, and two people see it', async () => {
    const [one, two] = [await atScreen(), await atScreen()];
    const before = await canvasPicture(two);

    await until('both are counted', async () => await sessionLabel(one) === 'In control · 1 other');
    await one.locator('.screen canvas').focus();
    await typeKeys(one, 'Hello, [you] & "me"');
    await screenChanges(two, before);
    await until('they see the same', async () =>
        difference(await canvasPicture(one), await canvasPicture(two)) < 0.001);
    await shot(two, 'two-people');
});

test('who only watches cannot type', async () => {
    const page = await atScreen();

    await choose(page, 'session', 'Only watch');
    await until('it is told', async () => await sessionLabel(page) === 'Watching');
    await live(page);
    const before = await canvasPicture(page);
    await page.locator('.screen canvas').click();
    await page.keyboard.type('not this');
    await sleep(1000);
    assert.equal(difference(before, await canvasPicture(page)), 0);
    assert.equal(await page.locator('#paste').isDisabled(), true);
    await shot(page, 'watching');
});

test('taking over makes the other a watcher, who stays one after a reconnection', async () => {
    const [one, two] = [await atScreen(), await atScreen()];

    await choose(two, 'session', 'Take over');
    await until('one watches', async () => await sessionLabel(one) === 'Watching · 1 other');
    await until('two types', async () => await sessionLabel(two) === 'In control · 1 other');
    rig.sessions.find((s) => s.role === 'observer').socket.terminate();
    await until('one is back', async () => await sessionLabel(one) === 'Watching · 1 other');
});

test('a session that was taken over by an exclusive one waits for the user', async () => {
    const page = await atScreen();

    rig.cut(1000, 'taken over by a new session');
    await page.getByRole('heading', { name: 'Somebody else took over' }).waitFor();
    await sleep(1500);
    assert.equal(rig.sessions.length, 0);
    await shot(page, 'taken-over');
    await page.getByRole('button', { name: 'Join again' }).click();
    await live(page);
});

test('comes back by itself after the server went away, and says why it was gone', async () => {
    const page = await atScreen();

    rig.refusal = { code: 503, message: 'virt-handler of node n1 is starting' };
    rig.cut(1001, 'virt-api is going away');
    await page.getByText('virt-handler of node n1 is starting.').waitFor();
    await page.locator('.last-picture canvas').waitFor();
    await shot(page, 'reconnecting');
    rig.refusal = null;
    await live(page);
    await page.locator('.last-picture canvas').waitFor({ state: 'detached' });
});

test('a paused machine says so', async () => {
    const page = await atScreen();

    rig.machines[0].paused = true;
    await page.getByText('Connected; the machine is paused').waitFor();
    await choose(page, 'power', 'Resume');
    await until('resume was asked', () => rig.puts.includes('virtualmachineinstances/alpha/unpause'));
});

test('a connection that is lost without a word comes back', async () => {
    const page = await atScreen();

    rig.cut();
    await until('it was lost', async () => rig.sessions.length === 0);
    await live(page);
    await until('it is back', async () => rig.sessions.length === 1);
});

test('a refusal that waiting does not cure is shown and not repeated', async () => {
    rig.refusal = { code: 403, message: 'no rights to vnc of alpha' };
    const page = await person();

    await openAt(page, rig.url, '/demo/alpha/screen', 'admin');
    await page.getByText('No rights to vnc of alpha.').waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
});

test('a machine that does not run is started from here, and its screen follows', async () => {
    rig.machines = [machine('alpha', 'Stopped')];
    const page = await person();

    await openAt(page, rig.url, '/demo/alpha/screen', 'admin');
    await page.getByRole('heading', { name: 'alpha is not running' }).waitFor();
    await page.getByRole('button', { name: 'Start' }).waitFor();
    await shot(page, 'stopped');
    await page.getByRole('button', { name: 'Start' }).click();
    await until('start was asked', () => rig.puts.includes('virtualmachines/alpha/start'));
    rig.machines = [machine('alpha', 'Starting')];
    await page.locator('.overlay').getByText('Starting').waitFor();
    rig.machines = [machine('alpha')];
    await live(page);
});

test('stop asks first, then stops', async () => {
    const page = await atScreen();

    await page.locator('#power').click();
    matchesGolden('power-menu', await page.locator('#power-menu').screenshot());
    await page.locator('#power-menu').getByText('Stop', { exact: true }).click();
    await shot(page, 'confirm-stop');
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(rig.puts, []);
    await choose(page, 'power', 'Stop');
    await page.locator('dialog').getByRole('button', { name: 'Stop' }).click();
    await until('stop was asked', () => rig.puts.includes('virtualmachines/alpha/stop'));
});

test('who may only read sees no power menu', async () => {
    const page = await atScreen({}, 'reader');

    await page.locator('#camera').waitFor();
    assert.equal(await page.locator('#power').isVisible(), false);
});

test('combinations and pasted text are typed key by key', async () => {
    const page = await atScreen();
    const before = await canvasPicture(page);

    await page.locator('#keys').click();
    await page.getByText('Ctrl + Alt + F2', { exact: true }).waitFor();
    matchesGolden('keys-menu', await page.locator('#keys-menu').screenshot());
    await page.keyboard.press('Escape');
    await page.locator('#paste').click();
    await page.locator('dialog').getByLabel('Text').fill('echo "ok" > /dev/null; #~{}|');
    await shot(page, 'paste');
    await page.locator('dialog').getByRole('button', { name: 'Type' }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await screenChanges(page, before);
    await shot(page, 'pasted');
});

test('a screenshot is saved under the machine’s name', async () => {
    const page = await atScreen();
    const saved = page.waitForEvent('download');

    await page.locator('#camera').click();
    assert.match((await saved).suggestedFilename(), /^alpha-20.*\.png$/);
});

test('the screen fits the window or has its own size', async () => {
    const page = await atScreen();
    const width = async () => (await page.locator('.screen canvas').boundingBox()).width;

    assert.ok(await width() > 800);
    await choose(page, 'view', 'Actual size');
    await until('its own size', async () => Math.round(await width()) === 720);
});

test('all of it works from the keyboard, and the keyboard comes back', async () => {
    const page = await person();

    await openAt(page, rig.url, '/demo', 'admin');
    await page.getByLabel('Screen of alpha').waitFor();
    for (let i = 0; i < 10 && !await focusedIs(page, '.thumb'); i++)
        await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await live(page);
    await until('keys go to the machine', () => focusedIs(page, 'canvas'));
    await page.getByText('Ctrl + Alt + Shift + Q gives them back').waitFor();
    await page.keyboard.press('Control+Alt+Shift+KeyQ');
    await until('the keyboard is back', () => focusedIs(page, '.tab'));
    for (let i = 0; i < 10 && !await focusedIs(page, '#power'); i++)
        await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.locator('#power-menu').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Escape');
    await until('focus returns to the button', () => focusedIs(page, '#power'));
    await shot(page, 'keyboard-only');
});

function focusedIs(page, selector) {
    return page.evaluate((s) => document.activeElement.matches(s), selector);
}

test('a phone has everything in one menu and its own keyboard', async () => {
    const page = await atScreen({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
    const before = await canvasPicture(page);

    await shot(page, 'phone');
    await page.getByLabel('Tools').tap();
    await page.locator('#keyboard').waitFor();
    matchesGolden('phone-tools', await shot(page, 'phone-tools'), 0.03);
    await page.locator('#keyboard').tap();
    await page.locator('#tools').waitFor({ state: 'hidden' });
    await page.keyboard.type('from a phone');
    await screenChanges(page, before);
    const overflow = await page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0);
});

test('the console shows what the guest says and types what the user does', async () => {
    const page = await atConsole();

    await page.locator('.xterm').click();
    await page.keyboard.press('Enter');
    await until('the prompt', async () => /guest echo>/.test(await terminalText(page)));
    await page.keyboard.type('uname -a');
    await until('the echo', async () => /echo> uname -a/.test(await terminalText(page)));
    await shot(page, 'console');
    const colour = await page.locator('.xterm-rows span', { hasText: 'echo' }).first()
        .evaluate((e) => getComputedStyle(e).color);
    assert.equal(colour, 'rgb(255, 160, 60)');
});

test('the second at a console reads until it takes over', async () => {
    const [one, two] = [await atConsole(), await atConsole()];

    await until('two reads', async () => await sessionLabel(two) === 'Watching · 1 other');
    await one.locator('.xterm').click();
    await one.keyboard.type('\rfrom one');
    await until('two sees it', async () => /from one/.test(await terminalText(two)));
    await choose(two, 'session', 'Take over');
    await until('one reads', async () => await sessionLabel(one) === 'Watching · 1 other');
    await two.locator('.xterm').click();
    await two.keyboard.type('\rfrom two');
    await until('one sees it', async () => /from two/.test(await terminalText(one)));
});

test('a dark page for dark rooms', async () => {
    rig.machines.push(machine('beta', 'Stopped'));
    const page = await person({ colorScheme: 'dark' });

    await openAt(page, rig.url, '/demo', 'admin');
    await page.locator('.machine img:visible').waitFor();
    keep('list-dark.png', await page.screenshot());
    await page.getByLabel('Screen of alpha').click();
    await live(page);
    await page.locator('#power').click();
    await shot(page, 'screen-dark');
});
