/** A repository ready for a release, its origin, and fakes of the programs that publish a release. */
import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

import { ROOT, run, succeed, workspace } from './program.mjs';

export const VERSION = '1.2.3';

/** The release notes of the version, from CHANGELOG.md. */
export const NOTES = `### Added

- A thing, see [its issue].
- Another.

[its issue]: https://example.com/1
`;

const CHANGELOG = `# Changelog

## [Unreleased]

- Not yet, see [another].

## [${VERSION}] - 2026-11-22

${NOTES.split('\n[')[0]}
## [1.2.2] - 2026-10-01

- Long ago.

[its issue]: https://example.com/1
[another]: https://example.com/2
`;

export const TARGETS = (await readFile(join(ROOT, 'scripts/release/targets'), 'utf8')).trim().split('\n');

/** Returns the name of a target's archive. */
export const archiveOf = (target, version = VERSION) =>
    `gitbook-deploy-${version}-${target}${target.includes('-windows-') ? '.zip' : '.tar.gz'}`;

/** The parsed release workflow. */
export const workflow = parse(await readFile(join(ROOT, '.github/workflows/release.yml'), 'utf8'));

/** Creates a clone at a commit of main with a release tag; `files` change files of this repository. */
export async function release(t, files = {}) {
    const root = await workspace(t);
    const folder = join(root, 'clone');
    await mkdir(folder);
    for (const path of ['scripts/release', 'examples/hello', 'examples/ci', 'README.md', 'LICENSE-APACHE', 'LICENSE-MIT']) {
        await cp(join(ROOT, path), join(folder, path), { recursive: true });
    }
    const ours = /(name = "gitbook-deploy"\nversion = ")[^"]*/;
    for (const path of ['Cargo.toml', 'Cargo.lock']) {
        const text = await readFile(join(ROOT, path), 'utf8');
        await writeFile(join(folder, path), text.replace(ours, `$1${VERSION}`));
    }
    await writeFile(join(folder, 'CHANGELOG.md'), CHANGELOG);
    for (const [path, change] of Object.entries(files)) {
        await writeFile(join(folder, path), change(await readFile(join(folder, path), 'utf8')));
    }
    const clone = new Release(root, folder);
    await clone.git('init', '--quiet', '--initial-branch=main');
    await clone.commit('Prepare the release');
    await clone.git('clone', '--quiet', '--bare', folder, join(root, 'origin'));
    await clone.git('remote', 'add', 'origin', join(root, 'origin'));
    await clone.git('fetch', '--quiet', 'origin');
    await clone.git('tag', `release-${VERSION}`);
    return clone;
}

class Release {
    constructor(root, folder) {
        this.root = root;
        this.folder = folder;
        this.calls = join(root, 'calls');
    }

    async git(...args) {
        const identity = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.com'];
        return (await succeed('git', [...identity, ...args], { cwd: this.folder })).trim();
    }

    async commit(message) {
        await this.git('add', '--all');
        await this.git('commit', '--quiet', '--allow-empty', '--message', message);
    }

    /** Returns the commit of a ref at the origin; empty if the ref does not exist. */
    async published(ref) {
        return (await this.git('ls-remote', 'origin', ref)).split('\t')[0];
    }

    /** Runs a script of `scripts/release`. */
    run(script, ...args) {
        return this.bash('scripts/release/"$0" "$@"', {}, [script, ...args]);
    }

    /** Runs all steps of a workflow job that call a script of `scripts/release`, except the slow build. */
    async job(name, env = {}) {
        const steps = workflow.jobs[name].steps.filter(({ run }) => run?.includes('scripts/release/') && !run.includes('cargo build'));
        const ended = [];
        for (const step of steps) {
            ended.push(await this.bash(step.run, { VERSION, ...env }));
        }
        return { code: Math.max(...ended.map(({ code }) => code)), text: ended.map(({ text }) => text).join('') };
    }

    /** Runs bash like GitHub for `shell: bash`. */
    bash(text, env = {}, args = []) {
        const PATH = `${join(this.root, 'bin')}:${process.env.PATH}`;
        const options = { cwd: this.folder, env: { PATH, CALLS: this.calls, STATE: join(this.root, 'state'), ...env } };
        return run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', text, ...args], options);
    }

    /** Writes archives of all targets to a folder, each with its own small binary, `binary-TARGET`. */
    async archives(into = 'archives') {
        const packed = TARGETS.map(async (target) => {
            await writeFile(join(this.folder, `binary-${target}`), `#!/bin/sh\necho for ${target}\n`);
            return this.run('archive', VERSION, target, `binary-${target}`, into);
        });
        for (const { code, text } of await Promise.all(packed)) {
            if (code !== 0) throw new Error(text);
        }
        return (await readdir(join(this.folder, into))).sort();
    }

    /** Puts these programs first in `PATH`, and makes the origin record all pushes. */
    async replace(programs) {
        const hook = 'sed "s|^|git push |;s|[0-9a-f]\\{40\\} ||g" >>"$CALLS"';
        const files = { 'origin/hooks/post-receive': hook };
        for (const [name, text] of Object.entries(programs)) {
            files[`bin/${name}`] = `printf '%s\\n' "${name} $*" >>"$CALLS"\n${text}`;
        }
        await mkdir(join(this.root, 'bin'), { recursive: true });
        for (const [path, text] of Object.entries(files)) {
            await writeFile(join(this.root, path), `#!/usr/bin/env bash\n${text}\n`);
            await chmod(join(this.root, path), 0o755);
        }
    }

    /** Returns the calls and pushes since the last call of this function, in order. */
    async called() {
        const text = await readFile(this.calls, 'utf8').catch(() => '');
        await writeFile(this.calls, '');
        return text.trim().split('\n').filter(Boolean);
    }
}
