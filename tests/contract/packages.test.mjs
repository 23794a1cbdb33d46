// Scripts with packages of every kind that integrations use: their size, and that they do the same.

import assert from 'node:assert/strict';
import test from 'node:test';

import { bundled } from '../../benches/packages.mjs';

const results = await bundled();

test('scripts answer what the CLI\'s answer', () => {
    assert.ok(results.length >= 20);
    for (const [name, , , cli, ours] of results) {
        assert.ok(!['', 'undefined', '[object Object]'].includes(ours), `${name}: ${ours}`);
        assert.equal(ours, cli, name);
    }
});

test('scripts are no larger than the CLI makes them', () => {
    const large = results.filter(([, cli]) => cli > 20 * 1024);
    assert.ok(large.length >= 15, `${large.length} are large enough to be compared`);
    for (const [name, cli, ours] of large) {
        assert.ok(ours <= 1.01 * cli, `${name} has ${ours} bytes, the CLI's ${cli}`);
    }
    const [cli, ours] = [1, 2].map((column) => results.reduce((sum, result) => sum + result[column], 0));
    assert.ok(ours <= 0.95 * cli, `all together have ${ours} bytes, the CLI's ${cli}`);
});
