// SPDX-License-Identifier: Apache-2.0
/* The machine's serial console: xterm.js over a channel of ours. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';

import { toast } from '../ui/dialog.js';
import { h, icon } from '../ui/dom.js';
import { menuButton } from '../ui/menu.js';
import { styledDocument } from '../xterm_styles.js';

const THEME = {
    background: '#11151c',
    foreground: '#d5dbe5',
    cursor: '#7cc4ff',
    selectionBackground: '#33507a',
};

/* What phones have no keys for, and what browsers keep. */
const KEYS = [
    { label: 'Enter', bytes: '\r' },
    { label: 'Escape', bytes: '\x1b' },
    { label: 'Tab', bytes: '\t' },
    { label: 'Ctrl + C', bytes: '\x03' },
    { label: 'Ctrl + D', bytes: '\x04' },
    { label: 'Ctrl + W', bytes: '\x17' },
    { label: 'Ctrl + Z', bytes: '\x1a' },
    { label: 'Up', bytes: '\x1b[A' },
    { label: 'Down', bytes: '\x1b[B' },
];

/** A surface, as in screen.js. */
export function consoleSurface(stage, context, { changed }) {
    const place = h('div', { class: 'terminal-place' });
    const terminal = new Terminal({
        documentOverride: styledDocument,
        cursorBlink: false,
        fontFamily: '"DejaVu Sans Mono", "Cascadia Mono", Menlo, Consolas, monospace',
        fontSize: 14,
        scrollback: 5000,
        theme: THEME,
    });
    const fit = new FitAddon();
    const encoder = new TextEncoder();
    let channel = null;
    let isWatching = false;

    stage.append(place);
    terminal.loadAddon(fit);
    terminal.open(place);
    terminal.textarea.setAttribute('aria-label',
        `Serial console of ${context.route.name}. Control Alt Shift Q gives the keyboard back.`);
    terminal.onData((text) => send(encoder.encode(text)));
    terminal.onBinary((text) => send(Uint8Array.from(text, (c) => c.charCodeAt(0))));

    const size = new ResizeObserver(() => fit.fit());
    size.observe(place);
    stage.addEventListener('focusin', changed);
    stage.addEventListener('focusout', changed);

    function send(bytes) {
        if (!isWatching)
            channel?.send(bytes);
    }

    const keys = menuButton({ id: 'keys', label: 'Keys', icon: 'keys' }, () =>
        KEYS.map(({ label, bytes }) => ({
            label,
            why: isWatching ? 'You are only watching' : '',
            run() {
                send(encoder.encode(bytes));
                terminal.focus();
            },
        })));
    const paste = h('button', {
        class: 'tool',
        type: 'button',
        id: 'paste',
        title: 'Paste',
        on: { click: pasteText },
    }, icon('paste'), h('span', { class: 'label' }, 'Paste'));

    async function pasteText() {
        try {
            terminal.paste(await navigator.clipboard.readText());
        } catch {
            toast('The browser did not give the clipboard; press Ctrl + Shift + V or Ctrl + V.', 'bad');
        }
        terminal.focus();
    }

    function open(mine, mode) {
        channel = mine;
        isWatching = mode === 'observe';
        mine.onmessage = (event) => terminal.write(new Uint8Array(event.data));
        return () => {
            mine.onmessage = null;
            mine.close();
        };
    }

    return {
        tools: [keys.element, paste],
        wishes: [],
        isReady: () => true,
        open,
        show({ phase, role }) {
            const isNew = phase === 'open' && stage.dataset.phase !== 'live';

            isWatching = role === 'observer' || (isWatching && role === '');
            terminal.options.disableStdin = isWatching || phase !== 'open';
            paste.disabled = terminal.options.disableStdin;
            if (isNew && document.activeElement === document.body)
                terminal.focus();
        },
        hint() {
            if (isWatching)
                return 'What you type stays here';
            return place.contains(document.activeElement)
                ? 'Nothing to see? Press Enter. Ctrl + Alt + Shift + Q gives the keyboard back'
                : 'Click the console, or Tab to it, to type';
        },
        release: () => terminal.blur(),
        end() {
            size.disconnect();
            stage.removeEventListener('focusin', changed);
            stage.removeEventListener('focusout', changed);
            terminal.dispose();
        },
    };
}
