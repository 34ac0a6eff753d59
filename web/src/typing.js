// SPDX-License-Identifier: Apache-2.0
/*
 * Text as key strokes.  A stroke is what noVNC's sendKey takes: a keysym (X11's number of what the key
 * means) and a code (which key of a US keyboard it is).  With the code QEMU sends the guest that very
 * key; without, it looks for one that gives the keysym.  Pure.
 */

/** @typedef {{keysym: number, code: string, shift: boolean}} Stroke */

export const KEYSYM = {
    BackSpace: 0xff08,
    Tab: 0xff09,
    Return: 0xff0d,
    Escape: 0xff1b,
    Delete: 0xffff,
    Print: 0xff61,
    F1: 0xffbe,
    Shift_L: 0xffe1,
    Control_L: 0xffe3,
    Alt_L: 0xffe9,
    Super_L: 0xffeb,
};

/* Plain characters, the same keys with Shift, and the keys' codes. */
const US_KEYBOARD = [
    ['`1234567890-=', '~!@#$%^&*()_+',
     'Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal'],
    ['qwertyuiop[]\\', 'QWERTYUIOP{}|',
     'KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Backslash'],
    ["asdfghjkl;'", 'ASDFGHJKL:"',
     'KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote'],
    ['zxcvbnm,./', 'ZXCVBNM<>?',
     'KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash'],
    [' ', '', 'Space'],
];

const CONTROLS = {
    '\n': { keysym: KEYSYM.Return, code: 'Enter', shift: false },
    '\t': { keysym: KEYSYM.Tab, code: 'Tab', shift: false },
    '\b': { keysym: KEYSYM.BackSpace, code: 'Backspace', shift: false },
    '\x1b': { keysym: KEYSYM.Escape, code: 'Escape', shift: false },
};

/** @type {Map<string, Stroke>} */
const keys = new Map(Object.entries(CONTROLS));
for (const [plain, shifted, codes] of US_KEYBOARD) {
    const names = codes.split(' ');
    for (const [characters, shift] of [[plain, false], [shifted, true]])
        [...characters].forEach((c, i) =>
            keys.set(c, { keysym: c.codePointAt(0), code: names[i], shift }));
}

/* Latin-1 has its own numbers as keysyms; all else is 0x01000000 and the code point. */
function unicodeKeysym(codePoint) {
    return codePoint >= 0xa0 && codePoint <= 0xff ? codePoint : 0x01000000 | codePoint;
}

/**
 * @param {string} text line ends of any kind become Enter; other control characters are left out
 * @returns {Stroke[]}
 */
export function strokes(text) {
    const list = [];

    for (const c of text.replace(/\r\n?/g, '\n')) {
        const key = keys.get(c);
        if (key)
            list.push(key);
        else if (c.codePointAt(0) >= 0xa0)
            list.push({ keysym: unicodeKeysym(c.codePointAt(0)), code: '', shift: false });
    }
    return list;
}

/**
 * What was typed into a text field between two looks at it, as text to type: one backspace for each
 * character that went away, then what came.  On-screen keyboards tell no more than that.
 */
export function edits(before, after) {
    const old = [...before];
    const now = [...after];
    let same = 0;

    while (same < old.length && same < now.length && old[same] === now[same])
        same++;
    return '\b'.repeat(old.length - same) + now.slice(same).join('');
}

/**
 * The combinations that a browser or its desktop would keep for itself.
 * @type {{label: string, keys: [number, string][]}[]}
 */
export const COMBINATIONS = [
    { label: 'Ctrl + Alt + Del', keys: [ctrl(), alt(), [KEYSYM.Delete, 'Delete']] },
    { label: 'Ctrl + Alt + Backspace', keys: [ctrl(), alt(), [KEYSYM.BackSpace, 'Backspace']] },
    { label: 'Alt + Tab', keys: [alt(), [KEYSYM.Tab, 'Tab']] },
    { label: 'Alt + F4', keys: [alt(), [KEYSYM.F1 + 3, 'F4']] },
    { label: 'Windows key', keys: [[KEYSYM.Super_L, 'MetaLeft']] },
    { label: 'Print screen', keys: [[KEYSYM.Print, 'PrintScreen']] },
    { label: 'Escape', keys: [[KEYSYM.Escape, 'Escape']] },
    { label: 'Tab', keys: [[KEYSYM.Tab, 'Tab']] },
    ...Array.from({ length: 12 }, (_, i) => ({
        label: `Ctrl + Alt + F${i + 1}`,
        keys: [ctrl(), alt(), [KEYSYM.F1 + i, `F${i + 1}`]],
    })),
];

function ctrl() {
    return [KEYSYM.Control_L, 'ControlLeft'];
}

function alt() {
    return [KEYSYM.Alt_L, 'AltLeft'];
}

/**
 * Press these in order, release them in the other.
 * @param {(keysym: number, code: string, down: boolean) => void} send
 */
export function sendCombination(send, combination) {
    for (const [keysym, code] of combination)
        send(keysym, code, true);
    for (const [keysym, code] of [...combination].reverse())
        send(keysym, code, false);
}

/** One stroke, with Shift around it where the key needs it. */
export function sendStroke(send, { keysym, code, shift }) {
    const key = [keysym, code];

    sendCombination(send, shift ? [[KEYSYM.Shift_L, 'ShiftLeft'], key] : [key]);
}
