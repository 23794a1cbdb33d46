// Checks that the measurements of docs/performance.md can be repeated. No test checks times.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { promisify } from 'node:util';

const compare = fileURLToPath(new URL('../../benches/compare.mjs', import.meta.url));

test('measures both programs with one and with several integrations', async () => {
    const env = { ...process.env, RUNS: '1', COUNTS: '3' };
    const { stdout } = await promisify(execFile)(process.execPath, [compare], { env });
    const rows = stdout.split('\n').map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
    const row = (what) => rows.find(([first]) => first === what);
    assert.match(row('nothing to bundle').join(' '), /^nothing to bundle – \d\.\d{3} s – – \d+ MiB – \d KB /);
    for (const [what, bytes] of [['one integration', 890], ['3 integrations', 3 * 890]]) {
        const [, cli, ours, ratio, cliPeak, peak, cliSent, sent] = row(what);
        for (const time of [cli, ours]) assert.ok(Number.parseFloat(time) > 0, time);
        for (const memory of [cliPeak, peak]) assert.ok(Number.parseFloat(memory) > 5, memory);
        assert.match(ratio, /^1\/\d+\.\d$/);
        // Both programs send the same images as Base64, and scripts of nearly the same size.
        for (const size of [cliSent, sent]) assert.ok(Math.abs(Number.parseFloat(size) / bytes - 1) < 0.05, size);
    }
});
