/** Serves a release on loopback: archives of the binary, their checksums, and failures. */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { BINARY, ROOT, succeed, workspace } from './program.mjs';

export const VERSION = '1.2.3';

/** The targets of a release, each with the format of its archive. */
export const TARGETS = {
    'x86_64-unknown-linux-musl': 'tar.gz',
    'aarch64-unknown-linux-musl': 'tar.gz',
    'x86_64-apple-darwin': 'tar.gz',
    'aarch64-apple-darwin': 'tar.gz',
    'x86_64-pc-windows-msvc': 'zip',
};

export const archiveOf = (target) => `gitbook-deploy-${VERSION}-${target}.${TARGETS[target]}`;

let made;

/** Returns the bytes of each archive by name, created once. All contain the binary of this machine. */
export const archives = (t) => (made ??= make(t));

async function make(t) {
    const folder = await workspace(t, { 'README.md': 'README.md' });
    await cp(BINARY, join(folder, 'gitbook-deploy'));
    await succeed('tar', ['-cf', 'a.tar', 'README.md', 'gitbook-deploy'], { cwd: folder });
    await succeed('gzip', ['-1', 'a.tar'], { cwd: folder });
    await rename(join(folder, 'gitbook-deploy'), join(folder, 'gitbook-deploy.exe'));
    await succeed('python3', ['-m', 'zipfile', '-c', 'a.zip', 'README.md', 'gitbook-deploy.exe'], { cwd: folder });
    const bytes = { 'tar.gz': await readFile(join(folder, 'a.tar.gz')), zip: await readFile(join(folder, 'a.zip')) };
    return Object.fromEntries(Object.entries(TARGETS).map(([target, form]) => [archiveOf(target), bytes[form]]));
}

/** Returns `SHA256SUMS` as a release commits it. */
export function checksums(archives) {
    const line = ([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`;
    return Object.entries(archives)
        .map(line)
        .sort((a, b) => a.slice(66).localeCompare(b.slice(66)))
        .join('');
}

/**
 * Starts a server with the release of one repository that records its requests. It is also the proxy for other servers, and
 * rejects all connections to them. `answer` can replace a response.
 */
export async function releaseServer(t, archives, { repository = 'gitbook-deploy/gitbook-deploy', answer } = {}) {
    const asked = [];
    const server = createServer((request, response) => {
        asked.push(request.url);
        const prefix = `/${repository}/releases/download/v${VERSION}/`;
        const bytes = request.url.startsWith(prefix) && archives[request.url.slice(prefix.length)];
        if (answer) {
            answer(response, bytes);
        } else {
            response.writeHead(bytes ? 200 : 404).end(bytes || 'Not Found');
        }
    });
    server.on('connect', (request, socket) => {
        asked.push(request.url);
        socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    t.after(() => {
        server.closeAllConnections();
        server.close();
    });
    const url = `http://127.0.0.1:${server.address().port}`;
    return { url, asked, env: { GITHUB_SERVER_URL: url, https_proxy: url, no_proxy: '127.0.0.1' } };
}

/** Copies the action to a folder; with checksums, the copy is a release. */
export async function actionAt(folder, sums) {
    await mkdir(join(folder, 'scripts'), { recursive: true });
    await cp(join(ROOT, 'action.yml'), join(folder, 'action.yml'));
    await cp(join(ROOT, 'scripts/action-install'), join(folder, 'scripts/action-install'));
    if (sums) {
        await writeFile(join(folder, 'SHA256SUMS'), sums);
    }
    return folder;
}
