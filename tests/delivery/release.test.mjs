import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { STATIC_LIBRARY, needs } from './support/needs.mjs';
import { BINARY, ROOT, run, succeed, tool } from './support/program.mjs';
import { archiveOf, NOTES, release, TARGETS, VERSION, workflow } from './support/releases.mjs';

/** The version of the binary under test. */
const BUILT = (await succeed(BINARY, ['--version'])).trim().split(' ')[1];

const NEEDED = needs('git');

const MEMBERS = ['CHANGELOG.md', 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md'];

async function refuses(running, message) {
    const { code, text } = await running;
    assert.notEqual(code, 0, text);
    assert.ok(text.includes(message), text);
}

test('accepts a tag whose version matches Cargo.toml, Cargo.lock and CHANGELOG.md', NEEDED, async (t) => {
    const clone = await release(t);
    const output = join(clone.root, 'output');
    const { code, text } = await clone.job('check', { GITHUB_REF_NAME: `release-${VERSION}`, GITHUB_OUTPUT: output });
    assert.equal(code, 0, text);
    assert.equal(await readFile(output, 'utf8'), `version=${VERSION}\n`);
});

test('rejects an invalid, existing, unmerged or missing tag', NEEDED, async (t) => {
    const clone = await release(t);
    for (const tag of [`v${VERSION}`, 'release-1.2', 'release-01.2.3', 'release-1.2.3-rc.1']) {
        await refuses(clone.run('check', tag), `invalid release tag \`${tag}\``);
    }
    await refuses(clone.run('check', 'release-1.2.4'), `version mismatch: Cargo.toml has ${VERSION}, the tag 1.2.4`);

    await clone.git('tag', `v${VERSION}`);
    await refuses(clone.run('check', `release-${VERSION}`), `version \`v${VERSION}\` already exists`);
    await clone.git('tag', '--delete', `v${VERSION}`);

    await clone.commit('Not merged');
    await refuses(clone.run('check', `release-${VERSION}`), `tag \`release-${VERSION}\` is not the checked-out commit`);
    await clone.git('tag', '--force', `release-${VERSION}`);
    await refuses(clone.run('check', `release-${VERSION}`), 'is not on main');
    await clone.git('tag', '--delete', `release-${VERSION}`);
    await refuses(clone.run('check', `release-${VERSION}`), `tag \`release-${VERSION}\` not found`);
});

test('rejects a version that differs in Cargo.lock or has no changelog section', NEEDED, async (t) => {
    const check = async (files, message) => {
        const clone = await release(t, files);
        await refuses(clone.run('check', `release-${VERSION}`), message);
    };
    await check({ 'Cargo.lock': (text) => text.replace(`"${VERSION}"`, '"1.2.2"') }, 'version mismatch: Cargo.lock has 1.2.2');
    const heading = `## [${VERSION}] - 2026-11-22\n`;
    const changelog = (change) => ({ 'CHANGELOG.md': change });
    await check(changelog((text) => text.replace(heading, '')), 'CHANGELOG.md has no section');
    await check(changelog((text) => text.replace(' - 2026-11-22', '')), 'CHANGELOG.md has no section');
    await check(changelog((text) => text.replace('[1.2.3]', '[1x2.3]')), 'CHANGELOG.md has no section');
    const empty = (text) => text.replace(heading, `${heading}\n### Added\n\n## [1.2.2.1] - 2026-11-21\n`);
    await check(changelog(empty), `the section of ${VERSION} in CHANGELOG.md is empty`);
});

test('prints the changelog section of the version with its link definitions as release notes', NEEDED, async (t) => {
    const clone = await release(t);
    const { stdout } = await clone.run('notes', VERSION);
    assert.equal(stdout, NOTES);
    assert.equal((await clone.run('notes', '1.2.2')).stdout, '- Long ago.\n');
});

test('tests the binary before packing it', needs('git', STATIC_LIBRARY), async (t) => {
    const clone = await release(t);
    const { code, text } = await clone.run('try', BUILT, BINARY);
    assert.equal(code, 0, text);
    assert.ok((await stat(join(clone.folder, 'target/tried/hello/script.js'))).size > 0);
    await refuses(clone.run('try', '9.9.9', BINARY), `prints \`gitbook-deploy ${BUILT}\`, expected \`gitbook-deploy 9.9.9\``);
    const liar = (more) => writeFile(join(clone.folder, 'liar'), `#!/bin/sh\necho gitbook-deploy ${VERSION}\n${more}`, { mode: 0o755 });
    await liar('');
    await refuses(clone.run('try', VERSION, 'liar'), 'the binary published nothing');
    await liar('# /lib64/ld-linux-x86-64.so.2');
    await refuses(clone.run('try', VERSION, 'liar'), 'the binary is not linked statically');
});

test('packs the binary with readme, changelog and licenses', needs('git', STATIC_LIBRARY), async (t) => {
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

test('packs the same files for Windows as a zip archive', NEEDED, async (t) => {
    const clone = await release(t);
    await clone.archives();
    const unpacked = join(clone.root, 'unpacked');
    const zip = join(clone.folder, 'archives', archiveOf('x86_64-pc-windows-msvc'));
    await succeed('python3', ['-m', 'zipfile', '-e', zip, unpacked]);
    assert.deepEqual((await readdir(unpacked)).sort(), [...MEMBERS, 'gitbook-deploy.exe']);
    const binary = await readFile(join(unpacked, 'gitbook-deploy.exe'), 'utf8');
    assert.equal(binary, await readFile(join(clone.folder, 'binary-x86_64-pc-windows-msvc'), 'utf8'));
});

test('packs identical archives from another folder and with other modification times', NEEDED, async (t) => {
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

test('rejects an unknown target and a missing binary', NEEDED, async (t) => {
    const clone = await release(t);
    await refuses(clone.run('archive', VERSION, 'riscv64gc-unknown-linux-musl', BINARY, 'x'), 'unknown target `riscv64gc-unknown-linux-musl`');
    await refuses(clone.run('archive', VERSION, TARGETS[0], 'none', 'x'), `build the binary for \`${TARGETS[0]}\` first`);
});

test('lists the checksum of every archive and of no other file', NEEDED, async (t) => {
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

test('writes a valid, complete and reproducible CycloneDX SBOM', needs('git', tool('python')), async (t) => {
    const clone = await release(t);
    const { CARGO_HOME, RUSTUP_HOME, RUSTUP_TOOLCHAIN } = process.env;
    const options = { env: { CARGO_HOME, RUSTUP_HOME, RUSTUP_TOOLCHAIN, SOURCE_DATE_EPOCH: '1795000000' }, seconds: 1200 };
    const files = ['once', 'again'].map((name) => join(clone.root, `${name}.cdx.json`));
    for (const file of files) {
        await succeed(join(ROOT, 'scripts/release/sbom'), [file], options);
    }
    const [once, again] = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    assert.equal(once, again);
    assert.ok(!once.includes(ROOT.replace(/\/$/, '')), 'the SBOM contains the path of the repository');
    const validate = `import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))`;
    await succeed(tool('python'), ['-c', validate, files[0]]);
    await writeFile(files[1], once.replace('"version": 1,', '"version": "one",'));
    assert.notEqual((await run(tool('python'), ['-c', validate, files[1]])).code, 0, 'the validator accepts an invalid SBOM');

    const { components, metadata } = JSON.parse(once);
    assert.equal(metadata.component.name, 'gitbook-deploy');
    const version = (name) => components.filter((part) => part.name === name).map((part) => part.version);
    assert.deepEqual(version('rolldown'), ['1.2.5']);
    assert.deepEqual([version('mimalloc').length, version('wiremock').length], [1, 0], 'the SBOM includes musl dependencies and excludes test dependencies');
});

test('the workflow calls every release script, builds every target and uses the Rust version of Cargo.toml', async () => {
    const scripts = (await readdir(join(ROOT, 'scripts/release'))).filter((name) => name !== 'targets');
    const called = JSON.stringify(workflow).matchAll(/scripts\/release\/(\w+)/g);
    assert.deepEqual([...new Set([...called].map(([, name]) => name))].sort(), scripts.sort());
    const targets = workflow.jobs.build.strategy.matrix.include.map(({ target }) => target);
    assert.deepEqual(targets.sort(), TARGETS);
    const [, rust] = (await readFile(join(ROOT, 'Cargo.toml'), 'utf8')).match(/^rust-version = "(.*)"$/m);
    assert.equal(workflow.env.RUSTUP_TOOLCHAIN, rust);
});

test('only the last job has write access to the repository, and no job uses a cache', async () => {
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
