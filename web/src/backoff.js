// SPDX-License-Identifier: Apache-2.0
/* How long to wait before the next try.  Pure: the caller brings the random number. */

const FIRST_MS = 500;
const MOST_MS = 15000;

/**
 * Twice as long after each failure, up to 15 s.  A random part of up to a half keeps the pages of
 * many people from coming back in the same moment after virt-api restarted.
 *
 * @param {number} failures how many tries have failed in a row, from 1
 * @param {number} random in [0, 1)
 * @returns {number} milliseconds
 */
export function delayAfter(failures, random) {
    const whole = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));

    return Math.round(whole * (1 - random / 2));
}
