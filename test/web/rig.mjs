// SPDX-License-Identifier: Apache-2.0
/*
 * A stand-in for virt-api as the page sees it: the bundle under the real headers, the few
 * answers of the Kubernetes API that the page asks for, and the streams of one real QEMU
 * (guest.mjs).  Tests change its `machines`, `users` and `refusal` as they like.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

import { startGuest } from './guest.mjs';

const BUNDLE = process.env.WEB_BUNDLE ??
    fileURLToPath(new URL('../../build/web', import.meta.url));

export const POLICY = [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
    "connect-src 'self'", "font-src 'self'", "base-uri 'none'", "form-action 'none'",
    "frame-ancestors 'none'",
].join('; ');

const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.svg': 'image/svg+xml',
    '.txt': 'text/plain; charset=utf-8',
};

const PAGE = /^(\/apis\/subresources\.kubevirt\.io\/v1)?\/ui\/([^/?]*)$/;
const OBJECT = /^\/apis\/kubevirt\.io\/v1\/namespaces\/([^/]+)\/(virtualmachines|virtualmachineinstances)(?:\/([^/]+))?$/;
const SUBRESOURCE = /^\/apis\/subresources\.kubevirt\.io\/v1\/namespaces\/([^/]+)\/(virtualmachines|virtualmachineinstances)\/([^/]+)\/(.+)$/;
const REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** A machine as the rig keeps it: enough to make both of its objects from. */
export function machine(name, state = 'Running') {
    return { name, state, paused: false };
}

function virtualMachine({ name, state, paused }) {
    return {
        apiVersion: 'kubevirt.io/v1',
        kind: 'VirtualMachine',
        metadata: { name, namespace: 'demo' },
        spec: { runStrategy: state === 'Stopped' ? 'Halted' : 'Always' },
        status: { printableStatus: paused ? 'Paused' : state },
    };
}

function instance({ name, state, paused }) {
    if (state === 'Stopped')
        return null;
    return {
        apiVersion: 'kubevirt.io/v1',
        kind: 'VirtualMachineInstance',
        metadata: { name, namespace: 'demo' },
        status: {
            phase: state === 'Running' ? 'Running' : 'Scheduling',
            conditions: paused ? [{ type: 'Paused', status: 'True' }] : [],
        },
    };
}

export async function startRig({ auth = 'bearer' } = {}) {
    const guest = await startGuest();
    const server = http.createServer();
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: chooseProtocol });
    const rig = {
        guest,
        auth,
        users: { admin: /./, reader: /^get / }, /* token: what it may do, as "VERB SUBRESOURCE" */
        machines: [machine('alpha')],
        refusal: null, /* {code, message} for every stream */
        puts: [],
        sessions: [], /* {socket, stream, mode, role, token} */
        url: '',
        screen: () => connectTo(guest.vnc),
        /** End all streams as a server does that goes away, or without a word. */
        cut(code, reason) {
            for (const { socket } of rig.sessions)
                code ? socket.close(code, reason) : socket.terminate();
        },
        async stop() {
            rig.cut();
            server.closeAllConnections();
            server.close();
            rig.serial?.destroy();
            await guest.stop();
        },
    };

    server.on('request', (request, response) => answer(rig, request, response));
    server.on('upgrade', (request, socket, head) => upgrade(rig, sockets, request, socket, head));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    rig.url = `http://127.0.0.1:${server.address().port}/ui/`;
    rig.serial = openSerial(rig);
    return rig;
}

function connectTo(socket) {
    return net.connect(socket).on('error', () => {});
}

function send(response, code, type, body, headers = {}) {
    response.writeHead(code, {
        'Content-Type': type,
        'Content-Security-Policy': POLICY,
        'X-Content-Type-Options': 'nosniff',
        'X-Frame-Options': 'DENY',
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Referrer-Policy': 'no-referrer',
        ...headers,
    });
    response.end(body);
}

function sendJson(response, code, object) {
    send(response, code, 'application/json', JSON.stringify(object));
}

function sendStatus(response, code, message) {
    sendJson(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message });
}

/** @returns {string} the token of a request, wherever it carries it */
function tokenOf(request) {
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    const [, encoded] = /base64url\.bearer\.authorization\.k8s\.io\.([\w-]+)/.exec(offered) ?? [];

    if (encoded)
        return Buffer.from(encoded, 'base64url').toString();
    return (request.headers.authorization ?? '').replace(/^Bearer /, '');
}

function may(rig, request, what) {
    return rig.auth === 'none' || rig.users[tokenOf(request)]?.test(what);
}

async function answer(rig, request, response) {
    const { pathname } = new URL(request.url, rig.url);
    const file = PAGE.exec(pathname)?.[2];

    if (file !== undefined)
        return sendFile(rig, response, file || 'index.html');
    if (rig.auth === 'bearer' && !rig.users[tokenOf(request)])
        return sendStatus(response, 401, 'Unauthorized');
    if (pathname === REVIEW)
        return sendReview(rig, request, response);
    if (OBJECT.test(pathname))
        return sendObjects(rig, response, OBJECT.exec(pathname));
    if (SUBRESOURCE.test(pathname))
        return callSubresource(rig, request, response, SUBRESOURCE.exec(pathname));
    return sendStatus(response, 404, 'there is no such path');
}

function sendFile(rig, response, name) {
    if (name === 'config.json')
        return sendJson(response, 200, { auth: rig.auth });

    const names = readFileSync(path.join(BUNDLE, 'files.txt'), 'utf8').split('\n');
    if (!name || !names.includes(name))
        return sendStatus(response, 404, 'there is no such file');
    return send(response, 200, TYPES[path.extname(name)], readFileSync(path.join(BUNDLE, `${name}.gz`)),
        { 'Content-Encoding': 'gzip' });
}

async function sendReview(rig, request, response) {
    let text = '';
    for await (const piece of request)
        text += piece;

    const { verb, subresource } = JSON.parse(text).spec.resourceAttributes;
    sendJson(response, 201, { status: { allowed: Boolean(may(rig, request, `${verb} ${subresource}`)) } });
}

function sendObjects(rig, response, [, namespace, kind, name]) {
    const make = kind === 'virtualmachines' ? virtualMachine : instance;
    const all = namespace === 'demo' ? rig.machines : [];

    if (!name)
        return sendJson(response, 200, { items: all.map(make).filter(Boolean) });
    const found = all.filter((m) => m.name === name).map(make)[0];
    return found ? sendJson(response, 200, found) : sendStatus(response, 404, `${kind} "${name}" not found`);
}

async function callSubresource(rig, request, response, [, , kind, name, subresource]) {
    const verb = request.method === 'PUT' ? 'update' : 'get';

    if (!may(rig, request, `${verb} ${subresource}`))
        return sendStatus(response, 403, `you may not ${verb} ${kind}/${subresource}`);
    if (verb === 'update') {
        rig.puts.push(`${kind}/${name}/${subresource}`);
        return send(response, 202, 'text/plain', '');
    }
    if (subresource === 'vnc/screenshot')
        return send(response, 200, 'image/png', await rig.guest.picture());
    if (rig.refusal)
        return sendStatus(response, rig.refusal.code, rig.refusal.message);
    return sendStatus(response, 400, `${subresource} is a websocket: send an Upgrade request`);
}

function chooseProtocol(offered) {
    return offered.has('plain.kubevirt.io') ? 'plain.kubevirt.io' : false;
}

function upgrade(rig, sockets, request, socket, head) {
    const url = new URL(request.url, rig.url);
    const [, , , name, stream] = SUBRESOURCE.exec(url.pathname) ?? [];
    const isThere = rig.machines.some((m) => m.name === name && m.state === 'Running');

    if (!isThere || rig.refusal || !may(rig, request, `get ${stream}`)) {
        socket.end(`HTTP/1.1 ${rig.refusal?.code ?? 403} no\r\nConnection: close\r\n\r\n`);
        return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
        const mode = ['observe', 'takeOver', 'shared'].find((m) => url.searchParams.get(m) === 'true');
        join(rig, { socket: ws, stream, mode, token: tokenOf(request), role: '' });
    });
}

/* A session joins, and all of the stream learn their parts anew. */
function join(rig, session) {
    const { socket, stream, mode } = session;
    const others = rig.sessions.filter((s) => s.stream === stream);

    if (mode === 'takeOver')
        others.forEach((s) => (s.role = 'observer'));
    const isBusy = stream === 'console' && others.some((s) => s.role === 'writer');
    session.role = mode === 'observe' || (mode === 'shared' && isBusy) ? 'observer' : 'writer';
    rig.sessions.push(session);
    tellRoles(rig, stream);
    if (stream === 'vnc')
        bridgeScreen(rig, session);
    else
        socket.on('message', (data) => session.role === 'writer' && rig.serial.write(data));
    socket.on('close', () => {
        rig.sessions = rig.sessions.filter((s) => s !== session);
        tellRoles(rig, stream);
    });
}

function tellRoles(rig, stream) {
    const all = rig.sessions.filter((s) => s.stream === stream);

    for (const { socket, role } of all)
        socket.send(JSON.stringify({ role, sessions: all.length }));
}

function bridgeScreen(rig, session) {
    const peer = rig.screen();

    peer.on('data', (data) => session.socket.send(data));
    peer.on('close', () => session.socket.close(1000));
    session.socket.on('message', (data) => peer.write(data));
    session.socket.on('close', () => peer.destroy());
}

/* One connection for all consoles, as virt-handler has. */
function openSerial(rig) {
    const peer = connectTo(rig.guest.serial);

    peer.on('data', (data) => {
        for (const { socket, stream } of rig.sessions)
            if (stream === 'console')
                socket.send(data);
    });
    return peer;
}

/* Run by hand: a page to look at. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const rig = await startRig({ auth: 'none' });
    rig.machines.push(machine('beta', 'Stopped'), machine('gamma', 'Starting'));
    console.log(`${rig.url}#/demo`);
}
