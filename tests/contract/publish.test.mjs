/** Compares the requests of GitBook's CLI and of our program for each example. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { assertSameBody } from './support/compare.mjs';
import { exampleNamed, examples } from './support/examples.mjs';
import { publishWithBoth } from './support/publishers.mjs';

for (const { name, folder, variables } of examples) {
    describe(`the example ${name}`, () => {
        let cli, ours;
        before(async () => ({ cli, ours } = await publishWithBoth(folder, { variables })));

        test('is published with the same method and path', () => {
            assert.deepEqual([ours.method, ours.path], [cli.method, cli.path]);
        });

        test('is published with the same token and content type', () => {
            assert.match(cli.headers.authorization, /^Bearer \S+$/);
            assert.equal(ours.headers.authorization, cli.headers.authorization);
            assert.equal(ours.headers['content-type'], cli.headers['content-type']);
        });

        test('is published with our name and version as user agent', () => {
            assert.match(ours.headers['user-agent'], /^gitbook-deploy\/\d/);
        });

        test('is published with the same fields', () => {
            assertSameBody(cli.body, ours.body);
        });

        test('is published with the secrets from the environment', () => {
            assert.deepEqual(ours.body.secrets, cli.body.secrets);
            for (const value of Object.values(ours.body.secrets ?? {})) {
                assert.ok(Object.values(variables).some((variable) => value.endsWith(variable)));
            }
        });
    });
}

describe('the example diagram, published for staging', () => {
    let cli, ours;
    before(async () => {
        const { folder, variables } = exampleNamed('diagram');
        ({ cli, ours } = await publishWithBoth(folder, { variables, environment: 'staging' }));
    });

    test('has the organization and the secrets of that environment', () => {
        assert.equal(ours.body.organization, 'acme-staging');
        assert.deepEqual(ours.body.secrets, { AUTHORIZATION: 'Bearer staging-key' });
        assertSameBody(cli.body, ours.body, ['title']);
    });

    test('has the title of that environment, which the CLI 0.25.1 drops', () => {
        assert.deepEqual([cli.body.title, ours.body.title], ['Diagram', 'Diagram (staging)']);
    });
});

test('sends the images of the example diagram unchanged', async () => {
    const { folder, variables } = exampleNamed('diagram');
    const { ours } = await publishWithBoth(folder, { variables });
    const files = ['icon.png', 'preview.png'].map((name) => readFile(join(folder, 'assets', name), 'base64'));
    assert.deepEqual([ours.body.icon, ...ours.body.previewImages], await Promise.all(files));
});
