// SPDX-License-Identifier: Apache-2.0
/* A real Chromium, and what the tests do with its pages again and again. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

import { strokes } from '../../web/src/typing.js';

export const OUT = process.env.WEB_OUT ?? fileURLToPath(new URL('out', import.meta.url));

export function startBrowser() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
               '--disable-background-networking', '--disable-component-update', '--disable-sync',
               '--font-render-hinting=none', '--force-color-profile=srgb'],
    });
}

/**
 * A page of a person of its own.  `page.complaints` gathers what should never be: broken policy,
 * exceptions, requests to other hosts.
 */
export async function newPage(browser, options = {}) {
    const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        ignoreHTTPSErrors: true,
        acceptDownloads: true,
        ...options,
    });
    const page = await context.newPage();

    page.complaints = [];
    page.on('pageerror', (e) => page.complaints.push(`exception: ${e.message}`));
    page.on('console', (m) => {
        if (/Content.Security.Policy|Refused to/i.test(m.text()))
            page.complaints.push(m.text());
    });
    page.on('request', (r) => {
        const url = new URL(r.url());
        if (page.home && /^(http|ws)/.test(url.protocol) && url.host !== page.home)
            page.complaints.push(`foreign host: ${url.host}`);
    });
    page.on('dialog', (d) => page.complaints.push(`dialog: ${d.message()}`));
    page.setDefaultTimeout(Number(process.env.WEB_TIMEOUT_MS ?? 20000));
    return page;
}

/** Open the page at a fragment; a token given goes the way a link brings it. */
export async function openAt(page, url, fragment, token = '') {
    page.home = new URL(url).host;
    await page.goto('about:blank');
    await page.goto(`${url}#${fragment}${token ? `?token=${token}` : ''}`);
}

/** A picture of the page, kept for people to look at. */
export async function shot(page, name) {
    const picture = await page.screenshot();

    keep(`${name}.png`, picture);
    return picture;
}

export function keep(file, bytes) {
    mkdirSync(OUT, { recursive: true });
    writeFileSync(path.join(OUT, file), bytes);
}

/** Until the machine's screen or console is live. */
export async function live(page) {
    await page.locator('.stage[data-phase="live"]').waitFor();
}

/** What the screen shows, in its own size, as PNG. */
export async function canvasPicture(page) {
    const url = await page.locator('.screen canvas').evaluate((c) => c.toDataURL('image/png'));

    return Buffer.from(url.split(',')[1], 'base64');
}

/**
 * Type as a person does, with Shift where a US keyboard needs it.  (Playwright's own type() sends
 * large letters without it, and a guest that is told of keys would see small ones.)
 */
export async function typeKeys(page, text) {
    for (const { code, shift } of strokes(text))
        await page.keyboard.press(shift ? `Shift+${code}` : code, { delay: 20 });
}

/** The text of the terminal, as it stands there. */
export function terminalText(page) {
    return page.locator('.xterm-rows').evaluate((rows) =>
        [...rows.children].map((r) => r.textContent.replace(/\u00a0/g, ' ').trimEnd()).join('\n'));
}

/** Ask again until it is so. */
export async function until(what, isSo, timeoutMs = 20000) {
    const end = Date.now() + timeoutMs;

    for (;;) {
        const last = await isSo();
        if (last)
            return last;
        if (Date.now() > end)
            throw new Error(`waited ${timeoutMs} ms: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}
