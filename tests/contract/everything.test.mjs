/** Publishes a manifest with every field and a script with every kind of import, and compares both programs. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { assertSameBody } from './support/compare.mjs';
import { publishWithBoth } from './support/publishers.mjs';
import { converse } from './support/workers.mjs';

const fixture = (path) => fileURLToPath(new URL(`fixtures/${path}`, import.meta.url));
const options = {
    variables: { FIRST: '1st $& \\ "', SECOND: 'line 1\nline 2' },
    programs: fixture('programs'),
};
const publish = (environment) => publishWithBoth(fixture('everything'), { ...options, environment });

describe('a manifest with every field', () => {
    let cli, ours;
    before(async () => ({ cli, ours } = await publish()));

    test('is published under the same name, with the same fields', () => {
        assert.equal(ours.path, '/v1/integrations/Every-Thing-2');
        assert.equal(ours.path, cli.path);
        assertSameBody(cli.body, ours.body);
    });

    test('reads its secrets from the environment and from 1Password', () => {
        assert.deepEqual(ours.body.secrets, {
            PLAIN: 'as it is, $1 and ${HOME}',
            ONE: '1st $& \\ "',
            TIGHT: '1st $& \\ "',
            TWO: '<1st $& \\ "> and <line 1\nline 2>',
            LINES: '-----BEGIN-----\nline 1\nline 2\n-----END-----\n',
            OPENED: 'opened op://vault/item/field',
            OPENED_QUOTED: 'key=opened op://vault/item/other;',
            EMPTY: '',
        });
    });

    test('has a script with the same responses', async () => {
        const ask = [{ method: 'GET', path: '/' }];
        const answers = await Promise.all([cli, ours].map(({ body }) => converse(body.script, ask)));
        const [theirFacts, ourFacts] = answers.map(([{ body }]) => JSON.parse(body));
        assert.deepEqual(theirFacts.mode, ['production', 'production', 'small']);
        assert.deepEqual(ourFacts, theirFacts);
    });

    // The script is nearly all syntax newer than es2020, and our helper functions for it are longer than the CLI's.
    test('has a script at most 1 KiB larger than that of the CLI', () => {
        const [theirs, own] = [cli, ours].map(({ body }) => Buffer.byteLength(body.script));
        assert.ok(own <= theirs + 1024, `our script is ${own} bytes; the script of the CLI is ${theirs}`);
    });
});

for (const environment of ['other', 'fewer']) {
    test(`the environment ${environment} replaces the same fields completely`, async () => {
        const { cli, ours } = await publish(environment);
        const plain = await publish();
        assert.notDeepEqual(cli.body, plain.cli.body);
        assertSameBody(cli.body, ours.body);
    });
}
