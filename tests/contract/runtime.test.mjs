/** Checks that our script loads in the Workers runtime, behaves like that of the CLI, and is no larger. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { assertNoLarger } from './support/compare.mjs';
import { examples } from './support/examples.mjs';
import { publishWithBoth } from './support/publishers.mjs';
import { converse } from './support/workers.mjs';

for (const { name, folder, variables, outside, conversation } of examples) {
    describe(`the script of the example ${name}`, () => {
        let scripts, cli, ours;
        before(async () => {
            const published = await publishWithBoth(folder, { variables });
            scripts = [published.cli.body.script, published.ours.body.script];
            const requests = conversation.map(({ ask }) => ask);
            [cli, ours] = await Promise.all(scripts.map((script) => converse(script, requests, outside)));
        });

        for (const [index, { says, status, answer = /^/, location = /^/, calls = /^$/ }] of conversation.entries()) {
            test(`responds to ${says}`, () => {
                assert.deepEqual(ours[index], cli[index]);
                assert.equal(ours[index].status, status, ours[index].body);
                assert.match(ours[index].body, answer);
                assert.match(ours[index].location ?? '', location);
                assert.match(ours[index].calls.join('\n'), calls);
            });
        }

        test('is no larger than that of the CLI', () => {
            assertNoLarger(...scripts);
        });
    });
}
