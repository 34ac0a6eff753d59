// SPDX-License-Identifier: Apache-2.0
/* A real QEMU with the guest of guest.S: its screen and serial port as sockets, its picture as PNG. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('guest.S', import.meta.url));
const START_MS = 30000;

function assemble(folder) {
    const at = (name) => path.join(folder, name);

    execFileSync('as', ['--32', '-o', at('guest.o'), SOURCE]);
    execFileSync('ld', ['-m', 'elf_i386', '--oformat', 'binary', '-Ttext', '0x7c00',
                        '-o', at('disk.img'), at('guest.o')]);
    return at('disk.img');
}

/** @returns {Promise<{vnc: string, serial: string, picture: () => Promise<Buffer>, stop: () => Promise<void>}>} */
export async function startGuest() {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'guest-'));
    const at = (name) => path.join(folder, name);
    const qemu = spawn('qemu-system-x86_64', [
        '-nodefaults', '-machine', 'pc,accel=tcg', '-m', '16', '-vga', 'std', '-display', 'none',
        '-drive', `file=${assemble(folder)},format=raw,if=ide,readonly=off`,
        '-vnc', `unix:${at('vnc')}`,
        '-serial', `unix:${at('serial')},server=on,wait=off`,
        '-qmp', `unix:${at('qmp')},server=on,wait=off`,
    ], { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = new Promise((resolve) => qemu.once('exit', resolve));

    for (const end = Date.now() + START_MS; !['vnc', 'serial', 'qmp'].every((n) => existsSync(at(n)));) {
        if (Date.now() > end || qemu.exitCode !== null)
            throw new Error('qemu did not start');
        await sleep(50);
    }
    return {
        vnc: at('vnc'),
        serial: at('serial'),
        async picture() {
            await qmp(at('qmp'), 'screendump', { filename: at('screen.png'), format: 'png' });
            return readFileSync(at('screen.png'));
        },
        async stop() {
            qemu.kill();
            await ended;
            rmSync(folder, { recursive: true });
        },
    };
}

/* One command over a connection of its own. */
function qmp(socket, command, args) {
    return new Promise((resolve, reject) => {
        const peer = net.connect(socket);
        const asks = [{ execute: 'qmp_capabilities' }, { execute: command, arguments: args }];
        let text = '';

        peer.on('error', reject);
        peer.on('data', (data) => {
            text += data;
            const lines = text.split('\n');
            text = lines.pop();
            for (const answer of lines.map((line) => JSON.parse(line))) {
                if (answer.error) {
                    reject(new Error(answer.error.desc));
                    peer.destroy();
                } else if (answer.QMP || (answer.return && asks.length)) {
                    peer.write(`${JSON.stringify(asks.shift())}\n`);
                } else if (answer.return) {
                    peer.destroy();
                    resolve();
                }
            }
        });
    });
}
