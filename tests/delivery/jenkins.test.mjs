/** Checks the Jenkinsfile, which has no schema, with the Groovy compiler in the version of Jenkins. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { needs } from './support/needs.mjs';
import { ROOT, workspace } from './support/program.mjs';
import { groovy } from './support/systems.mjs';

const NEEDED = needs('groovy', 'java');

const CREDENTIALS = { 'gitbook-production-token': 'a', 'gitbook-preview-token': 'b', 'forge-token': 'c' };
const of = (branch, cause = 'BranchEventCause') => ({ variables: { BRANCH_NAME: branch }, credentials: CREDENTIALS, cause });

test('runs the expected stages and schedules', NEEDED, async () => {
    const fork = { ...of('PR-24'), variables: { BRANCH_NAME: 'PR-24', CHANGE_ID: '24', CHANGE_FORK: 'mona' } };
    const { code, stdout, text } = await groovy([of('main'), of('main', 'TimerTrigger'), of('fix'), fork]);
    assert.equal(code, 0, text);
    const stages = JSON.parse(stdout).map(({ schedule, steps }) => [schedule, ...steps.map(({ name }) => name)]);
    assert.deepEqual(stages, [
        ['H 4 * * *', 'Packages', 'Publish'],
        ['H 4 * * *', 'Packages', 'Sweep'],
        ['', 'Packages', 'Preview'],
        ['', 'Packages', 'Check'],
    ]);
});

test('rejects a Jenkinsfile that is not valid Groovy or not a valid declarative pipeline', NEEDED, async (t) => {
    const whole = await readFile(join(ROOT, 'examples/ci/jenkins/Jenkinsfile'), 'utf8');
    const copy = join(await workspace(t), 'Jenkinsfile');
    for (const [right, wrong, says] of [
        ["branch 'main'\n", "branch 'main\n", /MultipleCompilationErrorsException/],
        ['stages {', 'stagez {', /MissingMethodException.*stagez/],
        ["credentials('gitbook-production-token')", "credentials('gitbook')", /unknown credential gitbook/],
    ]) {
        const broken = whole.replace(right, wrong);
        assert.notEqual(broken, whole);
        await writeFile(copy, broken);
        const { code, text } = await groovy([of('main')], copy);
        assert.notEqual(code, 0, text);
        assert.match(text, says);
    }
});
