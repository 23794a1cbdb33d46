import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { needs } from './support/needs.mjs';
import { archiveOf, release, VERSION, workflow } from './support/releases.mjs';

const NEEDED = needs('git');

const NAME = 'ghcr.io/acme/gitbook-deploy';
const LIST = `sha256:${'d'.repeat(64)}`;

/** A fake `gh` with one release, which is a draft or published. The subcommand in `FAILS` fails. */
const GH = `[ "$2" != "\${FAILS:-}" ] || exit 1
case $2 in
    list) cat "$STATE" 2>/dev/null || true ;;
    create) echo true >"$STATE" ;;
    edit) echo false >"$STATE" ;;
esac`;

/** A fake `docker` that pushes nothing and records the build context. */
const DOCKER = `before=
for argument; do
    case $before in
        --metadata-file) printf '{\\n  "containerimage.digest": "sha256:%064d"\\n}\\n' "\${#argument}" >"$argument" ;;
        --build-context) (cd "\${argument#build=}" && find . -type f | sort && cat out/gitbook-deploy) >>"$CALLS" ;;
    esac
    before=$argument
done
case "$2 $3" in
    'create --driver') echo a-builder ;;
    'imagetools inspect') echo ${LIST} ;;
esac`;

/** A release with its assets, and a function that runs its last job. */
async function ready(t) {
    const clone = await release(t);
    await clone.replace({ gh: GH, docker: DOCKER });
    await clone.archives('release/assets');
    await clone.job('assets');
    const publish = (env = {}) => clone.job('publish', { IMAGE: `${NAME}@${LIST}`, ...env });
    return { clone, publish };
}

const tagged = (...tags) => `docker buildx imagetools create ${tags.map((tag) => `--tag ${NAME}:${tag}`).join(' ')} ${NAME}@${LIST}`;
const short = (calls) => calls.map((call) => call.replace(/( --json| --title| --clobber| --notes-file| release\/assets\/).*/, ''));

test('publishes archives, version tag, image tags and, last, the major version tag', NEEDED, async (t) => {
    const { clone, publish } = await ready(t);
    const { code, text } = await publish();
    assert.equal(code, 0, text);
    const calls = await clone.called();
    assert.deepEqual(short(calls), [
        'gh release list --limit 1000',
        'gh release create v1.2.3 --draft',
        'git push refs/tags/v1.2.3',
        'gh release edit v1.2.3 --draft=false --latest=true',
        tagged('1.2.3', '1.2', '1'),
        'git push refs/tags/v1',
    ]);
    const assets = [archiveOf('aarch64-apple-darwin'), archiveOf('x86_64-pc-windows-msvc'), 'SHA256SUMS'];
    for (const name of [...assets.map((asset) => `release/assets/${asset}`), '--notes-file release/notes.md']) {
        assert.ok(calls[1].includes(` ${name}`), calls[1]);
    }

    const commit = await clone.published('refs/tags/v1.2.3');
    assert.equal(await clone.published('refs/tags/v1'), commit);
    assert.equal(await clone.git('rev-parse', `${commit}^`), await clone.git('rev-parse', `release-${VERSION}`));
    const changed = (await clone.git('diff', '--name-status', `${commit}^`, commit)).split('\n');
    assert.equal(changed.shift(), 'A\tSHA256SUMS');
    const sums = await readFile(join(clone.folder, 'release/assets/SHA256SUMS'), 'utf8');
    assert.equal(await clone.git('show', `${commit}:SHA256SUMS`), sums.trim());
    const [, sum] = new RegExp(`^(.{64})  ${archiveOf('x86_64-unknown-linux-musl')}$`, 'm').exec(sums);
    const templates = await clone.git('grep', '--name-only', 'DEPLOY_SHA256[:=]', 'HEAD', 'examples/ci');
    assert.deepEqual(changed.sort(), templates.split('\n').map((path) => path.replace('HEAD:', 'M\t')).sort());
    for (const path of changed.map((line) => line.slice(2))) {
        const filled = (await clone.git('diff', '--unified=0', `${commit}^`, commit, '--', path)).match(/^\+[^+].*$/gm);
        assert.match(filled.join(), new RegExp(`^\\+.*DEPLOY_VERSION(: |=)1\\.2\\.3,\\+.*DEPLOY_SHA256(: |=)${sum}$`), path);
    }
    assert.equal(await clone.git('log', '-1', '--format=%an: %s', commit), 'github-actions[bot]: Release 1.2.3');
    assert.equal(await clone.published('refs/heads/main'), await clone.git('rev-parse', `release-${VERSION}`));
});

test('skips completed steps when run again', NEEDED, async (t) => {
    const { clone, publish } = await ready(t);
    await publish();
    const commit = await clone.published('refs/tags/v1.2.3');
    await clone.called();
    const { code, text } = await publish();
    assert.equal(code, 0, text);
    assert.deepEqual(short(await clone.called()), ['gh release list --limit 1000', tagged('1.2.3', '1.2', '1')]);
    assert.equal(await clone.published('refs/tags/v1.2.3'), commit);
    assert.equal(await clone.published('refs/tags/v1'), commit);
});

test('publishes nothing incomplete after a failure, and finishes when run again', NEEDED, async (t) => {
    for (const fails of ['list', 'create', 'edit']) {
        const { clone, publish } = await ready(t);
        const { code } = await publish({ FAILS: fails });
        assert.notEqual(code, 0, fails);
        assert.equal(await clone.published('refs/tags/v1'), '', fails);
        assert.ok(!(await clone.called()).some((call) => call.startsWith('docker')), fails);
        const { code: again, text } = await publish();
        assert.equal(again, 0, text);
        const calls = short(await clone.called());
        const next = fails === 'edit' ? 'gh release upload v1.2.3' : 'gh release create v1.2.3 --draft';
        assert.equal(calls[1], next);
        assert.deepEqual(calls.slice(-2), [tagged('1.2.3', '1.2', '1'), 'git push refs/tags/v1'], fails);
    }
});

test('moves the tags of the major and minor version only for their newest release', NEEDED, async (t) => {
    const { clone, publish } = await ready(t);
    await clone.git('push', '--quiet', 'origin', 'HEAD:refs/tags/v1.2.2', 'HEAD:refs/tags/v1', 'HEAD:refs/tags/v0.9.0');
    assert.equal((await publish()).code, 0);
    assert.notEqual(await clone.published('refs/tags/v1'), await clone.git('rev-parse', 'HEAD'), 'v1 was not moved');

    const older = await ready(t);
    await older.clone.git('push', '--quiet', 'origin', 'HEAD:refs/tags/v1.10.0', 'HEAD:refs/tags/v1', 'HEAD:refs/tags/v2.0.0');
    await older.clone.called();
    const { code, text } = await older.publish();
    assert.equal(code, 0, text);
    assert.deepEqual(short(await older.clone.called()).slice(2), [
        'git push refs/tags/v1.2.3',
        'gh release edit v1.2.3 --draft=false --latest=false',
        tagged('1.2.3', '1.2'),
    ]);
    assert.equal(await older.clone.published('refs/tags/v1'), await older.clone.git('rev-parse', 'HEAD'));
});

test('does not move an existing version tag', NEEDED, async (t) => {
    const { clone, publish } = await ready(t);
    await clone.git('push', '--quiet', 'origin', 'HEAD:refs/tags/v1.2.3');
    await clone.called();
    const { code, text } = await publish();
    assert.notEqual(code, 0);
    assert.match(text, /could not push the tag `v1\.2\.3`/);
    assert.equal(await clone.published('refs/tags/v1.2.3'), await clone.git('rev-parse', 'HEAD'));
    assert.equal(await clone.published('refs/tags/v1'), '');
    assert.ok(!(await clone.called()).some((call) => call.includes('edit')));
});

test('rejects archives that do not match SHA256SUMS', NEEDED, async (t) => {
    const { clone, publish } = await ready(t);
    await writeFile(join(clone.folder, 'release/assets', archiveOf('x86_64-apple-darwin')), 'changed');
    const { code, text } = await publish();
    assert.notEqual(code, 0);
    assert.match(text, /the archives do not match SHA256SUMS/);
    assert.deepEqual(await clone.called(), []);
});

test('builds the image from the binaries in the archives and pushes it by digest', NEEDED, async (t) => {
    const clone = await release(t);
    await clone.replace({ docker: DOCKER });
    await clone.archives();
    const output = join(clone.root, 'output');
    const { code, text } = await clone.job('image', { GITHUB_REPOSITORY: 'Acme/gitbook-deploy', GITHUB_OUTPUT: output });
    assert.equal(code, 0, text);
    assert.equal(await readFile(output, 'utf8'), `name=${NAME}\ndigest=${LIST}\n`);
    const calls = await clone.called();
    const builds = calls.filter((call) => call.startsWith('docker buildx build'));
    assert.deepEqual(builds.map((call) => call.match(/--platform (\S+)/)[1]), ['linux/amd64', 'linux/arm64']);
    const revision = await clone.git('rev-parse', 'HEAD');
    for (const [call, machine] of [[builds[0], 'x86_64'], [builds[1], 'aarch64']]) {
        assert.match(call, /type=image,name=\S+,push=true,push-by-digest=true/);
        assert.match(call, new RegExp(`--build-arg VERSION=1.2.3 --build-arg REVISION=${revision}`));
        const context = calls.slice(calls.indexOf(call) + 1, calls.indexOf(call) + 5);
        const binary = ['#!/bin/sh', `echo for ${machine}-unknown-linux-musl`];
        assert.deepEqual(context, ['./out/etc/ssl/certs/ca-certificates.crt', './out/gitbook-deploy', ...binary]);
    }
    const list = calls.find((call) => call.startsWith('docker buildx imagetools create'));
    assert.match(list, new RegExp(`--tag ${NAME}:release-1.2.3( ${NAME}@sha256:\\d{64}){2}$`));
    assert.deepEqual(calls.slice(-2), ['docker buildx rm a-builder', `docker run --rm ${NAME}@${LIST} --version`]);
});

test('only the job of the environment `release` reads a secret', () => {
    for (const [name, job] of Object.entries(workflow.jobs)) {
        const secrets = JSON.stringify(job).match(/secrets\.\w+/g) ?? [];
        assert.deepEqual(secrets, job.environment === 'release' ? ['secrets.RELEASE_TOKEN'] : [], name);
    }
});

test('reports a tag that the server rejects, before and after the release is public', NEEDED, async (t) => {
    for (const [tag, says] of [['v1.2.3', /could not push the tag `v1\.2\.3`/], ['v1', /could not move the tag `v1` to `v1\.2\.3`; `v1\.2\.3` is released/]]) {
        const { clone, publish } = await ready(t);
        const hook = join(clone.root, 'origin/hooks/update');
        await writeFile(hook, `#!/bin/sh\n[ "$1" != refs/tags/${tag} ]\n`, { mode: 0o755 });
        const { code, text } = await publish();
        assert.equal(code, 1, text);
        assert.match(text, says);
        await rm(hook);
        assert.equal((await publish()).code, 0);
        assert.equal(await clone.published('refs/tags/v1'), await clone.published('refs/tags/v1.2.3'));
    }
});
