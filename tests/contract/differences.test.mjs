/** Where we differ from the CLI on purpose: what it lets pass is refused here, and what it refuses is let pass. */
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

/** What the CLI publishes although it cannot be meant, and what our complaint must name. */
const refused = [
    ['an environment that the manifest does not have', {}, /staging/, { environment: 'staging' }],
    ['a secret that reads a variable of the CI system', adding('secrets: { A: "${{ secrets.A }}" }'), /secrets/],
    ['a title that is too long', changing('title: Written', `title: ${'x'.repeat(31)}`), /title/],
    ['a title that is too short', changing('title: Written', 'title: W'), /title/],
    ['a description that is too long', adding(`description: ${'x'.repeat(101)}`), /description/],
    ['a summary that is too long', adding(`summary: ${'x'.repeat(2049)}`), /summary/],
    ['more links than the API takes', adding(`externalLinks: [${sixLinks}]`), /externalLinks/],
    ['a link with a blank in it', adding('externalLinks: [{ label: a, url: "https://a.example/b c" }]'), /%20/],
    ['a setting that is required twice', adding(configuration('required: [a, a]')), /required\[1\]/],
    ['a configuration of both kinds', adding(configuration('componentId: a')), /componentId/],
    ['an icon that is no PNG', { ...adding('icon: icon.png'), 'icon.png': 'GIF89a' }, /icon\.png/],
];

for (const [what, files, complaint, options = {}] of refused) {
    test(`${what} is published by the CLI and refused by us`, async () => {
        const [cli, ours] = await publishWithEach(files, options);
        assert.equal(cli.requests.length, 1, cli.output);
        assert.equal(ours.requests.length, 0, 'nothing is sent');
        assert.equal(ours.code, 2, ours.output);
        assert.match(ours.output, complaint);
    });
}

const long = '📖'.repeat(40);
const block = `blocks: [{ id: a, title: ${long} }]`;

/** What the API takes, or may take soon, although the CLI does not know it. */
const accepted = [
    ['a scope that only the API has', changing('[]', '[page:feedback:read]'), 'scopes', ['page:feedback:read']],
    ['a scope that nobody knows yet', changing('[]', '[space:dream]'), 'scopes', ['space:dream']],
    ['a category that nobody knows yet', adding('categories: [games]'), 'categories', ['games']],
    ['a target that nobody knows yet', adding('target: planet'), 'target', 'planet'],
    ['a title of 40 characters that JavaScript counts twice', adding(block), 'blocks', [{ id: 'a', title: long }]],
];

for (const [what, files, field, expected] of accepted) {
    test(`${what} is refused by the CLI and published by us`, async () => {
        const [cli, ours] = await publishWithEach(files);
        assert.notEqual(cli.code, 0, 'the CLI refuses it');
        assert.equal(ours.code, 0, ours.output);
        assert.deepEqual(ours.requests.map(({ body }) => body[field]), [expected]);
    });
}
