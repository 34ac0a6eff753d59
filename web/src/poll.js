// SPDX-License-Identifier: Apache-2.0
/*
 * Do something again and again, one at a time, and only while somebody can see the page.
 */

/**
 * @param {() => Promise<void>} task what it throws is its own business: it must not
 * @param {number} pauseMs between the end of one and the beginning of the next
 * @returns {{now: () => void, stop: () => void}}
 */
export function poll(task, pauseMs) {
    let timer = 0;
    let isBusy = false;
    let isStopped = false;

    async function run() {
        clearTimeout(timer);
        if (isBusy || isStopped || document.hidden)
            return;
        isBusy = true;
        try {
            await task();
        } finally {
            isBusy = false;
            if (!isStopped)
                timer = setTimeout(run, pauseMs);
        }
    }

    document.addEventListener('visibilitychange', run);
    run();
    return {
        now: run,
        stop() {
            isStopped = true;
            clearTimeout(timer);
            document.removeEventListener('visibilitychange', run);
        },
    };
}
