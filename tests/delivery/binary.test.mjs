import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { test } from 'node:test';

import { STATIC_LIBRARY, needs } from './support/needs.mjs';
import { BINARY, run, workspace } from './support/program.mjs';

const MIB = 1024 * 1024;

test('the binary is at most 20 MiB', async () => {
    const { size } = await stat(BINARY);
    assert.ok(size <= 20 * MIB, `${size} bytes`);
});

test('the binary needs no shared library', needs(STATIC_LIBRARY), async () => {
    // An ELF file contains the path of its dynamic loader in plain text.
    const binary = await readFile(BINARY, 'latin1');
    assert.ok(!/\/lib\S*\/ld-(linux|musl)/.test(binary), 'the binary needs a dynamic loader');
});

test('the binary publishes with only its own variables set', async (t) => {
    const folder = await workspace(t, { hello: 'examples/hello' });
    const env = { GITBOOK_ENDPOINT: 'sandbox', GITBOOK_MODE: 'publish', GITBOOK_SANDBOX_DIR: `${folder}/sandbox` };
    const { code, text } = await run(BINARY, [], { cwd: folder, env });
    assert.equal(code, 0, text);
    assert.match(await readFile(`${folder}/sandbox/hello/integration.json`, 'utf8'), /"name": ?"hello"/);
});
