/** Compares action.yml with the program and runs its steps. */
import assert from 'node:assert/strict';
import { chmod, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';

import { needs } from './support/needs.mjs';
import { BINARY, ROOT, run, succeed, tool, workspace } from './support/program.mjs';
import { ACTION, outputsIn, programs, uses } from './support/runner.mjs';

const [install, deploy] = ACTION.runs.steps;

// A unit test compares the inputs, outputs and variables of action.yml with the tables of the program.
test('no input is required or has a default', () => {
    assert.ok(Object.keys(ACTION.inputs).length > 50);
    // The program applies the defaults, and a variable of the workflow replaces an empty input.
    for (const [name, input] of Object.entries(ACTION.inputs)) {
        assert.deepEqual(Object.keys(input), ['description'], name);
    }
});

test('the inputs reach the program as variables only', () => {
    assert.equal(deploy.env.BINARY, '${{ steps.install.outputs.binary }}');
    assert.equal(deploy.env.MSYS2_ENV_CONV_EXCL, 'GITBOOK_');
    for (const step of ACTION.runs.steps) {
        assert.ok(!step.run.includes('${{'), step.run);
    }
});

test('passes inputs and variables to the program; an input takes precedence', needs('dash'), async (t) => {
    const folder = await workspace(t);
    const path = await programs(folder, []);
    await writeFile(join(folder, 'show'), '#!/bin/sh\nexec /usr/bin/env -0\n');
    await chmod(join(folder, 'show'), 0o755);
    const machine = { GITHUB_ACTION_PATH: ROOT };
    const odd = 'a "b" $(c) `d` %\'e\'\nsecond line';
    const inputs = { binary: 'show', mode: 'check', retries: '0', comment: 'false', title: odd };
    const env = { GITBOOK_MODE: 'publish', GITBOOK_NAME: 'by-variable', GITHUB_TOKEN: 'of the workflow' };
    const shown = async (given) => {
        const { code, text } = await uses({
            workspace: folder,
            path,
            machine,
            github: { token: 'of the job' },
            ...given,
        });
        assert.equal(code, 0, text);
        return Object.fromEntries(
            text
                .split('\0')
                .filter(Boolean)
                .map((line) => line.split(/=([^]*)/, 2)),
        );
    };
    const both = await shown({ inputs, env });
    const { GITBOOK_MODE, GITBOOK_RETRIES, GITBOOK_COMMENT, GITBOOK_TITLE, GITBOOK_NAME, GITHUB_TOKEN, GITBOOK_TOKEN } =
        both;
    assert.deepEqual([GITBOOK_MODE, GITBOOK_RETRIES, GITBOOK_COMMENT, GITBOOK_TITLE], ['check', '0', 'false', odd]);
    assert.deepEqual([GITBOOK_NAME, GITHUB_TOKEN, GITBOOK_TOKEN], ['by-variable', 'of the workflow', '']);
    assert.deepEqual(
        Object.keys(both).filter((name) => name.startsWith('INPUT_')),
        [],
    );
    assert.equal((await shown({ inputs: { binary: 'show' } })).GITHUB_TOKEN, 'of the job');
});

test('declares exactly the outputs that a run writes', async (t) => {
    const folder = await workspace(t, { hello: 'examples/hello' });
    const file = join(folder, 'outputs');
    const env = { GITBOOK_ENDPOINT: 'sandbox', GITBOOK_MODE: 'publish', GITHUB_OUTPUT: file };
    const { code, text } = await run(BINARY, [], { cwd: folder, env });
    assert.equal(code, 0, text);
    const written = Object.keys(outputsIn(await readFile(file, 'utf8')));
    assert.deepEqual(Object.keys(ACTION.outputs), written);
    for (const [name, { description, value }] of Object.entries(ACTION.outputs)) {
        assert.ok(description, name);
        assert.equal(value, `\${{ steps.deploy.outputs.${name} }}`);
    }
});

test('action.yml meets the limits of the Marketplace and passes its schema and zizmor', needs(tool('check-jsonschema'), tool('zizmor')), async () => {
    assert.ok(ACTION.description.length < 125, `${ACTION.description.length} characters`);
    assert.ok(ACTION.name && ACTION.author && ACTION.branding.icon && ACTION.branding.color);
    assert.deepEqual([install.shell, deploy.shell, ACTION.runs.using], ['sh', 'sh', 'composite']);
    const file = join(ROOT, 'action.yml');
    // The schema checks the icon and the color.
    await succeed(tool('check-jsonschema'), ['--builtin-schema', 'vendor.github-actions', file]);
    await succeed(tool('zizmor'), ['--offline', '--quiet', '--pedantic', file]);
});

test('the example workflows use the action with existing inputs', async () => {
    const folder = join(ROOT, 'examples/workflows/github');
    const steps = [];
    for (const name of await readdir(folder)) {
        const { jobs } = parse(await readFile(join(folder, name), 'utf8'));
        const own = Object.values(jobs)
            .flatMap(({ steps }) => steps)
            .filter((step) => step.uses?.startsWith('gitbook-deploy/'));
        assert.ok(own.length > 0, `${name} does not use the action`);
        steps.push(...own);
    }
    for (const { uses, with: inputs = {} } of steps) {
        assert.equal(uses, 'gitbook-deploy/gitbook-deploy@v1');
        assert.deepEqual(
            Object.keys(inputs).filter((name) => !(name in ACTION.inputs)),
            [],
        );
    }
});

test('a canceled run stops the program, which still writes its outputs', needs('dash'), async (t) => {
    const folder = await workspace(t, { hello: 'examples/hello' });
    let step;
    // The runner sends the signal only to the shell of the step. The test sends it when the program is about to publish.
    const server = createServer((request, response) => {
        step.kill('SIGINT');
        setTimeout(() => response.destroy(), 200);
    });
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    t.after(() => server.close());
    const inputs = {
        binary: BINARY,
        endpoint: `http://127.0.0.1:${server.address().port}`,
        token: 'x',
        mode: 'publish',
    };
    const path = await programs(folder, []);
    const stop = (id, running) => (step = running);
    const { code, text, outputs } = await uses({
        workspace: folder,
        path,
        inputs,
        stop,
        seconds: 20,
        machine: { GITHUB_ACTION_PATH: ROOT },
    });
    assert.equal(code, 130, text);
    assert.equal(outputs.mode, 'publish', text);
});
