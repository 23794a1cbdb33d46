/** Compares our requests to GitLab with those of the client gitbeaker: method, path, fields and token. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Gitlab } from '@gitbeaker/rest';

import { FORK, MARKER, PROJECT, startGitLab } from './support/gitlab.mjs';
import { ourBinary } from './support/publishers.mjs';

const TOKEN = 'glpat-contract';
const TYPES = readFileSync(new URL('./node_modules/@gitbeaker/core/dist/index.d.ts', import.meta.url), 'utf8');
const HELLO = fileURLToPath(new URL('../../examples/hello', import.meta.url));

/** The variables of a GitLab job in a merge request pipeline. */
const MERGE_REQUEST = {
    CI: 'true',
    CI_COMMIT_SHA: '1'.repeat(40),
    CI_DEFAULT_BRANCH: 'main',
    CI_MERGE_REQUEST_IID: '12',
    CI_MERGE_REQUEST_PROJECT_ID: String(PROJECT),
    CI_MERGE_REQUEST_PROJECT_PATH: 'acme/integrations',
    CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'fix',
    CI_MERGE_REQUEST_SOURCE_PROJECT_ID: String(PROJECT),
    CI_PIPELINE_ID: '1000',
    CI_PIPELINE_SOURCE: 'merge_request_event',
    CI_PROJECT_ID: String(PROJECT),
    CI_PROJECT_PATH: 'acme/integrations',
    CI_SERVER_HOST: 'gitlab.example.com',
    GITBOOK_ENDPOINT: 'sandbox',
    GITBOOK_INTEGRATIONS: HELLO,
    GITLAB_CI: 'true',
    GITLAB_TOKEN: TOKEN,
};
const PUSH = { CI_COMMIT_BRANCH: 'feature/x', CI_MERGE_REQUEST_IID: '', CI_PIPELINE_SOURCE: 'push' };
const STOP = { CI_ENVIRONMENT_ACTION: 'stop', GITBOOK_INTEGRATIONS: '', GITBOOK_NAME: 'hello' };
const OF_FORK = {
    CI_MERGE_REQUEST_SOURCE_PROJECT_ID: String(FORK),
    CI_MERGE_REQUEST_SOURCE_PROJECT_PATH: 'mona/integrations',
};

/** Returns our requests in several jobs, each with its own fake GitLab. */
async function asked() {
    const binary = await ourBinary();
    const folder = await mkdtemp(join(tmpdir(), 'gitbook-contract-'));
    const run = async (variables, world) => {
        const gitlab = await startGitLab(world);
        const env = { ...MERGE_REQUEST, ...variables, CI_API_V4_URL: `${gitlab.host}/api/v4` };
        const [code, log] = await new Promise((resolve) =>
            execFile(binary, { cwd: folder, env, timeout: 60_000 }, (error, _, log) => resolve([error?.code ?? 0, log])),
        );
        gitlab.close();
        assert.equal(code, 0, log);
        return gitlab.requests;
    };
    try {
        const open = { mergeRequests: { 12: {} } };
        const closed = { 12: { state: 'closed', project: FORK }, 13: { project: FORK } };
        return (
            await Promise.all([
                run({}, open),
                run({}, { ...open, notes: [`${MARKER}\nolder`, `${MARKER}\nnewer`] }),
                run(PUSH, { mergeRequests: { 12: { branch: 'feature/x' } } }),
                run({ ...STOP, ...OF_FORK }, { mergeRequests: closed }),
                run(STOP, { mergeRequests: {} }),
                run({ ...STOP, ...PUSH }, { mergeRequests: { 12: { branch: 'feature/x' } } }),
            ])
        ).flat();
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

/** Returns the field names of a gitbeaker interface, including inherited ones. */
function fieldsOf(name) {
    const [, parent, body] = TYPES.match(new RegExp(`^interface ${name}(?: extends (\\w+))?.*?\\{\n(.*?)\n\\}`, 'ms'));
    const own = [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, field]) => field);
    return !parent || parent === 'Record' ? own : [...own, ...fieldsOf(parent)];
}

/** Describes a request without the values of its body: the texts of notes differ. */
const shape = ({ method, path, query, body }) =>
    JSON.stringify({ method, path, query, body: body && Object.keys(body).sort() });

describe('requests to GitLab', () => {
    let ours, gitlab, client;
    before(async () => {
        ours = await asked();
        const notes = [MARKER, MARKER];
        gitlab = await startGitLab({ mergeRequests: { 12: {} }, notes });
        client = new Gitlab({ host: gitlab.host, token: TOKEN });
    });
    after(() => gitlab?.close());

    const page = { page: 1, perPage: 100, maxPages: 1 };
    const from = (sourceBranch) => ({ projectId: PROJECT, scope: 'all', sourceBranch, ...page });
    const calls = {
        'the current user': () => client.Users.showCurrentUser(),
        'the project': () => client.Projects.show(PROJECT),
        'a branch': () => client.Branches.show(PROJECT, 'feature/x'),
        'the default branch': () => client.Branches.show(PROJECT, 'main'),
        'a merge request': () => client.MergeRequests.show(PROJECT, 12),
        'a merge request that may not exist': () =>
            client.MergeRequests.all({ projectId: PROJECT, iids: [12], scope: 'all', state: 'all' }),
        'the open merge requests from a branch': () =>
            client.MergeRequests.all({ ...from('feature/x'), state: 'opened' }),
        "the open merge requests from a fork's branch": () =>
            client.MergeRequests.all({ ...from('fix'), state: 'opened' }),
        'the newest merge requests from a branch': () =>
            client.MergeRequests.all({ ...from('feature/x'), state: 'all', page: undefined }),
        'the project of a fork': () => client.Projects.show(FORK),
        'the notes': () => client.MergeRequestNotes.all(PROJECT, 12, page),
        'a new note': () => client.MergeRequestNotes.create(PROJECT, 12, 'text'),
        'the update of a note': () => client.MergeRequestNotes.edit(PROJECT, 12, 1, { body: 'text' }),
        'the deletion of a note': () => client.MergeRequestNotes.remove(PROJECT, 12, 2),
    };
    const known = new Set();

    for (const [name, call] of Object.entries(calls)) {
        test(`match gitbeaker for ${name}`, async () => {
            const before = gitlab.requests.length;
            await call();
            const [theirs, ...more] = gitlab.requests.slice(before);
            assert.equal(more.length, 0);
            known.add(shape(theirs));
            const same = ours.find((request) => shape(request) === shape(theirs));
            assert.ok(same, `${shape(theirs)} is missing from\n${[...new Set(ours.map(shape))].join('\n')}`);
            assert.equal(same.token, theirs.token);
            assert.equal(same.bearer, theirs.bearer);
        });
    }

    const answers = [
        ['MergeRequestSchema', () => client.MergeRequests.show(PROJECT, 12)],
        ['MergeRequestNoteSchema', async () => (await client.MergeRequestNotes.all(PROJECT, 12))[0]],
        ['SimpleUserSchema', () => client.Users.showCurrentUser()],
        ['ProjectSchema', () => client.Projects.show(FORK)],
        ['BranchSchema', () => client.Branches.show(PROJECT, 'feature/x')],
        ['CommitSchema', async () => (await client.Branches.show(PROJECT, 'feature/x')).commit],
    ];
    for (const [name, answer] of answers) {
        test(`have only fields of gitbeaker's type ${name} in their responses`, async () => {
            const unknown = Object.keys(await answer()).filter((field) => !fieldsOf(name).includes(field));
            assert.deepEqual(unknown, []);
        });
    }

    test('include no others', () => {
        assert.deepEqual([...new Set(ours.map(shape))].sort(), [...known].sort());
    });

    test('send the token only in its own header', () => {
        assert.ok(ours.length > 20, `${ours.length} requests`);
        assert.ok(ours.every(({ token, bearer }) => token === TOKEN && bearer === undefined));
    });
});
