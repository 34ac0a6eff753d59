// SPDX-License-Identifier: Apache-2.0
/*
 * Bundle the page:  node build.mjs OUTPUT [NODE_MODULES]
 *
 * OUTPUT gets flat files, each also as .gz, and files.txt: the name of each that is served, one a
 * line.  Names of script and styles carry a hash of what is in them, so they may be kept for ever.
 * The same sources give the same bytes.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = path.dirname(fileURLToPath(import.meta.url));
const output = path.resolve(process.argv[2] ?? path.join(here, '../build/web'));
const modules = path.resolve(process.argv[3] ?? path.join(here, 'node_modules'));
const xtermStyles = path.join(here, 'src/xterm_styles.js');
const require = createRequire(pathToFileURL(path.join(modules, 'x.js')));
const { build } = require('esbuild');

/* Whose code is in the bundle, and the files that say under which terms. */
const PACKAGES = {
    '@novnc/novnc': ['LICENSE.txt', 'AUTHORS', 'docs/LICENSE.MPL-2.0', 'docs/LICENSE.BSD-3-Clause',
                     'docs/LICENSE.BSD-2-Clause', 'vendor/pako/LICENSE'],
    '@xterm/xterm': ['LICENSE'],
    '@xterm/addon-fit': ['LICENSE'],
};

/*
 * xterm.js asks the `documentOverride` it is given for most elements, and the global document for the
 * rest.  Within its module the name means ours (src/xterm_styles.js).
 */
const xtermDocument = {
    name: 'xterm-document',
    setup({ onLoad }) {
        onLoad({ filter: /@xterm\/xterm\/lib\/xterm\.mjs$/ }, (args) => ({
            contents: `import { styledDocument as document } from ${JSON.stringify(xtermStyles)};\n` +
                readFileSync(args.path, 'utf8').replaceAll('window.document', 'document'),
            loader: 'js',
        }));
    },
};

async function bundle(entry) {
    const result = await build({
        entryPoints: [path.join(here, entry)],
        nodePaths: [modules],
        plugins: [xtermDocument],
        bundle: true,
        minify: true,
        write: false,
        format: 'esm',
        target: ['es2022'],
        legalComments: 'none', /* third-party.txt has them in full */
        logLevel: 'warning',
    });
    return result.outputFiles[0].contents;
}

function hashed(name, bytes) {
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
    return name.replace('.', `-${hash}.`);
}

function thirdParty() {
    const parts = ['This page contains the packages below.  The source of each is the package of that' +
                   ' name and version in the npm registry.\n'];

    for (const [name, files] of Object.entries(PACKAGES)) {
        const { version, license, homepage } = JSON.parse(read(name, 'package.json'));
        parts.push(`${'='.repeat(78)}\n${name} ${version} (${license})\n${homepage ?? ''}\n`);
        parts.push(...files.map((file) => `--- ${file}\n\n${read(name, file)}`));
    }
    return parts.join('\n');
}

function read(name, file) {
    return readFileSync(path.join(modules, name, file), 'utf8');
}

/* Only files that an earlier build made: the folder may hold others. */
function removeOld() {
    for (const name of readdirSync(output))
        if (/^(app-[0-9a-f]+\.(js|css)|index\.html|icon\.svg|third-party\.txt)(\.gz)?$/.test(name))
            rmSync(path.join(output, name));
}

const script = await bundle('src/main.js');
const styles = await bundle('css/app.css');
const scriptName = hashed('app.js', script);
const stylesName = hashed('app.css', styles);
const page = readFileSync(path.join(here, 'index.html'), 'utf8')
    .replace('"app.js"', `"${scriptName}"`)
    .replace('"app.css"', `"${stylesName}"`);
const files = {
    'index.html': page,
    [scriptName]: script,
    [stylesName]: styles,
    'icon.svg': readFileSync(path.join(here, 'icon.svg')),
    'third-party.txt': thirdParty(),
};

mkdirSync(output, { recursive: true });
removeOld();
for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(output, name), content);
    writeFileSync(path.join(output, `${name}.gz`), gzipSync(content, { level: 9 }));
}
writeFileSync(path.join(output, 'files.txt'),
    Object.keys(files).map((name) => `${name}\n`).join(''));
