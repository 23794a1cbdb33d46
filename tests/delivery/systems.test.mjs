/**
 * Runs the commands of the templates for CI systems that cannot run locally, in the order and shell of each system, with the
 * variables from the tests of its detector.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { tables } from './support/detector.mjs';
import { WRONG_SHA256, download } from './support/download.mjs';
import { needs } from './support/needs.mjs';
import { run } from './support/program.mjs';
import { checkout, runAll } from './support/steps.mjs';
import * as systems from './support/systems.mjs';

const PRODUCTION = 'production-token';
const PREVIEW = 'preview-token';
/** An address without a server: a check must send no request. */
const NOWHERE = 'http://127.0.0.1:9';

/** Consecutive events in one sandbox: variables, expected output, expected token, and published integrations. */
const STORIES = {
    bitbucket: {
        secrets: { production: PRODUCTION, repository: PREVIEW },
        events: ({ STEP }) => [
            [{ ...STEP, BITBUCKET_BRANCH: 'main' }, /publish: push to `main`, the production branch/, PRODUCTION, ['hello']],
            [{ ...STEP, BITBUCKET_BRANCH: 'fix' }, /preview: push to branch `fix`/, PREVIEW, ['hello', 'hello-fix']],
            [
                { ...STEP, BITBUCKET_BRANCH: 'main' }, /delete: `GITBOOK_MODE=delete`, branch `fix`/, PREVIEW, ['hello'],
                { custom: { name: 'delete-preview', variables: { GITBOOK_BRANCH: 'fix' } } },
            ],
        ],
    },
    circleci: {
        secrets: { 'gitbook-production': { GITBOOK_TOKEN: PRODUCTION }, 'gitbook-preview': { GITBOOK_TOKEN: PREVIEW } },
        events: ({ JOB }) => [
            [{ ...JOB, CIRCLE_BRANCH: 'main' }, /publish: push to `main`, the production branch/, PRODUCTION, ['hello']],
            [{ ...JOB, CIRCLE_BRANCH: 'fix' }, /preview: push to branch `fix`/, PREVIEW, ['hello', 'hello-fix']],
            [{ ...JOB, CIRCLE_BRANCH: 'main' }, /sweep: /, PREVIEW, undefined, { parameters: { mode: 'sweep' } }],
            [
                { ...JOB, CIRCLE_BRANCH: 'main' }, /delete: `GITBOOK_MODE=delete`, branch `fix`/, PREVIEW, ['hello'],
                { parameters: { mode: 'delete', branch: 'fix' } },
            ],
        ],
        fork: ({ JOB, FROM_FORK }) => ({ ...JOB, ...FROM_FORK }),
    },
    azure: {
        secrets: { PRODUCTION_TOKEN: PRODUCTION, PREVIEW_TOKEN: PREVIEW },
        events: ({ JOB, ON_MAIN, PULL_REQUEST }) => {
            const by = (reason) => ({ ...JOB, ...ON_MAIN, BUILD_REASON: reason });
            return [
                [by('IndividualCI'), /publish: push to `main`, the production branch/, PRODUCTION, ['hello']],
                [{ ...JOB, ...PULL_REQUEST }, /preview: pull request #12 from `fix`/, PREVIEW, ['hello', 'hello-fix']],
                [by('Schedule'), /sweep: scheduled run/, PREVIEW, undefined],
                [
                    { ...by('Manual'), GITBOOK_MODE: 'delete', GITBOOK_BRANCH: 'fix' },
                    /delete: `GITBOOK_MODE=delete`, branch `fix`/, PREVIEW, ['hello'],
                ],
            ];
        },
        fork: ({ JOB, PULL_REQUEST, FROM_FORK }) => ({ ...JOB, ...PULL_REQUEST, ...FROM_FORK }),
    },
    travis: {
        secrets: { PRODUCTION_TOKEN: PRODUCTION, PREVIEW_TOKEN: PREVIEW },
        events: ({ JOB }) => [
            [JOB, /publish: push to `main`, the production branch/, PRODUCTION, ['hello']],
            [{ ...JOB, TRAVIS_BRANCH: 'fix' }, /preview: push to branch `fix`/, PREVIEW, ['hello', 'hello-fix']],
            [{ ...JOB, TRAVIS_EVENT_TYPE: 'cron' }, /sweep: scheduled run/, PRODUCTION, undefined],
        ],
        fork: ({ JOB, PULL_REQUEST, FROM_FORK }) => ({ ...JOB, ...PULL_REQUEST, ...FROM_FORK }),
    },
    buildkite: {
        secrets: { GITBOOK_PRODUCTION_TOKEN: PRODUCTION, GITBOOK_PREVIEW_TOKEN: PREVIEW },
        events: ({ JOB, PULL_REQUEST }) => {
            const main = { ...JOB, BUILDKITE_BRANCH: 'main' };
            return [
                [main, /publish: push to `main`, the production branch/, PRODUCTION, ['hello']],
                [{ ...JOB, ...PULL_REQUEST }, /preview: pull request #12 from `fix`/, PREVIEW, ['hello', 'hello-fix']],
                [{ ...main, BUILDKITE_SOURCE: 'schedule' }, /sweep: scheduled run/, PREVIEW, undefined],
            ];
        },
        fork: ({ JOB, PULL_REQUEST, FROM_FORK }) => ({ ...JOB, ...PULL_REQUEST, ...FROM_FORK }),
    },
    drone: {
        secrets: { gitbook_production_token: PRODUCTION, gitbook_preview_token: PREVIEW },
        events: ({ STEP }) => {
            const on = (event, branch) => ({ ...STEP, DRONE_BUILD_EVENT: event, DRONE_BRANCH: branch });
            return [
                [on('push', 'main'), /publish: push to `main`, the production branch/, PRODUCTION, ['hello']],
                [on('push', 'fix'), /preview: push to branch `fix`/, PREVIEW, ['hello', 'hello-fix']],
                [on('cron', 'main'), /sweep: scheduled run/, PREVIEW, undefined],
            ];
        },
        fork: ({ STEP, PULL_REQUEST }) => ({ ...STEP, ...PULL_REQUEST }),
    },
    woodpecker: {
        secrets: { gitbook_production_token: PRODUCTION, gitbook_preview_token: PREVIEW },
        events: ({ STEP, PULL_REQUEST }) => {
            const on = (event, branch) => ({ ...STEP, CI_PIPELINE_EVENT: event, CI_COMMIT_BRANCH: branch });
            const closed = { ...STEP, ...PULL_REQUEST, CI_PIPELINE_EVENT: 'pull_request_closed' };
            return [
                [on('push', 'main'), /publish: push to `main`, the production branch/, PRODUCTION, ['hello']],
                [on('push', 'fix'), /preview: push to branch `fix`/, PREVIEW, ['hello', 'hello-fix']],
                [closed, /delete: pull request #12 from `fix` was closed/, PREVIEW, ['hello']],
                [on('cron', 'main'), /sweep: scheduled run/, PREVIEW, undefined],
            ];
        },
        fork: ({ STEP, PULL_REQUEST }) => ({ ...STEP, ...PULL_REQUEST, CI_PIPELINE_EVENT: 'pull_request' }),
    },
    jenkins: {
        secrets: {
            'gitbook-production-token': PRODUCTION, 'gitbook-preview-token': PREVIEW, 'forge-token': 'forge-token',
        },
        events: ({ BUILD, ON_MAIN, CHANGE_REQUEST }) => {
            // The host of the repository does not exist, so the program cannot read branches there.
            const build = { ...BUILD, GIT_URL: 'https://git.example.com/acme/hello.git' };
            const main = { ...build, ...ON_MAIN };
            return [
                [main, /publish: push to `main`, the production branch/, PRODUCTION, ['hello']],
                [{ ...build, BRANCH_NAME: 'fix' }, /preview: push to branch `fix`/, PREVIEW, ['hello', 'hello-fix']],
                [{ ...build, ...CHANGE_REQUEST }, /preview: pull request #24 from `fix`/, PREVIEW, ['hello', 'hello-fix']],
                [main, /sweep: `GITBOOK_MODE=sweep`/, PREVIEW, undefined, { cause: 'TimerTrigger' }],
            ];
        },
        fork: ({ BUILD, CHANGE_REQUEST }) => ({ ...BUILD, ...CHANGE_REQUEST, CHANGE_BRANCH: 'main', CHANGE_FORK: 'mona' }),
    },
};

/** The systems on which the archive is downloaded. */
const DOWNLOADS = ['bitbucket', 'circleci', 'azure', 'travis'];

/** Returns the options of a test of a system's template: the programs that parse and run it. */
function neededBy(system) {
    const reader = system === 'jenkins' ? ['groovy', 'java'] : [];
    return needs(...reader, ...(DOWNLOADS.includes(system) ? ['curl'] : []));
}

/** Returns the steps of a template with URL, version and checksum of the archive filled in. */
async function stepsOf(system, options, archive = {}) {
    const steps = await systems[system](options);
    const filled = (line) => Object.entries(archive).reduce((line, [name, value]) => {
        return line.replace(new RegExp(`^export ${name}=.*$`, 'm'), `export ${name}='${value}'`);
    }, line);
    return steps.map((step) => ({ ...step, env: { ...step.env, ...archive }, lines: step.lines?.map(filled) }));
}

/** Returns the token that a step passes to the program; the command itself can set it. */
async function tokenOf({ lines = [], env }) {
    const [, own] = lines.join('\n').match(/^(GITBOOK_TOKEN=\S+) \.\/gitbook-deploy$/m) ?? [];
    return own ? (await run('bash', ['-c', `${own} printenv GITBOOK_TOKEN`], { env })).stdout.trim() : env.GITBOOK_TOKEN;
}

for (const [system, { secrets, events, fork }] of Object.entries(STORIES)) {
    test(`${system}: publishes to production, publishes a preview and deletes it`, neededBy(system), async (t) => {
        const { variables: archive } = await download(t);
        const place = await checkout(t);
        for (const [variables, says, token, published, more] of events(await tables(system))) {
            const steps = await stepsOf(system, { variables, secrets, ...more }, archive);
            const { code, text } = await runAll(steps, place);
            assert.match(text, says);
            assert.equal(await tokenOf(steps.at(-1)), token, text);
            assert.doesNotMatch(text, /(production|preview|forge)-token/, 'the output contains a token');
            // The forge does not exist, so the sweep fails and deletes nothing.
            assert.equal(code, published ? 0 : 1, text);
            if (published) assert.deepEqual(await place.published(), published);
        }
        assert.match(await place.installed(), /^(npm ci --ignore-scripts token=.*\n)+$/);
    });

    if (!fork) continue;
    test(`${system}: checks a pull request without a token`, neededBy(system), async (t) => {
        const { variables: archive } = await download(t);
        const place = await checkout(t, { endpoint: NOWHERE });
        const none = system === 'circleci' ? { 'gitbook-preview': {} } : {};
        const steps = await stepsOf(system, { variables: fork(await tables(system)), secrets: none }, archive);
        const { code, text } = await runAll(steps, place);
        assert.equal(code, 0, text);
        assert.match(text, /check: pull request #\d+ (\(fork\) )?was updated; checked only, because `GITBOOK_TOKEN` is not set/);
    });
}

for (const system of DOWNLOADS) {
    for (const [what, sum] of [['a wrong checksum', WRONG_SHA256], ['no checksum', undefined]]) {
        test(`${system}: the job stops at ${what} before running the binary`, neededBy(system), async (t) => {
            const { variables: { DEPLOY_SHA256, ...archive }, requests } = await download(t);
            const place = await checkout(t);
            const { secrets, events } = STORIES[system];
            const [[variables]] = events(await tables(system));
            const given = { ...archive, ...(sum && { DEPLOY_SHA256: sum }) };
            const { code, text } = await runAll(await stepsOf(system, { variables, secrets }, given), place);
            assert.notEqual(code, 0, text);
            assert.equal(requests.length, 1, 'the archive was not downloaded exactly once');
            assert.deepEqual(await place.published(), []);
            await assert.rejects(access(join(place.repository, 'gitbook-deploy')), { code: 'ENOENT' });
        });
    }
}

test('travis: runs no steps for a pull request from a branch of the same repository', async () => {
    const { JOB, PULL_REQUEST } = await tables('travis');
    assert.deepEqual(await systems.travis({ variables: { ...JOB, ...PULL_REQUEST }, secrets: {} }), []);
});

test('measures the time from the start of the job to the first request, including the download', neededBy('bitbucket'), async (t) => {
    const { variables: archive, requests } = await download(t);
    let asked;
    const api = createServer((_, response) => {
        asked ??= performance.now();
        response.writeHead(403, { 'content-type': 'application/json' }).end('{}');
    });
    await once(api.listen(0, '127.0.0.1'), 'listening');
    t.after(() => api.close());
    const place = await checkout(t, { endpoint: `http://127.0.0.1:${api.address().port}` });
    const { STEP } = await tables('bitbucket');
    const options = { variables: { ...STEP, BITBUCKET_BRANCH: 'main' }, secrets: { production: PRODUCTION } };
    const steps = await stepsOf('bitbucket', options, archive);
    const started = performance.now();
    const { text } = await runAll(steps, place);
    const [{ at }] = requests;
    const seconds = (from, to) => ((to - from) / 1000).toFixed(2);
    t.diagnostic(`${seconds(started, asked)} s, ${seconds(at, asked)} s of them after the request for the archive`);
    assert.ok(asked - started < 10_000, text);
});
