/** Checks our requests to GitBook and the responses of the sandbox against GitBook's OpenAPI document. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { openDocument } from './support/document.mjs';
import { examples } from './support/examples.mjs';
import { PROJECT, startGitLab } from './support/gitlab.mjs';
import { MANIFEST, withIntegration } from './support/integration.mjs';
import { runOurs } from './support/publishers.mjs';
import { startSandbox } from './support/sandbox.mjs';
import { startWitness } from './support/witness.mjs';

const fixture = (path) => fileURLToPath(new URL(`fixtures/${path}`, import.meta.url));
const image = (name) => fileURLToPath(new URL(`../../examples/diagram/assets/${name}.png`, import.meta.url));
const programs = fixture('programs');

/** The number of integrations for a list of two pages. A page has at most 1000. */
const MANY = 1005;

/** The variables of a GitLab job in a branch pipeline. */
const JOB = {
    CI: 'true',
    CI_COMMIT_SHA: '1'.repeat(40),
    CI_DEFAULT_BRANCH: 'main',
    CI_PIPELINE_ID: '1000',
    CI_PIPELINE_SOURCE: 'push',
    CI_PROJECT_ID: String(PROJECT),
    CI_PROJECT_PATH: 'acme/integrations',
    CI_SERVER_HOST: 'gitlab.example.com',
    GITLAB_CI: 'true',
    GITLAB_TOKEN: 'glpat-contract',
};

/** Every field that a variable can set, except the images. */
const VARIABLES = {
    GITBOOK_NAME: 'variables',
    GITBOOK_TITLE: 'Of variables',
    GITBOOK_DESCRIPTION: 'No manifest at all',
    GITBOOK_SUMMARY: '# Variables\n\n✓ <!-- comment -->',
    GITBOOK_ORGANIZATION: 'acme',
    GITBOOK_RUNTIME: 'v1',
    GITBOOK_TARGET: 'site',
    GITBOOK_VISIBILITY: 'unlisted',
    GITBOOK_SCOPES: 'space:content:read\npage:feedback:read, site:visitor:claims',
    GITBOOK_CATEGORIES: 'other',
    GITBOOK_BLOCKS: '[{id: a, title: No, markdown: {codeblock: a, body: b}}]',
    GITBOOK_CONTENT_SOURCES: '[{id: a, title: No, configuration: {componentId: a}}]',
    GITBOOK_CONFIGURATIONS: '{account: {properties: {a: {type: string, enum: [b]}}, required: [a]}}',
    GITBOOK_EXTERNAL_LINKS: '[{label: a, url: "https://a.example/?b=c#d"}]',
    GITBOOK_SECRETS: '{A: "${{ env.FIRST }}"}',
    GITBOOK_CONTENT_SECURITY_POLICY: "default-src 'self'",
    FIRST: '1st',
};

const show = ({ request: { method, path, query }, status, wrongRequest, wrongAnswer }) =>
    [`${method} ${path} ${JSON.stringify(query)}: ${status}`, ...wrongRequest, ...wrongAnswer].join('\n  ');

describe('the API', () => {
    const gone = [];
    let folder, sandbox, gitlab, document, witness;
    before(async () => {
        folder = await mkdtemp(join(tmpdir(), 'gitbook-sandbox-'));
        [sandbox, gitlab, document] = await Promise.all([
            startSandbox(folder),
            startGitLab({ gone }),
            openDocument(),
        ]);
        witness = await startWitness(sandbox.endpoint, document);
    });
    after(async () => {
        witness?.close();
        gitlab?.close();
        await sandbox?.stop();
        await rm(folder, { recursive: true });
    });

    /** Runs the program and returns its requests, after checking that all are valid. */
    async function asked(variables, options) {
        const before = witness.seen.length;
        const servers = { GITBOOK_ENDPOINT: witness.endpoint, CI_API_V4_URL: `${gitlab.host}/api/v4` };
        const { code, output } = await runOurs({ ...servers, GITBOOK_RETRIES: '0', ...variables }, options);
        const seen = witness.seen.slice(before);
        assert.equal(code, 0, `${output}\n${seen.map(show).join('\n')}`);
        const wrong = seen.filter(({ wrongRequest, wrongAnswer }) => wrongRequest.length + wrongAnswer.length > 0);
        assert.deepEqual(wrong.map(show), []);
        return seen;
    }
    const lines = (seen) => seen.map(({ request, status }) => `${request.method} ${request.path} ${status}`);
    const publish = (variables, options) => asked({ ...variables, GITBOOK_MODE: 'publish' }, options);

    for (const { name, folder, variables } of examples) {
        test(`accepts the example ${name} twice`, async () => {
            for (const version of [1, 2]) {
                const seen = await publish({ ...variables, GITBOOK_INTEGRATIONS: folder });
                const expected = [['GET', version === 1 ? 404 : 200], ['POST', 200]];
                assert.deepEqual(seen.map(({ request, status }) => [request.method, status]), expected);
                assert.equal(seen[1].body.version, version);
            }
        });
    }

    for (const environment of ['', 'other', 'fewer']) {
        test(`accepts a manifest with every field, in the environment "${environment}"`, async () => {
            const manifest = { GITBOOK_INTEGRATIONS: fixture('everything'), GITBOOK_ENV: environment };
            const seen = await publish({ ...manifest, FIRST: '1', SECOND: '2' }, { programs });
            assert.equal(lines(seen).at(-1), 'POST /v1/integrations/Every-Thing-2 200');
        });
    }

    test('accepts an integration set only by variables, with unchanged images', async () => {
        const files = { 'icon.png': await readFile(image('icon')), 'preview.png': await readFile(image('preview')) };
        await withIntegration(files, async (folder) => {
            const paths = {
                GITBOOK_SCRIPT: join(folder, 'main.ts'),
                GITBOOK_ICON: join(folder, 'icon.png'),
                GITBOOK_PREVIEW_IMAGES: [folder, folder, folder].map((folder) => join(folder, 'preview.png')).join(),
            };
            await rm(join(folder, 'gitbook-manifest.yaml'));
            const [, { request, body }, ...more] = await publishIn(folder, { ...VARIABLES, ...paths });
            assert.equal(more.length, 0);
            assert.equal(request.path, '/v1/integrations/variables');
            const preview = files['preview.png'].toString('base64');
            assert.deepEqual(request.body.previewImages, [preview, preview, preview]);
            assert.equal(body.previewImages.length, 3);
        });
    });

    test('accepts a preview, its unchanged and changed versions, and its deletion', async () => {
        const preview = (branch, variables) => asked({ ...JOB, CI_COMMIT_BRANCH: branch, ...variables });
        const path = '/v1/integrations/written-fix';
        await withIntegration({}, async (folder) => {
            const here = { GITBOOK_INTEGRATIONS: folder };
            const there = `GET ${path} 200`;
            assert.deepEqual(lines(await preview('fix', here)), [`GET ${path} 404`, `POST ${path} 200`, there]);
            assert.deepEqual(lines(await preview('fix', here)), [there, there]);
            const changed = { ...here, GITBOOK_TITLE: 'Of variables', GITBOOK_PREVIEW_VISIBILITY: 'unlisted' };
            assert.deepEqual(lines(await preview('fix', changed)), [there, `POST ${path} 200`, there]);
            const dry = await preview('fix', { ...here, GITBOOK_DRY_RUN: 'true', GITBOOK_SKIP_UNCHANGED: 'false' });
            assert.deepEqual(lines(dry), [there]);
        });
        const close = { GITBOOK_MODE: 'delete', GITBOOK_NAME: 'written', GITBOOK_BRANCH: 'fix' };
        assert.deepEqual(lines(await preview('main', close)), [`GET ${path} 200`, `DELETE ${path} 205`]);
        assert.deepEqual(lines(await preview('main', close)), [`GET ${path} 404`]);
    });

    test('lists organizations and all pages of an organization, and accepts the deletions of a sweep', async () => {
        await withIntegration({ 'gitbook-manifest.yaml': MANIFEST.replace('acme', 'sweep-org') }, async (written) => {
            const variables = { ...JOB, GITBOOK_INTEGRATIONS: written };
            for (const branch of ['old', 'fix']) {
                await asked({ ...variables, CI_COMMIT_BRANCH: branch });
            }
            await fill('sweep-org');
            gone.push('old');
            const seen = await asked({ ...variables, CI_COMMIT_BRANCH: 'main', CI_PIPELINE_SOURCE: 'schedule' });
            const list = '/v1/orgs/sweep-org/integrations';
            assert.deepEqual(lines(seen), [
                'GET /v1/orgs 200',
                `GET ${list} 200`,
                `GET ${list} 200`,
                'GET /v1/integrations/written-old 200',
                // The request to the forge takes time, so the preview is read again.
                'GET /v1/integrations/written-old 200',
                'DELETE /v1/integrations/written-old 205',
            ]);
            const [, first, second] = seen;
            assert.deepEqual(first.request.query, { limit: '1000' });
            assert.deepEqual(second.request.query, { limit: '1000', page: first.body.next.page });
            assert.equal(first.body.items.length + second.body.items.length, MANY + 2);
        });
    });

    const headers = { Authorization: 'Bearer x', 'Content-Type': 'application/json' };
    const refusals = [
        ['an unknown name', 'GET', 'integrations/nothing', 404, { headers }],
        ['an invalid name', 'GET', 'integrations/a~b', 400, { headers }],
        ['a missing token', 'GET', 'orgs', 401, {}],
        ['an invalid body', 'POST', 'integrations/refused', 400, { headers, body: 'title=a' }],
        ['a title that is too short', 'POST', 'integrations/refused', 400, { headers, body: '{"title":"a"}' }],
        ['a page size over the limit', 'GET', 'orgs/acme/integrations?limit=1001', 400, { headers }],
        ['the deletion of an unknown integration', 'DELETE', 'integrations/nothing', 204, { headers }],
        ['the deletion of an invalid name', 'DELETE', 'integrations/a~b', 400, { headers }],
    ];
    for (const [what, method, path, status, init] of refusals) {
        test(`responds to ${what} as documented`, async () => {
            const answer = await fetch(`${witness.endpoint}/v1/${path}`, { method, ...init });
            assert.equal(answer.status, status);
            const { wrongRequest, wrongAnswer } = witness.seen.at(-1);
            assert.deepEqual(wrongAnswer, []);
            // The validator and the sandbox must reject the same requests.
            assert.equal(wrongRequest.length > 0, status === 400 || status === 401, wrongRequest.join('\n'));
        });
    }

    test('the tests cover every operation that we use and every field', (context) => {
        const { seen } = witness;
        const told = ({ request: { method, path }, status }) => `${method} ${shape(path)} ${status}`;
        const operations = new Set(seen.map(told));
        const integration = '/v1/integrations/{}';
        const list = '/v1/orgs/{}/integrations';
        const used = ['POST 200', 'GET 200', 'GET 404', 'DELETE 205'].map((used) => used.replace(' ', ` ${integration} `));
        used.push('GET /v1/orgs 200', `GET ${list} 200`);
        const never = used.filter((operation) => !operations.has(operation));
        assert.deepEqual(never, [], 'operations without a request');
        const fields = new Set(seen.flatMap(({ request }) => Object.keys(request.body ?? {})));
        assert.deepEqual(document.fields.filter((field) => !fields.has(field)), [], 'fields that were never sent');
        context.diagnostic(`${seen.length} requests and their responses were checked against the document`);
    });

    function publishIn(folder, variables) {
        return publish({ ...variables, GITBOOK_INTEGRATIONS: '' }, { folder });
    }

    /** Adds other integrations of an organization to the sandbox. */
    async function fill(organization) {
        const record = { owner: { id: organization } };
        const names = Array.from({ length: MANY }, (_, index) => `other-${index}`);
        await Promise.all(
            names.map(async (name) => {
                await mkdir(join(folder, name));
                await writeFile(join(folder, name, 'integration.json'), JSON.stringify({ name, ...record }));
            }),
        );
    }
});

const shape = (path) => path.replace(/^(\/v1\/\w+\/)[^/]+/, '$1{}');
