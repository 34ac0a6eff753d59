// SPDX-License-Identifier: Apache-2.0
/* Pictures compared, with each other and with golden ones. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';

import { keep } from './browser.mjs';

const GOLDEN = fileURLToPath(new URL('golden/', import.meta.url));

/** @returns {number} the part of the pixels that differ visibly, 0 to 1; other sizes: 1 */
export function difference(a, b, name = '') {
    const [one, two] = [PNG.sync.read(a), PNG.sync.read(b)];

    if (one.width !== two.width || one.height !== two.height)
        return 1;
    const map = new PNG({ width: one.width, height: one.height });
    const count = pixelmatch(one.data, two.data, map.data, one.width, one.height, { threshold: 0.15 });
    if (count && name)
        keep(`${name}-difference.png`, PNG.sync.write(map));
    return count / (one.width * one.height);
}

/** Is anything on it at all? */
export function isBlank(png) {
    const { data } = PNG.sync.read(png);

    for (let i = 4; i < data.length; i += 4)
        if (data[i] !== data[0] || data[i + 1] !== data[1] || data[i + 2] !== data[2])
            return false;
    return true;
}

/**
 * Compare with test/web/golden/NAME.png.  UPDATE=1 writes it instead; look at it before it is committed.
 * @param {number} [most] what part of the pixels may differ: letters fall a little differently with
 *     each version of the browser
 */
export function matchesGolden(name, picture, most = 0.01) {
    const file = `${GOLDEN}${name}.png`;

    if (process.env.UPDATE === '1') {
        mkdirSync(GOLDEN, { recursive: true });
        writeFileSync(file, picture);
        return;
    }
    if (!existsSync(file))
        throw new Error(`${name}: there is no golden picture; UPDATE=1 makes it`);
    const part = difference(readFileSync(file), picture, name);
    if (part > most)
        throw new Error(`${name}: ${(part * 100).toFixed(2)} % of it differ from the golden picture`);
}
