/** Runs the workflow for Forgejo and Gitea with `act`, on which their runners are based. */
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { WRONG_SHA256, download } from './support/download.mjs';
import { needs } from './support/needs.mjs';
import { ROOT, run, succeed, tool, workspace } from './support/program.mjs';

const TEMPLATE = 'examples/ci/forgejo/.forgejo/workflows/gitbook.yml';

const NEEDED = needs('git', 'curl', tool('act'));

/** A replacement for the checkout action: copies the files and records the requested ref. */
const CHECKOUT = `
name: Checkout
inputs: { ref: {}, persist-credentials: {} }
runs:
  using: composite
  steps:
    - run: cp -r "$CHECKOUT/." . && echo "$REF" >"$CHECKOUT.ref"
      shell: bash
      env: { REF: "\${{ inputs.ref }}" }
`;

async function project(t, archive) {
    const folder = await workspace(t, { 'checkout/integrations/hello': 'examples/hello' });
    await mkdir(join(folder, 'action'));
    await writeFile(join(folder, 'action/action.yml'), CHECKOUT);
    const text = await readFile(join(ROOT, TEMPLATE), 'utf8');
    const filled = Object.entries(archive).reduce((text, [name, value]) => {
        return text.replace(new RegExp(`^( *${name}: ).*$`, 'm'), `$1${value}`);
    }, text);
    await writeFile(join(folder, 'gitbook.yml'), filled);
    const author = ['-c', 'user.name=Mona', '-c', 'user.email=mona@example.com'];
    const git = (...args) => succeed('git', ['-C', join(folder, 'checkout'), ...author, ...args]);
    await git('init', '--quiet', '--initial-branch', 'main');
    await git('commit', '--quiet', '--allow-empty', '-m', 'x');
    await git('remote', 'add', 'origin', 'https://git.example.com/acme/hello.git');
    return { folder, action: text.match(/uses: (actions\/checkout@\w+)/)[1] };
}

async function act({ folder, action }, name, event) {
    const payload = join(folder, 'event.json');
    const repository = { full_name: 'acme/hello', default_branch: 'main', id: 1 };
    await writeFile(payload, JSON.stringify({ repository, ...event }));
    const checkout = join(folder, 'checkout');
    const sandbox = join(folder, 'sandbox');
    const all = { CHECKOUT: checkout, GITBOOK_ENDPOINT: 'sandbox', GITBOOK_SANDBOX_DIR: sandbox };
    const env = Object.entries(all).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const local = ['--local-repository', `${action}=${join(folder, 'action')}`];
    const args = [name, '-P', 'ubuntu-latest=-self-hosted', '--no-cache-server', '-e', payload, '-W', '../gitbook.yml'];
    const ran = await run(tool('act'), [...args, ...local, ...env], { cwd: checkout, env: { HOME: folder } });
    const asked = await readFile(`${checkout}.ref`, 'utf8').catch(() => '');
    return { ...ran, ref: asked.trim(), published: await readdir(sandbox).catch(() => []) };
}

const pullRequest = (action) => {
    const repo = { id: 1, full_name: 'acme/hello' };
    const head = { ref: 'fix', sha: '1ecfd275763eff1d6b4844ea3168962458c9f27a', repo };
    return { action, number: 12, pull_request: { number: 12, head, base: { ref: 'main', repo } } };
};

test('publishes to production, publishes a preview, deletes it and sweeps', NEEDED, async (t) => {
    const { variables: archive } = await download(t);
    const place = await project(t, archive);
    const [push, request, head] = ['push', 'pull_request', 'refs/pull/12/head'];
    for (const [name, event, says, ref, published] of [
        [push, { ref: 'refs/heads/main' }, /publish: push to `main`, the production branch/, 'refs/heads/main', ['hello']],
        [request, pullRequest('opened'), /preview: pull request #12 from `fix`/, head, ['hello', 'hello-fix']],
        [request, pullRequest('closed'), /delete: pull request #12 from `fix` was closed/, head, ['hello']],
        [push, { ref: 'refs/heads/fix' }, /preview: push to branch `fix`/, 'refs/heads/fix', ['hello', 'hello-fix']],
        ['delete', { ref: 'fix', ref_type: 'branch' }, /delete: branch `fix` was deleted/, 'main', ['hello']],
    ]) {
        const ran = await act(place, name, event);
        assert.equal(ran.code, 0, ran.text);
        assert.match(ran.text, says);
        assert.deepEqual([ran.ref, ran.published], [ref, published]);
    }
    const sweep = await act(place, 'schedule', {});
    assert.match(sweep.text, /sweep: scheduled run/);
    assert.equal(sweep.code, 1, 'the sweep must fail, because the forge does not exist');
});

for (const [what, sum] of [['a wrong checksum', WRONG_SHA256], ['no checksum', undefined]]) {
    test(`the job stops at ${what} before running the binary`, NEEDED, async (t) => {
        const { variables: { DEPLOY_SHA256, ...archive }, requests } = await download(t);
        const place = await project(t, { ...archive, ...(sum && { DEPLOY_SHA256: sum }) });
        const { code, text, published } = await act(place, 'push', { ref: 'refs/heads/main' });
        assert.notEqual(code, 0, text);
        assert.equal(requests.length, 1, 'the archive was not downloaded exactly once');
        assert.doesNotMatch(text, /push to/);
        assert.deepEqual(published, []);
    });
}
