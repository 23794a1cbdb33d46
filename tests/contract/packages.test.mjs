// Compares the size and behavior of scripts with every kind of package that integrations use.

import assert from 'node:assert/strict';
import test from 'node:test';

import { bundled } from '../../benches/packages.mjs';

const results = await bundled();

test('scripts have the same responses as those of the CLI', () => {
    assert.ok(results.length >= 20);
    for (const [name, , , cli, ours] of results) {
        assert.ok(!['', 'undefined', '[object Object]'].includes(ours), `${name}: ${ours}`);
        assert.equal(ours, cli, name);
    }
});

test('scripts are no larger than those of the CLI', () => {
    const large = results.filter(([, cli]) => cli > 20 * 1024);
    assert.ok(large.length >= 15, `only ${large.length} scripts are large enough to compare`);
    for (const [name, cli, ours] of large) {
        assert.ok(ours <= 1.01 * cli, `${name} is ${ours} bytes; the script of the CLI is ${cli}`);
    }
    const [cli, ours] = [1, 2].map((column) => results.reduce((sum, result) => sum + result[column], 0));
    assert.ok(ours <= 0.95 * cli, `all scripts are ${ours} bytes; those of the CLI are ${cli}`);
});
