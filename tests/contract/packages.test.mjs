// The size of scripts, with packages of every kind that integrations use.

import assert from 'node:assert/strict';
import test from 'node:test';

import { bundled } from '../../benches/packages.mjs';

test('scripts are no larger than the CLI makes them', async () => {
    const results = await bundled();
    assert.ok(results.length >= 20);
    const large = results.filter(([, cli]) => cli > 20 * 1024);
    assert.ok(large.length >= 15, `${large.length} are large enough to be compared`);
    for (const [name, cli, ours] of large) {
        assert.ok(ours <= 1.01 * cli, `${name} has ${ours} bytes, the CLI's ${cli}`);
    }
    const [cli, ours] = [1, 2].map((column) => results.reduce((sum, result) => sum + result[column], 0));
    assert.ok(ours <= 0.95 * cli, `all together have ${ours} bytes, the CLI's ${cli}`);
});
