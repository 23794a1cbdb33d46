import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { STATIC_LIBRARY, needs } from './support/needs.mjs';
import { BINARY, ROOT, run, succeed, tool } from './support/program.mjs';
import { archiveOf, NOTES, release, TARGETS, VERSION, workflow } from './support/releases.mjs';

/** The version of the binary that was built. */
const BUILT = (await succeed(BINARY, ['--version'])).trim().split(' ')[1];

const NEEDED = needs('git');

const MEMBERS = ['CHANGELOG.md', 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md'];

async function refuses(running, message) {
    const { code, text } = await running;
    assert.notEqual(code, 0, text);
    assert.ok(text.includes(message), text);
}

test('a tag whose version is told everywhere may be released', NEEDED, async (t) => {
    const clone = await release(t);
    const output = join(clone.root, 'output');
    const { code, text } = await clone.job('check', { GITHUB_REF_NAME: `release-${VERSION}`, GITHUB_OUTPUT: output });
    assert.equal(code, 0, text);
    assert.equal(await readFile(output, 'utf8'), `version=${VERSION}\n`);
});

test('any other tag is refused', NEEDED, async (t) => {
    const clone = await release(t);
    for (const tag of [`v${VERSION}`, 'release-1.2', 'release-01.2.3', 'release-1.2.3-rc.1']) {
        await refuses(clone.run('check', tag), `\`${tag}\` names no release`);
    }
    await refuses(clone.run('check', 'release-1.2.4'), `Cargo.toml says ${VERSION}`);

    await clone.git('tag', `v${VERSION}`);
    await refuses(clone.run('check', `release-${VERSION}`), `v${VERSION} exists, and a version is never moved`);
    await clone.git('tag', '--delete', `v${VERSION}`);

    await clone.commit('Not merged');
    await refuses(clone.run('check', `release-${VERSION}`), `release-${VERSION} is not what is checked out`);
    await clone.git('tag', '--force', `release-${VERSION}`);
    await refuses(clone.run('check', `release-${VERSION}`), 'is not on main');
    await clone.git('tag', '--delete', `release-${VERSION}`);
    await refuses(clone.run('check', `release-${VERSION}`), `there is no tag release-${VERSION} here`);
});

test('a version that is not told everywhere is refused', NEEDED, async (t) => {
    const check = async (files, message) => {
        const clone = await release(t, files);
        await refuses(clone.run('check', `release-${VERSION}`), message);
    };
    await check({ 'Cargo.lock': (text) => text.replace(`"${VERSION}"`, '"1.2.2"') }, 'Cargo.lock says 1.2.2');
    const heading = `## [${VERSION}] - 2026-11-22\n`;
    const changelog = (change) => ({ 'CHANGELOG.md': change });
    await check(changelog((text) => text.replace(heading, '')), 'CHANGELOG.md has no section');
    await check(changelog((text) => text.replace(' - 2026-11-22', '')), 'CHANGELOG.md has no section');
    await check(changelog((text) => text.replace('[1.2.3]', '[1x2.3]')), 'CHANGELOG.md has no section');
    const empty = (text) => text.replace(heading, `${heading}\n### Added\n\n## [1.2.2.1] - 2026-11-21\n`);
    await check(changelog(empty), `CHANGELOG.md says nothing of ${VERSION}`);
});

test('the notes are the section of the version, and the links that it uses', NEEDED, async (t) => {
    const clone = await release(t);
    const { stdout } = await clone.run('notes', VERSION);
    assert.equal(stdout, NOTES);
    assert.equal((await clone.run('notes', '1.2.2')).stdout, '- Long ago.\n');
});

test('the binary that was built is tried before it is packed', needs('git', STATIC_LIBRARY), async (t) => {
    const clone = await release(t);
    const { code, text } = await clone.run('try', BUILT, BINARY);
    assert.equal(code, 0, text);
    assert.ok((await stat(join(clone.folder, 'target/tried/hello/script.js'))).size > 0);
    await refuses(clone.run('try', '9.9.9', BINARY), `it is \`gitbook-deploy ${BUILT}\`, not gitbook-deploy 9.9.9`);
    const liar = (more) => writeFile(join(clone.folder, 'liar'), `#!/bin/sh\necho gitbook-deploy ${VERSION}\n${more}`, { mode: 0o755 });
    await liar('');
    await refuses(clone.run('try', VERSION, 'liar'), 'nothing was published');
    await liar('# /lib64/ld-linux-x86-64.so.2');
    await refuses(clone.run('try', VERSION, 'liar'), 'the binary is not linked statically');
});

test('an archive unpacks to a binary that runs and its papers', needs('git', STATIC_LIBRARY), async (t) => {
    const clone = await release(t);
    const { code, text } = await clone.job('build', { VERSION: BUILT, TARGET: 'x86_64-unknown-linux-musl', BINARY });
    assert.equal(code, 0, text);
    const unpacked = join(clone.root, 'unpacked');
    await succeed('mkdir', [unpacked]);
    const archive = join(clone.folder, 'archives', archiveOf('x86_64-unknown-linux-musl', BUILT));
    await succeed('tar', ['-xzf', archive, '-C', unpacked]);
    assert.deepEqual((await readdir(unpacked)).sort(), [...MEMBERS, 'gitbook-deploy']);
    assert.ok((await readFile(join(unpacked, 'gitbook-deploy'))).equals(await readFile(BINARY)));
    assert.match(await succeed(join(unpacked, 'gitbook-deploy'), ['--version']), /^gitbook-deploy /);
    for (const name of MEMBERS) {
        assert.deepEqual(await readFile(join(unpacked, name)), await readFile(join(clone.folder, name)));
    }
});

test('the archive for Windows is a zip of the same', NEEDED, async (t) => {
    const clone = await release(t);
    await clone.archives();
    const unpacked = join(clone.root, 'unpacked');
    const zip = join(clone.folder, 'archives', archiveOf('x86_64-pc-windows-msvc'));
    await succeed('python3', ['-m', 'zipfile', '-e', zip, unpacked]);
    assert.deepEqual((await readdir(unpacked)).sort(), [...MEMBERS, 'gitbook-deploy.exe']);
    const binary = await readFile(join(unpacked, 'gitbook-deploy.exe'), 'utf8');
    assert.equal(binary, await readFile(join(clone.folder, 'binary-x86_64-pc-windows-msvc'), 'utf8'));
});

test('packed again from another folder, with files of another time, an archive has the same bytes', NEEDED, async (t) => {
    const clone = await release(t);
    const names = await clone.archives();
    assert.equal(names.length, TARGETS.length);
    const copy = join(clone.root, 'copy');
    await cp(clone.folder, copy, { recursive: true });
    await rm(join(copy, 'archives'), { recursive: true });
    await succeed('touch', ['-d', '2001-02-03', join(copy, 'README.md'), ...TARGETS.map((target) => join(copy, `binary-${target}`))]);
    for (const target of TARGETS) {
        await succeed(join(copy, 'scripts/release/archive'), [VERSION, target, join(copy, `binary-${target}`), join(copy, 'archives')]);
        const bytes = (folder) => readFile(join(folder, 'archives', archiveOf(target)));
        assert.ok((await bytes(copy)).equals(await bytes(clone.folder)), target);
    }
});

test('what is no archive of a release is not packed', NEEDED, async (t) => {
    const clone = await release(t);
    await refuses(clone.run('archive', VERSION, 'riscv64gc-unknown-linux-musl', BINARY, 'x'), 'is no target of a release');
    await refuses(clone.run('archive', VERSION, TARGETS[0], 'none', 'x'), `was the binary built for ${TARGETS[0]}?`);
});

test('the checksums are those of all archives, and of nothing else', NEEDED, async (t) => {
    const clone = await release(t);
    const names = await clone.archives('release/assets');
    await writeFile(join(clone.folder, 'release/assets/gitbook-deploy-1.2.3.cdx.json'), '{}');
    const { code, text } = await clone.job('assets');
    assert.equal(code, 0, text);
    const folder = join(clone.folder, 'release/assets');
    const sums = await readFile(join(folder, 'SHA256SUMS'), 'utf8');
    assert.deepEqual(sums.match(/(?<=^[0-9a-f]{64} {2}).*$/gm), names);
    assert.deepEqual(names, TARGETS.map((target) => archiveOf(target)).sort());
    await succeed('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
    assert.equal(await readFile(join(clone.folder, 'release/notes.md'), 'utf8'), NOTES);

    await writeFile(join(folder, 'gitbook-deploy-1.2.2-x86_64-apple-darwin.tar.gz'), '');
    await refuses(clone.run('checksums', VERSION, folder), '> gitbook-deploy-1.2.2-x86_64-apple-darwin.tar.gz');
    await rm(join(folder, 'gitbook-deploy-1.2.2-x86_64-apple-darwin.tar.gz'));
    await rm(join(folder, names[0]));
    await refuses(clone.run('checksums', VERSION, folder), `< ${names[0]}`);
});

test('the list of what it is made of is valid CycloneDX, complete, and the same each time', needs('git', tool('python')), async (t) => {
    const clone = await release(t);
    const { CARGO_HOME, RUSTUP_HOME, RUSTUP_TOOLCHAIN } = process.env;
    const options = { env: { CARGO_HOME, RUSTUP_HOME, RUSTUP_TOOLCHAIN, SOURCE_DATE_EPOCH: '1795000000' }, seconds: 1200 };
    const files = ['once', 'again'].map((name) => join(clone.root, `${name}.cdx.json`));
    for (const file of files) {
        await succeed(join(ROOT, 'scripts/release/sbom'), [file], options);
    }
    const [once, again] = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    assert.equal(once, again);
    assert.ok(!once.includes(ROOT.replace(/\/$/, '')), 'it names the folder that it was made in');
    const validate = `import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))`;
    await succeed(tool('python'), ['-c', validate, files[0]]);
    await writeFile(files[1], once.replace('"version": 1,', '"version": "one",'));
    assert.notEqual((await run(tool('python'), ['-c', validate, files[1]])).code, 0, 'the validator finds nothing');

    const { components, metadata } = JSON.parse(once);
    assert.equal(metadata.component.name, 'gitbook-deploy');
    const version = (name) => components.filter((part) => part.name === name).map((part) => part.version);
    assert.deepEqual(version('rolldown'), ['1.2.5']);
    assert.deepEqual([version('mimalloc').length, version('wiremock').length], [1, 0], 'musl has its part, tests have none');
});

test('the workflow calls what there is, for the targets that there are, with the Rust that is asked for', async () => {
    const scripts = (await readdir(join(ROOT, 'scripts/release'))).filter((name) => name !== 'targets');
    const called = JSON.stringify(workflow).matchAll(/scripts\/release\/(\w+)/g);
    assert.deepEqual([...new Set([...called].map(([, name]) => name))].sort(), scripts.sort());
    const targets = workflow.jobs.build.strategy.matrix.include.map(({ target }) => target);
    assert.deepEqual(targets.sort(), TARGETS);
    const [, rust] = (await readFile(join(ROOT, 'Cargo.toml'), 'utf8')).match(/^rust-version = "(.*)"$/m);
    assert.equal(workflow.env.RUSTUP_TOOLCHAIN, rust);
});

test('only the last job may write to the repository, and nothing is taken from a cache', async () => {
    assert.deepEqual(workflow.permissions, {});
    const jobs = Object.entries(workflow.jobs);
    const writers = jobs.filter(([, { permissions }]) => permissions.contents !== 'read').map(([name]) => name);
    assert.deepEqual(writers, ['publish']);
    assert.deepEqual(workflow.jobs.publish.needs, ['check', 'assets', 'image']);
    assert.equal(workflow.jobs.publish.environment, 'release');
    assert.ok(!jobs.some(([, { needs = [] }]) => [needs].flat().includes('publish')));
    const steps = jobs.flatMap(([, { steps }]) => steps);
    for (const { uses } of steps.filter((step) => step.uses)) {
        assert.match(uses, /^actions\/(checkout|upload-artifact|download-artifact|attest)@[0-9a-f]{40}$/);
    }
    assert.ok(!/cache/.test(JSON.stringify(steps)));
});
