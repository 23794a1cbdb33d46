/** Intended differences from the CLI: manifests that only one of the two programs accepts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MANIFEST, withIntegration } from './support/integration.mjs';
import { publishWithCli, publishWithOurs } from './support/publishers.mjs';

const publishers = [publishWithCli, publishWithOurs];
const publishWithEach = (files, options) =>
    withIntegration(files, (folder) => Promise.all(publishers.map((publish) => publish(folder, options))));

const manifest = (text) => ({ 'gitbook-manifest.yaml': text });
const adding = (lines) => manifest(MANIFEST + lines);
const changing = (line, to) => manifest(MANIFEST.replace(line, to));

const configuration = (more) => `configurations: { site: { properties: {}, ${more} } }`;
const sixLinks = Array(6).fill('{ label: a, url: "https://a.example" }').join();

/** Invalid manifests that the CLI publishes, each with a pattern that our error message must match. */
const refused = [
    ['an environment that the manifest does not have', {}, /staging/, { environment: 'staging' }],
    ['a secret that reads a variable of the CI system', adding('secrets: { A: "${{ secrets.A }}" }'), /secrets/],
    ['a title that is too long', changing('title: Written', `title: ${'x'.repeat(31)}`), /title/],
    ['a title that is too short', changing('title: Written', 'title: W'), /title/],
    ['a description that is too long', adding(`description: ${'x'.repeat(101)}`), /description/],
    ['a summary that is too long', adding(`summary: ${'x'.repeat(2049)}`), /summary/],
    ['more links than the API accepts', adding(`externalLinks: [${sixLinks}]`), /externalLinks/],
    ['a link with a space', adding('externalLinks: [{ label: a, url: "https://a.example/b c" }]'), /%20/],
    ['a property that is required twice', adding(configuration('required: [a, a]')), /required\[1\]/],
    ['a configuration with both properties and a component', adding(configuration('componentId: a')), /componentId/],
    ['an icon that is not a PNG file', { ...adding('icon: icon.png'), 'icon.png': 'GIF89a' }, /icon\.png/],
];

for (const [what, files, complaint, options = {}] of refused) {
    test(`rejects ${what}, unlike the CLI`, async () => {
        const [cli, ours] = await publishWithEach(files, options);
        assert.equal(cli.requests.length, 1, cli.output);
        assert.equal(ours.requests.length, 0, 'our program must send nothing');
        assert.equal(ours.code, 2, ours.output);
        assert.match(ours.output, complaint);
    });
}

const long = '📖'.repeat(40);
const block = `blocks: [{ id: a, title: ${long} }]`;

/** Manifests that the API accepts, or may accept in the future, and the CLI rejects. */
const accepted = [
    ['a scope that only the API knows', changing('[]', '[page:feedback:read]'), 'scopes', ['page:feedback:read']],
    ['an unknown scope', changing('[]', '[space:dream]'), 'scopes', ['space:dream']],
    ['an unknown category', adding('categories: [games]'), 'categories', ['games']],
    ['an unknown target', adding('target: planet'), 'target', 'planet'],
    ['a title of 40 characters that JavaScript counts as 80', adding(block), 'blocks', [{ id: 'a', title: long }]],
];

for (const [what, files, field, expected] of accepted) {
    test(`publishes ${what}, unlike the CLI`, async () => {
        const [cli, ours] = await publishWithEach(files);
        assert.notEqual(cli.code, 0, 'the CLI must reject it');
        assert.equal(ours.code, 0, ours.output);
        assert.deepEqual(ours.requests.map(({ body }) => body[field]), [expected]);
    });
}
