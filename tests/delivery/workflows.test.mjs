/** Runs the example workflows with act, unchanged: the action by its tag, its binary from a release. */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { act, deletion, published, pullRequest, push, repository } from './support/act.mjs';
import { needs } from './support/needs.mjs';
import { BINARY, ROOT, succeed, tool } from './support/program.mjs';
import { actionAt, archives, checksums, releaseServer } from './support/release.mjs';

const NEEDED = needs('git', 'curl', tool('act'));

const secrets = { GITBOOK_TOKEN: 'a-token' };

/** Each workflow with its events and the integrations published after each event. */
const COPIED = {
    'all-in-one.yml': [
        ['push', push('main'), ['hello']],
        ['push', push('feature/x'), ['hello', 'hello-feature-x-217d2bf5']],
        ['pull_request', pullRequest('closed', 'feature/x'), ['hello']],
    ],
    'production.yml': [['push', push('main'), ['hello']]],
    'previews.yml': [
        ['pull_request', pullRequest('opened', 'feature/x'), ['hello-feature-x-217d2bf5']],
        ['delete', deletion('feature/x'), []],
    ],
    'label.yml': [
        ['pull_request', pullRequest('labeled', 'feature/x', 'preview'), ['hello-feature-x-217d2bf5']],
        ['pull_request', pullRequest('unlabeled', 'feature/x', 'preview'), []],
    ],
    'check-and-publish.yml': [['push', push('main'), ['hello']]],
    'README.md': [
        ['push', push('main'), ['hello']],
        ['pull_request', pullRequest('opened', 'feature/x'), ['hello', 'hello-feature-x-217d2bf5']],
        ['pull_request', pullRequest('closed', 'feature/x'), ['hello']],
        ['pull_request', pullRequest('reopened', 'feature/x'), ['hello', 'hello-feature-x-217d2bf5']],
        ['delete', deletion('feature/x'), ['hello']],
    ],
};

/** Reads an example workflow, or the workflow in README.md. */
async function text(name) {
    if (name !== 'README.md') {
        return readFile(join(ROOT, 'examples/workflows/github', name), 'utf8');
    }
    const readme = await readFile(join(ROOT, name), 'utf8');
    return readme.match(/^## GitHub in three steps\n.*?^```yaml\n(.*?)^```$/ms)[1];
}

/** Prepares a repository with an example workflow, the action, and its release on a loopback server. */
async function copied(t, name) {
    const bytes = await archives(t);
    const server = await releaseServer(t, bytes);
    const workflow = await text(name);
    // act does not support these keys.
    const repo = await repository(t, workflow.replace(/^ +(queue: max|deployment: false)\n/gm, ''));
    const action = await actionAt(join(repo.home, 'action'), checksums(bytes));
    const options = {
        secrets,
        env: { GITBOOK_ENDPOINT: 'sandbox', ...server.env },
        actions: { 'gitbook-deploy/gitbook-deploy@v1': action },
    };
    return { server, repo, options };
}

for (const [name, events] of Object.entries(COPIED)) {
    test(`${name} runs with the released binary`, NEEDED, async (t) => {
        const { server, repo, options } = await copied(t, name);
        for (const [event, payload, expected] of events) {
            const { code, text } = await act(repo, event, payload(repo.sha), options);
            assert.equal(code, 0, text);
            assert.deepEqual(await published(repo), expected, text);
        }
        assert.equal(server.asked.length, 1, 'the release was not downloaded exactly once');
    });
}

test('matrix.yml publishes each integration in one of the planned jobs', NEEDED, async (t) => {
    const { repo, options } = await copied(t, 'matrix.yml');
    const others = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `hello-${name}`);
    for (const name of others) {
        await cp(join(repo.folder, 'hello'), join(repo.folder, name), { recursive: true });
        const manifest = join(repo.folder, name, 'gitbook-manifest.yaml');
        await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('name: hello', `name: ${name}`));
    }
    const { code, text } = await act(repo, 'push', push('main')(repo.sha), options);
    assert.equal(code, 0, text);
    assert.deepEqual(await published(repo), ['hello', ...others], text);
    const shares = [...text.matchAll(/shard (\d\/\d) has (\d) of 9 integrations/g)].map(([, ...numbers]) => numbers.join(': '));
    assert.deepEqual(shares.sort(), ['1/2: 5', '2/2: 4'], text);
});

test("sweep.yml reads the branches with the job's own token", NEEDED, async (t) => {
    const { server, repo, options } = await copied(t, 'sweep.yml');
    const preview = {
        GITBOOK_MODE: 'preview',
        GITBOOK_BRANCH: 'feature/x',
        GITBOOK_ENDPOINT: 'sandbox',
        GITBOOK_TOKEN: 'x',
        GITBOOK_REPOSITORY: `${server.url.replace('http://', '')}/acme/integrations`,
        GITBOOK_SANDBOX_DIR: join(repo.home, 'sandbox'),
    };
    await succeed(BINARY, [], { cwd: repo.folder, env: preview });
    assert.deepEqual(await published(repo), ['hello-feature-x-217d2bf5']);
    const forge = await forgeWith(t, {
        '/': { full_name: 'acme/integrations', default_branch: 'main' },
        '/branches': [{ name: 'main', commit: { sha: repo.sha } }],
        '/branches/main': { name: 'main', commit: { sha: repo.sha } },
    });
    const env = { ...options.env, GITHUB_API_URL: forge.url };
    const { code, text } = await act(
        repo,
        'schedule',
        {},
        { ...options, env, secrets: { ...secrets, GITHUB_TOKEN: 'of-the-job' } },
    );
    assert.equal(code, 0, text);
    assert.deepEqual(await published(repo), [], text);
    assert.deepEqual([...forge.authorized], ['Bearer of-the-job'], text);
});

/** A fake forge with one repository and these objects. Other lists are empty; everything else returns 404. */
async function forgeWith(t, objects) {
    const authorized = new Set();
    const server = createServer(({ url, headers }, response) => {
        authorized.add(headers.authorization);
        const path = url.replace(/\?.*/, '').replace('/repos/acme/integrations', '') || '/';
        const found = objects[path] ?? (['/pulls', '/deployments'].includes(path) ? [] : undefined);
        const body = JSON.stringify(found ?? { message: 'Not Found' });
        response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(body);
    });
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    t.after(() => server.close());
    return { url: `http://127.0.0.1:${server.address().port}`, authorized };
}
