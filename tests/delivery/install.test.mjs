/** How the action comes to its binary on each system, and what it says where it can't. */
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { needs } from './support/needs.mjs';
import { succeed, workspace } from './support/program.mjs';
import { TARGETS, VERSION, actionAt, archiveOf, archives, checksums, releaseServer } from './support/release.mjs';
import { programs, uses } from './support/runner.mjs';

const UNIX = ['curl', 'tar', 'gzip'];
// The sh of Git for Windows takes paths with backslashes.
const WINDOWS = [
    'curl',
    'unzip',
    'sha256sum',
    { sh: `#!/bin/sh\nexec /bin/sh "$(printf '%s' "$1" | tr '\\134' /)" "$2"\n` },
];

/** The runners, by what they say of themselves: the target of each, and the programs that its system has. */
const RUNNERS = {
    'Linux X64': ['x86_64-unknown-linux-musl', [...UNIX, 'sha256sum']],
    'Linux ARM64': ['aarch64-unknown-linux-musl', [...UNIX, 'sha256sum']],
    'macOS X64': ['x86_64-apple-darwin', [...UNIX, 'shasum']],
    'macOS ARM64': ['aarch64-apple-darwin', [...UNIX, 'shasum']],
    'Windows X64': ['x86_64-pc-windows-msvc', WINDOWS],
    'Windows ARM64': ['x86_64-pc-windows-msvc', WINDOWS],
};

/** Returns the options of a test on a kind of runner, which has these programs. */
const on = (kind, has = RUNNERS[kind][1]) => needs('dash', ...has.filter((program) => typeof program === 'string'));

const ON_LINUX = on('Linux X64');

/** A runner of a kind with the action checked out, a release on a server, and nothing else. */
async function runner(
    t,
    kind = 'Linux X64',
    { action = '_actions/gitbook-deploy/gitbook-deploy/v1', sums, has, sh, ...served } = {},
) {
    const released = await archives(t);
    const folder = await workspace(t, { 'work/hello': 'examples/hello' });
    const server = await releaseServer(t, released, served);
    const copy = await actionAt(join(folder, action), sums ? sums(checksums(released)) : checksums(released));
    const [os, arch] = kind.split(' ');
    const own = (path) => (os === 'Windows' ? path.replaceAll('/', '\\') : path);
    const machine = {
        RUNNER_OS: os,
        RUNNER_ARCH: arch,
        RUNNER_TEMP: own(join(folder, 'temp')),
        RUNNER_TOOL_CACHE: own(join(folder, 'tools')),
        GITHUB_ACTION_PATH: own(copy),
        ...server.env,
    };
    const path = await programs(folder, has ?? RUNNERS[kind][1], { sh });
    const inputs = { endpoint: 'sandbox', mode: 'publish' };
    const deploy = (more) => uses({ workspace: join(folder, 'work'), path, machine, inputs, seconds: 60, ...more });
    return { folder, server, deploy, tools: join(folder, 'tools') };
}

/** Every file below a folder. */
async function files(folder) {
    const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    return found
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
        .sort();
}

/** The step ends with one annotation, which says this and runs nothing. */
function refused({ code, text, outputs, steps }, says) {
    assert.equal(code, 1, text);
    const annotations = text.split('\n').filter((line) => line.startsWith('::'));
    assert.equal(annotations.length, 1, text);
    assert.match(annotations[0], /^::error title=gitbook-deploy is not installed::/);
    assert.match(annotations[0], says);
    assert.equal(outputs.result, '', 'something was deployed');
    assert.ok(!Object.keys(steps).includes('deploy'), 'something was run');
}

for (const [kind, [target]] of Object.entries(RUNNERS)) {
    test(`on ${kind}, the release is fetched once and then taken from the tool cache`, on(kind), async (t) => {
        const { deploy, server, tools } = await runner(t, kind);
        const first = await deploy();
        assert.equal(first.code, 0, first.text);
        assert.equal(first.outputs.result, 'published', first.text);
        const url = `/gitbook-deploy/gitbook-deploy/releases/download/v${VERSION}/${archiveOf(target)}`;
        assert.deepEqual(server.asked, [url]);
        const arch = target.startsWith('aarch64') ? 'arm64' : 'x64';
        assert.deepEqual(await files(tools), [`gitbook-deploy/${VERSION}/${arch}/${archiveOf(target)}`]);
        const second = await deploy();
        assert.equal(second.code, 0, second.text);
        assert.deepEqual(server.asked, [url], second.text);
        assert.equal(second.outputs.result, 'published', second.text);
        assert.match(second.steps.install.outputs.binary, TARGETS[target] === 'zip' ? /\.exe$/ : /gitbook-deploy$/);
    });
}

test('nothing is fetched with what is in the tool cache, so no curl is needed', ON_LINUX, async (t) => {
    const { deploy, server, folder } = await runner(t);
    assert.equal((await deploy()).code, 0);
    const path = await programs(folder, ['tar', 'gzip', 'sha256sum']);
    const { code, text } = await deploy({ path });
    assert.equal(code, 0, text);
    assert.equal(server.asked.length, 1, text);
});

for (const sh of ['bash', 'busybox']) {
    test(`the script runs in ${sh}, too`, on('Linux X64', [...RUNNERS['Linux X64'][1], sh]), async (t) => {
        const { deploy, tools } = await runner(t, 'Linux X64', { sh });
        const { code, text, outputs } = await deploy();
        assert.equal(code, 0, text);
        assert.equal(outputs.result, 'published', text);
        assert.equal((await files(tools)).length, 1);
    });
}

test('the release is that of the repository which the action is from', ON_LINUX, async (t) => {
    const repository = 'acme/a-fork';
    const url = `/${repository}/releases/download/v${VERSION}/${archiveOf('x86_64-unknown-linux-musl')}`;
    for (const [action, github] of [
        ['_actions/acme/a-fork/feature/x', { action_repository: 'somebody/else' }], // GitHub's runner, on a branch with a slash
        ['hash-0815', { action_repository: repository }], // Gitea's and Forgejo's
    ]) {
        const { deploy, server } = await runner(t, 'Linux X64', { action, repository });
        const { code, text } = await deploy({ github });
        assert.equal(code, 0, text);
        assert.deepEqual(server.asked, [url]);
    }
    // A submodule, or a copy.
    const { deploy, server } = await runner(t, 'Linux X64', { action: 'tools/deploy' });
    assert.equal((await deploy()).code, 0);
    assert.match(server.asked[0], /^\/gitbook-deploy\/gitbook-deploy\//);
});

test('two jobs at once on one machine both have the whole binary', ON_LINUX, async (t) => {
    const { deploy, folder, tools } = await runner(t);
    const ended = await Promise.all(
        ['one', 'two'].map((name) =>
            deploy({ workspace: join(folder, name), inputs: { mode: 'check', integrations: '../work/hello' } }),
        ),
    );
    for (const { code, text } of ended) {
        assert.equal(code, 0, text);
    }
    assert.equal((await files(tools)).length, 1, 'parts are left');
});

/** Archives that somebody else may have put to the tool cache, where other repositories' jobs can write, too. */
const FOREIGN = {
    'half an archive': async (archive) => writeFile(archive, (await readFile(archive)).subarray(0, 1000)),
    "somebody's own archive": async (archive, folder) => {
        await writeFile(join(folder, 'gitbook-deploy'), '#!/bin/sh\necho result=stolen >>"$GITHUB_OUTPUT"\n', { mode: 0o755 });
        await succeed('tar', ['-czf', archive, '-C', folder, 'gitbook-deploy']);
    },
    "somebody's own binary": async (archive) => {
        const program = '#!/bin/sh\necho result=stolen >>"$GITHUB_OUTPUT"\n';
        await writeFile(join(dirname(archive), 'gitbook-deploy'), program, { mode: 0o755 });
        await writeFile(`${dirname(archive)}.complete`, '');
        await rm(archive);
    },
    'a folder': async (archive) => {
        await rm(archive);
        await mkdir(archive);
    },
};
for (const [what, put] of Object.entries(FOREIGN)) {
    test(`${what} in the tool cache is not run`, ON_LINUX, async (t) => {
        const { deploy, tools, folder, server } = await runner(t);
        assert.equal((await deploy()).code, 0);
        const [archive] = await files(tools);
        await put(join(tools, archive), folder);
        const { code, text, outputs } = await deploy();
        assert.equal(code, 0, text);
        assert.equal(outputs.result, 'published', text);
        assert.equal(server.asked.length, 2, 'it was fetched anew');
    });
}

test('where the tool cache is missing or cannot be written, the job has the binary for itself', ON_LINUX, async (t) => {
    const { deploy, folder } = await runner(t);
    await writeFile(join(folder, 'tools'), 'a file, so that no folder can be made below it');
    const { code, text, steps } = await deploy();
    assert.equal(code, 0, text);
    assert.ok(steps.install.outputs.binary.startsWith(join(folder, 'temp')), text);
    const without = await deploy({ env: { RUNNER_TOOL_CACHE: '' } });
    assert.equal(without.code, 0, without.text);
    assert.deepEqual(
        (await files(join(folder, 'temp/gitbook-deploy'))).map((name) => name.split('/').at(-1)),
        [archiveOf('x86_64-unknown-linux-musl')],
    );
});

test('a disk that fills up leaves no half a binary behind', ON_LINUX, async (t) => {
    const half = '#!/bin/sh\n/usr/bin/head -c 1000 "$1" >"$2"\nexit 1\n';
    const { deploy, folder, tools } = await runner(t, 'Linux X64', { has: [...UNIX, 'sha256sum', { cp: half }] });
    const { code, text, steps } = await deploy();
    assert.equal(code, 0, text);
    assert.ok(steps.install.outputs.binary.startsWith(join(folder, 'temp')), text);
    assert.deepEqual(await files(tools), []);
});

const github = 'github.com:443';

test('an archive whose checksum does not match is not run and not kept', ON_LINUX, async (t) => {
    const wrong = (sums) => sums.replace(/^[0-9a-f]{8}/gm, '00000000');
    const { deploy, tools, folder, server } = await runner(t, 'Linux X64', { sums: wrong });
    refused(await deploy(), /SHA-256 [0-9a-f]{64}, and SHA256SUMS of this release says 00000000.* was not run/);
    assert.deepEqual(await files(tools), []);
    assert.deepEqual(
        (await files(join(folder, 'temp'))).filter((name) => !name.endsWith('.tar.gz')),
        [],
        'it was unpacked',
    );
    assert.equal(server.asked[1], github);
});

test('a release that is gone is said, after a second try at github.com', ON_LINUX, async (t) => {
    const { deploy, tools, server } = await runner(t, 'Linux X64', { repository: 'somebody/else' });
    refused(
        await deploy(),
        /could not be downloaded from http:\/\/127.* nor from https:\/\/github.com: .*release gone.* the input `binary`/,
    );
    assert.deepEqual(await files(tools), []);
    assert.equal(server.asked.length, 2);
    assert.equal(server.asked[1], github);
});

const half = (bytes) => bytes.subarray(0, bytes.length / 2);
const brokenOff = {
    'with its length told': (response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(half(bytes), () => response.destroy());
    },
    'without its length': (response, bytes) => response.writeHead(200).end(half(bytes)),
};
for (const [how, answer] of Object.entries(brokenOff)) {
    test(`half a download ${how} is not run`, ON_LINUX, async (t) => {
        const { deploy, tools } = await runner(t, 'Linux X64', { answer });
        refused(await deploy(), /could not be downloaded/);
        assert.deepEqual(await files(tools), []);
    });
}

test('a server that falls silent is given up', ON_LINUX, async (t) => {
    const answer = (response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(half(bytes));
    };
    // curl with less patience: what the script gives it in seconds, it has in one. With none given, it waits for ever.
    const impatient = `#!/bin/sh
for argument; do
    case $before in --speed-time) argument=1 ;; --retry) argument=0 ;; esac
    before=$argument; shift; set -- "$@" "$argument"
done
exec /usr/bin/curl "$@"
`;
    const { deploy, tools } = await runner(t, 'Linux X64', {
        answer,
        has: ['tar', 'gzip', 'sha256sum', { curl: impatient }],
    });
    refused(await deploy({ seconds: 20 }), /could not be downloaded/);
    assert.deepEqual(await files(tools), []);
});

test('a server that is busy is asked again', ON_LINUX, async (t) => {
    let tries = 0;
    const answer = (response, bytes) => (tries++ ? response.end(bytes) : response.writeHead(503).end());
    const { deploy, server } = await runner(t, 'Linux X64', { answer });
    assert.equal((await deploy()).code, 0);
    assert.equal(server.asked.length, 2);
});

for (const [kind, lacks] of [
    ['Linux X64', 'curl'],
    ['Linux X64', 'tar'],
    ['Linux X64', 'gzip'],
    ['Linux X64', 'sha256sum'],
    ['Windows X64', 'unzip'],
]) {
    const has = RUNNERS[kind][1].filter((name) => name !== lacks);
    test(`on ${kind} without ${lacks}, the step says so`, on(kind, has), async (t) => {
        const { deploy, server } = await runner(t, kind, { has });
        refused(await deploy(), new RegExp(`\`${lacks}\`.* missing on this runner: install .* the input \`binary\``));
        assert.deepEqual(server.asked, []);
    });
}

for (const kind of ['Linux X86', 'Linux ARM', 'FreeBSD X64', ' ']) {
    test(`a runner that calls itself "${kind}" is told which ones there are`, ON_LINUX, async (t) => {
        const { deploy } = await runner(t, kind, { has: RUNNERS['Linux X64'][1] });
        refused(await deploy(), /no binary for this runner \(.+, .+\): use one with Linux, macOS or Windows/);
    });
}

test('a branch of the action is no release', ON_LINUX, async (t) => {
    const { deploy, server } = await runner(t, 'Linux X64', { sums: () => '' });
    refused(
        await deploy(),
        /is no release.* the tag of a release.* such as v1, not a branch, or name a binary of your own/,
    );
    assert.deepEqual(server.asked, []);
});

test('a release without an archive for the runner says so', ON_LINUX, async (t) => {
    const sums = (text) => text.replace(/^.*aarch64.*\n/gm, '');
    const { deploy } = await runner(t, 'Linux ARM64', { sums });
    refused(await deploy(), /no archive for aarch64-unknown-linux-musl/);
});

test('a binary of its own is run without anything being fetched, a branch of the action or not', on('Linux X86', []), async (t) => {
    const { deploy, server, folder } = await runner(t, 'Linux X86', { sums: () => '', has: [] });
    await writeFile(join(folder, 'work/own'), '#!/bin/sh\necho result=own >>"$GITHUB_OUTPUT"\n', { mode: 0o755 });
    for (const binary of ['own', './own', join(folder, 'work/own')]) {
        const { code, text, outputs } = await deploy({ inputs: { binary } });
        assert.equal(code, 0, text);
        assert.equal(outputs.result, 'own');
    }
    assert.deepEqual(server.asked, []);
});

test('a binary of its own that is missing, a folder or not executable is told', ON_LINUX, async (t) => {
    const { deploy, folder } = await runner(t);
    await writeFile(join(folder, 'work/plain'), 'x');
    refused(
        await deploy({ inputs: { binary: 'not/there' } }),
        /not\/there, and there is no such file: build or download it/,
    );
    refused(await deploy({ inputs: { binary: 'hello' } }), /hello, and there is no such file/);
    refused(await deploy({ inputs: { binary: 'plain' } }), /plain, which is not executable: run `chmod \+x`/);
    refused(await deploy({ inputs: { binary: '100%\n::notice::x' } }), /100%25 ::notice::x/);
});

test('from a bare runner to the first request', ON_LINUX, async (t) => {
    const { deploy, folder } = await runner(t);
    let first;
    const api = createServer((request, response) => {
        first ??= performance.now();
        response.writeHead(401).end();
    });
    await new Promise((listening) => api.listen(0, '127.0.0.1', listening));
    t.after(() => api.close());
    const inputs = { endpoint: `http://127.0.0.1:${api.address().port}`, token: 'x', mode: 'publish' };
    for (const how of ['with the release fetched over loopback, verified and unpacked', 'from the tool cache']) {
        first = undefined;
        const start = performance.now();
        const { code, text } = await deploy({ inputs });
        assert.equal(code, 1, text);
        assert.ok(first, 'nothing was asked');
        t.diagnostic(`${how}: ${((first - start) / 1000).toFixed(2)} s`);
    }
    assert.equal((await files(join(folder, 'tools'))).length, 1);
});
