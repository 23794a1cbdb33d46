/** Serves a release archive of the binary for the templates, on loopback. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, dirname, join } from 'node:path';

import { BINARY, succeed, workspace } from './program.mjs';

const DEPLOY_VERSION = '9.8.7';
const ARCHIVE = `gitbook-deploy-${DEPLOY_VERSION}-x86_64-unknown-linux-musl.tar.gz`;

/**
 * Serves the archive for the duration of a test. Returns the variables of a template for it, and `requests`: the requested
 * paths with their times.
 */
export async function download(t) {
    const folder = await workspace(t, {});
    const archive = join(folder, ARCHIVE);
    // Fast compression is enough: the tests are about the download.
    const args = ['--create', '--file', archive, '--use-compress-program', 'gzip -1', '--directory', dirname(BINARY)];
    await succeed('tar', [...args, '--transform', 's/.*/gitbook-deploy/', basename(BINARY)]);
    const bytes = await readFile(archive);
    const requests = [];
    const server = createServer((request, response) => {
        requests.push({ path: request.url, at: performance.now() });
        const found = request.url === `/releases/v${DEPLOY_VERSION}/${ARCHIVE}`;
        response.writeHead(found ? 200 : 404).end(found ? bytes : '');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const DEPLOY_URL = `http://127.0.0.1:${server.address().port}/releases`;
    const DEPLOY_SHA256 = createHash('sha256').update(bytes).digest('hex');
    return { variables: { DEPLOY_VERSION, DEPLOY_SHA256, DEPLOY_URL }, requests };
}

/** A valid SHA-256 checksum that does not match the archive. */
export const WRONG_SHA256 = createHash('sha256').update('something else').digest('hex');
