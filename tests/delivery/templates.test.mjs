/** Checks the templates of `examples/ci` against the schemas of their systems and for unsafe commands. */
import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { variablesRead } from './support/detector.mjs';
import { needs } from './support/needs.mjs';
import { ROOT, run, tool, workspace } from './support/program.mjs';

const FOLDER = join(ROOT, 'examples/ci');

const FORGEJO = 'forgejo/.forgejo/workflows/gitbook.yml';
/** For each template: its schema, a text in the template, and a replacement that makes the template invalid. */
const SCHEMAS = {
    'azure/azure-pipelines.yml': ['azure-pipelines', 'condition:', 'conditions:'],
    'bitbucket/bitbucket-pipelines.yml': ['bitbucket-pipelines', 'step: *gitbook', 'steps: *gitbook'],
    'buildkite/.buildkite/pipeline.yml': ['buildkite', 'concurrency_group:', 'concurrency-group:'],
    'circleci/.circleci/config.yml': ['circle-ci', 'docker:', 'dokker:'],
    'drone/.drone.yml': ['drone-ci', 'kind:', 'kinds:'],
    [FORGEJO]: ['github-workflows', 'runs-on:', 'runs-in:'],
    'gitlab/.gitlab-ci.yml': ['gitlab-ci', 'action: stop', 'action: halt'],
    'gitlab/parallel/.gitlab-ci.yml': ['gitlab-ci', 'parallel: 4', 'parallel: 0'],
    'travis/.travis.yml': ['travis', 'os: linux', 'os: minix'],
    'woodpecker/.woodpecker.yml': ['woodpecker-ci', 'image:', 'images:'],
};
/** The Jenkinsfile, which has no schema; `jenkins.test.mjs` checks it with a parser. */
const WITHOUT_SCHEMA = ['jenkins/Jenkinsfile'];
/** Templates that run the image with docker and must pass every variable. */
const BY_DOCKER = ['buildkite/.buildkite/pipeline.yml', 'jenkins/Jenkinsfile'];

const read = (template) => readFile(join(FOLDER, template), 'utf8');

async function validated(schema, file) {
    const args = ['--builtin-schema', `vendor.${schema}`];
    // Some patterns of Azure's schema are invalid as Unicode patterns.
    if (schema === 'azure-pipelines') args.push('--regex-variant', 'nonunicode');
    return run(tool('check-jsonschema'), [...args, file]);
}

const templates = (await readdir(FOLDER, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(FOLDER.length + 1))
    .sort();

test('every template has a test', () => {
    assert.deepEqual(templates, [...Object.keys(SCHEMAS), ...WITHOUT_SCHEMA].sort());
});

for (const [template, [schema, right, wrong]] of Object.entries(SCHEMAS)) {
    test(`${template} is valid, and invalid with \`${wrong}\``, needs(tool('check-jsonschema')), async (t) => {
        const { code, text } = await validated(schema, join(FOLDER, template));
        assert.equal(code, 0, text);
        const whole = await read(template);
        const broken = whole.replace(right, wrong);
        assert.notEqual(broken, whole);
        const copy = join(await workspace(t), 'broken.yml');
        await writeFile(copy, broken);
        const refused = await validated(schema, copy);
        assert.equal(refused.code, 1, refused.text);
    });
}

/** Returns the variables that a detector reads and the template does not pass to the image. */
async function missing(system, template) {
    const runs = template.replaceAll('\\\\\n', '\\\n').match(/docker run (?:[^\n]*\\\n)+[^\n]*gitbook-deploy:\d+/g) ?? [];
    assert.equal(runs.length, 1, 'the image must be run exactly once');
    const passed = new Set([...runs[0].matchAll(/-e (\w+)/g)].map(([, name]) => name));
    const own = template.match(/\bGITBOOK_(?!\w*_TOKEN)\w+(?=: | = )/g) ?? [];
    const needed = ['GITBOOK_TOKEN', 'GITHUB_TOKEN', 'CI', ...own, ...(await variablesRead(system))];
    return needed.filter((name) => !passed.has(name));
}

for (const template of BY_DOCKER) {
    const [system] = template.split('/');
    test(`${template} passes every variable that src/ci/${system}.rs reads`, async () => {
        const text = await read(template);
        assert.deepEqual(await missing(system, text), []);
        const variables = await variablesRead(system);
        assert.ok(variables.length > 5, variables.join());
        for (const name of variables) {
            assert.deepEqual(await missing(system, text.replace(`-e ${name} `, '')), [name]);
        }
    });
}

for (const template of templates) {
    test(`${template} prints no secret and runs no install scripts`, async () => {
        const text = await read(template);
        assert.doesNotMatch(text, /\b(echo|printf|printenv)\b[^\n]*TOKEN|set -x|\bnpm (ci|install)(?! --ignore-scripts)/);
    });
}

test('the Azure template uses no YAML anchors or merge keys', async () => {
    assert.doesNotMatch(await read('azure/azure-pipelines.yml'), /(?:: |- )[&*]\w|<<:/);
});

test(`${FORGEJO} passes actionlint and zizmor`, needs(tool('actionlint'), tool('zizmor')), async () => {
    for (const [linter, ...args] of [['actionlint'], ['zizmor', '--offline', '--quiet', '--pedantic']]) {
        const { code, text } = await run(tool(linter), [...args, join(FOLDER, FORGEJO)]);
        assert.equal(code, 0, text);
    }
});
