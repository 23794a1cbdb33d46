/**
 * Checks generated manifests: GitBook's document and CLI must accept every manifest that we accept, and we must reject every
 * manifest that the document rejects, except for support/exceptions.mjs. `SEED` repeats a run; `COUNT` sets its size.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { cliRefuses, cliRefusesManifest } from './support/cli.mjs';
import { assertSameBody } from './support/compare.mjs';
import { openDocument } from './support/document.mjs';
import { exampleNamed } from './support/examples.mjs';
import { REFUSED, ofTheCli, ofTheDocument, rewritten } from './support/exceptions.mjs';
import { generated, isMapping, smaller, yaml } from './support/manifests.mjs';
import { runOurs } from './support/publishers.mjs';
import { startSandbox } from './support/sandbox.mjs';
import { startWitness } from './support/witness.mjs';

const SEED = Number(process.env.SEED ?? 5);
const COUNT = Number(process.env.COUNT ?? 3000);

/** The number of manifests to publish, and the number per run of the program. */
const SENT = 500;
const AT_ONCE = 250;

const SCRIPT = 'export default {};\n';
const ICON = join(exampleNamed('diagram').folder, 'assets', 'icon.png');
const TOKEN = { authorization: 'Bearer x', 'content-type': 'application/json' };

describe(`${COUNT} manifests generated from the seed ${SEED}`, () => {
    let root, document, icon, manifests, judged;
    const used = new Map();

    before(async () => {
        root = await mkdtemp(join(tmpdir(), 'gitbook-generated-'));
        [document, icon] = await Promise.all([openDocument(), readFile(ICON, 'base64')]);
        manifests = generated(document.names, SEED, COUNT);
        judged = await judge(manifests, 'all');
    });
    after(() => rm(root, { recursive: true }));

    /** Checks manifests with the program in one new repository. Returns the errors of each. */
    async function judge(manifests, name, style = (index) => index) {
        const repository = join(root, name);
        await mkdir(join(repository, '.git'), { recursive: true });
        await Promise.all([writeFile(join(repository, 'main.js'), SCRIPT), cp(ICON, join(repository, 'icon.png'))]);
        await Promise.all(
            manifests.map(async (manifest, index) => {
                await mkdir(join(repository, String(index)));
                await writeFile(fileOf(repository, index), yaml(manifest, style(index)));
            }),
        );
        const report = join(repository, 'report.json');
        const mode = { GITBOOK_MODE: 'check', GITBOOK_BUNDLE: 'false', GITBOOK_REPORT_FILE: report };
        const { code, output } = await runOurs(mode, { folder: repository });
        assert.ok([0, 2].includes(code), output);
        const { problems } = JSON.parse(await readFile(report, 'utf8'));
        const found = manifests.map(() => []);
        for (const { severity, file, message } of problems) {
            if (severity === 'error') {
                found[parseInt(file, 10)].push(message);
            }
        }
        return found;
    }

    const fileOf = (repository, index) => join(repository, String(index), 'gitbook-manifest.yaml');

    /** Returns the expected request for a manifest; `undefined` if the environments are invalid. */
    function bodyOf(manifest) {
        const { envs, ...fields } = manifest;
        if ('envs' in manifest && (!isMapping(envs) || ('default' in envs && !isMapping(envs.default)))) {
            return undefined;
        }
        const { name, ...body } = { description: '', runtime: 'v2', previewImages: [], ...fields, ...envs?.default };
        delete body.envs;
        const content = (path, known, what) => (typeof path === 'string' ? (path === known ? what : null) : path);
        body.script = content(body.script, '../main.js', SCRIPT);
        if ('icon' in body) {
            body.icon = content(body.icon, '../icon.png', icon);
        }
        if (Array.isArray(body.previewImages)) {
            body.previewImages = body.previewImages.map((path) => content(path, '../icon.png', icon));
        }
        return { name, body };
    }

    function request({ name, body }) {
        const path = `/v1/integrations/${encodeURIComponent(name)}`;
        return { method: 'POST', path, query: {}, headers: TOKEN, body };
    }

    /** Returns the problems that the document has with the request for a manifest. */
    function documentRefuses(manifest) {
        const made = manifest === REFUSED ? undefined : bodyOf(manifest);
        return made && typeof made.name === 'string'
            ? document.requestProblems(request(made))
            : ['no request'];
    }

    const applied = (manifest) => {
        const { envs, ...fields } = manifest;
        return isMapping(envs) && isMapping(envs.default) ? { ...fields, ...envs.default, envs } : manifest;
    };
    const exceptional = (manifest) => rewritten(applied(manifest), ofTheDocument(document.names));

    /** Returns true if we and the document disagree without an exception. */
    const disagree = (manifest, ours) =>
        (ours.length > 0) !== (documentRefuses(exceptional(manifest).manifest).length > 0);

    /** Shrinks a manifest that shows a disagreement. */
    async function shrunk(manifest, style, round = 0) {
        const candidates = smaller(manifest);
        const ours = await judge(candidates, `shrunk-${round}`, () => style);
        const found = candidates.findIndex((candidate, index) => disagree(candidate, ours[index]));
        return found < 0 || round > 40 ? manifest : shrunk(candidates[found], style, round + 1);
    }

    const count = (what) => used.set(what, (used.get(what) ?? 0) + 1);

    test('are accepted if and only if the document accepts them', async (context) => {
        const accepted = { byUs: 0, byTheDocument: 0 };
        for (const [index, manifest] of manifests.entries()) {
            accepted.byUs += judged[index].length === 0;
            accepted.byTheDocument += documentRefuses(manifest).length === 0;
            exceptional(manifest).used.forEach(count);
        }
        const parted = manifests.flatMap((manifest, index) => (disagree(manifest, judged[index]) ? [index] : []));
        if (parted.length > 0) {
            const [first] = parted;
            const small = await shrunk(manifests[first], first);
            const [ours] = await judge([small], 'smallest', () => first);
            const theirs = documentRefuses(exceptional(small).manifest);
            const told = `${parted.length} manifests differ; seed ${SEED}, manifest ${first}:\n${yaml(small, first)}`;
            assert.fail(`${told}\nour errors: ${ours.join('; ')}\nerrors of the document: ${theirs.join('; ')}`);
        }
        context.diagnostic(`of ${COUNT} manifests we accept ${accepted.byUs}, the document ${accepted.byTheDocument}`);
        assert.ok(Math.min(accepted.byUs, COUNT - accepted.byUs) > COUNT / 5, 'too few manifests are valid, or too few invalid');
    });

    test('are accepted by the CLI if we accept them', async (context) => {
        let both = 0;
        let cli = 0;
        for (const [index, manifest] of manifests.entries()) {
            const refused = await cliRefuses(fileOf(join(root, 'all'), index));
            cli += refused === undefined;
            if (judged[index].length > 0) {
                continue;
            }
            both += refused === undefined;
            if (refused !== undefined) {
                const exception = rewritten(manifest, ofTheCli);
                exception.used.forEach(count);
                const still = await cliRefusesManifest(exception.manifest);
                assert.equal(still, undefined, `${still}; seed ${SEED}, manifest ${index}:\n${yaml(manifest, 0)}`);
            }
        }
        context.diagnostic(`of ${COUNT} manifests the CLI accepts ${cli}; we accept ${both} of these`);
    });

    test('use every exception', (context) => {
        const listed = [...ofTheDocument(document.names), ...ofTheCli].map(({ what }) => what);
        for (const what of listed) {
            context.diagnostic(`${used.get(what) ?? 0} times: ${what}`);
        }
        assert.deepEqual(listed.filter((what) => !used.has(what)), [], 'unused exceptions');
    });

    describe('against the sandbox', () => {
        let folder, sandbox, witness;
        before(async () => {
            folder = await mkdtemp(join(tmpdir(), 'gitbook-sandbox-'));
            sandbox = await startSandbox(folder);
            witness = await startWitness(sandbox.endpoint, document);
        });
        after(async () => {
            witness?.close();
            await sandbox?.stop();
            await rm(folder, { recursive: true });
        });

        test('are sent unchanged, with responses as documented', async (context) => {
            const isGood = (manifest, index) => judged[index].length === 0 && documentRefuses(manifest).length === 0;
            const good = manifests.filter(isGood).slice(0, SENT);
            for (let first = 0; first < good.length; first += AT_ONCE) {
                const some = good.slice(first, first + AT_ONCE);
                await judge(some, `good-${first}`);
                const mode = { GITBOOK_MODE: 'publish', GITBOOK_BUNDLE: 'false', GITBOOK_ENDPOINT: witness.endpoint };
                const { code, output } = await runOurs(mode, { folder: join(root, `good-${first}`) });
                assert.equal(code, 0, errorsOf(output));
                assert.doesNotMatch(output, /GitBook published/, 'the program reports a difference from the sent fields');
            }
            const published = witness.seen.filter(({ request }) => request.method === 'POST');
            assert.equal(published.length, good.length);
            const sent = new Map(published.map((seen) => [seen.request.path, seen]));
            for (const manifest of good) {
                const { name, body } = bodyOf(manifest);
                const { request, status, wrongRequest, wrongAnswer } = sent.get(`/v1/integrations/${name}`);
                assert.deepEqual([status, wrongRequest, wrongAnswer], [200, [], []], yaml(manifest, 0));
                assertSameBody(body, request.body);
                assert.equal(request.body.script, body.script);
            }
            context.diagnostic(`${good.length} requests and their responses were checked against the document`);
        });

        test('are rejected by the sandbox if the document rejects them', async (context) => {
            const before = witness.seen.length;
            const exceptions = ofTheDocument(document.names).filter(({ sandbox }) => sandbox);
            let refused = 0;
            for (const [index, manifest] of manifests.slice(0, SENT).entries()) {
                const made = bodyOf(manifest);
                // These names cannot be part of a URL path.
                if (made === undefined || typeof made.name !== 'string' || ['', '.', '..'].includes(made.name)) {
                    continue;
                }
                const { path, method, headers, body } = request(made);
                const answer = await fetch(witness.endpoint + path, { method, headers, body: JSON.stringify(body) });
                await answer.arrayBuffer();
                const { wrongRequest, wrongAnswer } = witness.seen.at(-1);
                const excepted = rewritten(applied(manifest), exceptions).manifest === REFUSED;
                const expected = wrongRequest.length > 0 || excepted ? 400 : 200;
                const told = `seed ${SEED}, manifest ${index}: ${wrongRequest}\n${yaml(manifest, 0)}`;
                assert.equal(answer.status, expected, told);
                assert.deepEqual(wrongAnswer, []);
                refused += answer.status === 400;
            }
            const count = witness.seen.length - before;
            context.diagnostic(`${count} responses of the sandbox were checked; ${refused} of them were rejections`);
        });
    });
});

const errorsOf = (output) => output.split('\n').filter((line) => /^(error|cause):/.test(line)).join('\n');
