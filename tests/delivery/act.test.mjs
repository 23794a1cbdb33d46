/** Runs the action in workflows with act, against the sandbox. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';

import { CHECKOUT, act, deletion, published, pullRequest, push, readJson, repository } from './support/act.mjs';
import { needs } from './support/needs.mjs';
import { BINARY, ROOT, run, tool } from './support/program.mjs';

const { outputs } = parse(await readFile(join(ROOT, 'action.yml'), 'utf8'));

/** The action, and a step after it that reads all outputs, even after a failure. */
const WORKFLOW = `
on: [push, pull_request, delete]
jobs:
  deploy:
    runs-on: ubuntu-24.04
    steps:
      - uses: ${CHECKOUT}
      - id: deploy
        uses: ./
        with:
          binary: ${BINARY}
          endpoint: sandbox
          token: \${{ secrets.GITBOOK_TOKEN }}
      - if: always()
        run: printf '%s' "$OUTPUTS" >"$SEEN"
        env:
          OUTPUTS: '{${Object.keys(outputs)
              .map((name) => `"${name}":\${{ toJSON(steps.deploy.outputs.${name}) }}`)
              .join(',')},"outcome":\${{ toJSON(steps.deploy.outcome) }}}'
`;

const secrets = { GITBOOK_TOKEN: 'a-token-that-must-not-be-seen' };

const NEEDED = needs('git', tool('act'));

/** Runs the workflow and returns its result, the outputs that a later step read, and the published integrations. */
async function deploy(repo, event, payload) {
    const file = join(repo.home, 'seen.json');
    const { code, text } = await act(repo, event, payload, { secrets, env: { SEEN: file } });
    assert.ok(!text.includes(secrets.GITBOOK_TOKEN), text);
    return { code, text, published: await published(repo), seen: await readJson(file) };
}

test('actionlint accepts the inputs and outputs of the workflow and rejects unknown ones', needs('git', tool('actionlint')), async (t) => {
    const { folder } = await repository(t, WORKFLOW);
    const file = join(folder, '.github/workflows/deploy.yml');
    await mkdir(dirname(file), { recursive: true });
    const lint = async (text) => {
        await writeFile(file, text);
        return run(tool('actionlint'), [file], { cwd: folder });
    };
    const right = await lint(WORKFLOW);
    assert.equal(right.code, 0, right.text);
    const { text } = await lint(WORKFLOW.replace('endpoint:', 'endpiont:').replace('outputs.result', 'outputs.reslut'));
    assert.match(text, /endpiont[^]*reslut/);
});

test('publishes on a push to the production branch; the next step reads every output', NEEDED, async (t) => {
    const repo = await repository(t, WORKFLOW);
    const { code, text, published, seen } = await deploy(repo, 'push', push('main')(repo.sha));
    assert.equal(code, 0, text);
    assert.deepEqual(published, ['hello']);
    const { integrations, reason, url, version, ...rest } = seen;
    const expected = {
        outcome: 'success',
        mode: 'publish',
        sha: repo.sha,
        result: 'published',
        name: 'hello',
        preview: 'false',
        matrix: '',
        count: '1',
    };
    assert.deepEqual(rest, expected);
    assert.equal(JSON.parse(integrations)[0].name, 'hello');
    assert.match(reason, /main/);
    assert.match(url, /hello/);
    assert.match(version, /^\d+$/);
});

test('a branch and its pull request share one preview; closing or deleting either deletes it', NEEDED, async (t) => {
    const repo = await repository(t, WORKFLOW);
    const name = 'hello-feature-x-217d2bf5';
    const steps = [
        ['push', push('feature/x'), 'published'],
        ['pull_request', pullRequest('synchronize', 'feature/x'), 'unchanged'],
        ['pull_request', pullRequest('closed', 'feature/x'), 'deleted'],
        ['pull_request', pullRequest('opened', 'feature/x'), 'published'],
        ['delete', deletion('feature/x'), 'deleted'],
    ];
    for (const [event, payload, result] of steps) {
        const { code, text, published, seen } = await deploy(repo, event, payload(repo.sha));
        assert.equal(code, 0, text);
        assert.deepEqual([seen.result, seen.name, seen.preview], [result, name, 'true'], text);
        assert.deepEqual(published, result === 'deleted' ? [] : [name], text);
    }
});

test('a failed deployment fails the step, which still has its outputs', NEEDED, async (t) => {
    const repo = await repository(t, WORKFLOW);
    await writeFile(join(repo.folder, 'hello/gitbook-manifest.yaml'), 'name: hello\ntitle: Hello\n');
    const { code, text, published, seen } = await deploy(repo, 'push', push('main')(repo.sha));
    assert.equal(code, 1, text);
    const { outcome, mode, result } = seen;
    assert.deepEqual({ outcome, mode, result }, { outcome: 'failure', mode: 'publish', result: 'failed' }, text);
    assert.deepEqual(published, []);
});
