/** Tests how the action installs the binary on each system, and its errors. */
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
// The sh of Git for Windows accepts paths with backslashes.
const WINDOWS = [
    'curl',
    'unzip',
    'sha256sum',
    { sh: `#!/bin/sh\nexec /bin/sh "$(printf '%s' "$1" | tr '\\134' /)" "$2"\n` },
];

/** The runners by `RUNNER_OS` and `RUNNER_ARCH`: their target and the programs on their systems. */
const RUNNERS = {
    'Linux X64': ['x86_64-unknown-linux-musl', [...UNIX, 'sha256sum']],
    'Linux ARM64': ['aarch64-unknown-linux-musl', [...UNIX, 'sha256sum']],
    'macOS X64': ['x86_64-apple-darwin', [...UNIX, 'shasum']],
    'macOS ARM64': ['aarch64-apple-darwin', [...UNIX, 'shasum']],
    'Windows X64': ['x86_64-pc-windows-msvc', WINDOWS],
    'Windows ARM64': ['x86_64-pc-windows-msvc', WINDOWS],
};

/** Returns the options of a test on a kind of runner with these programs. */
const on = (kind, has = RUNNERS[kind][1]) => needs('dash', ...has.filter((program) => typeof program === 'string'));

const ON_LINUX = on('Linux X64');

/** Prepares a runner with the action checked out and a release on a server. */
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

/** Lists all files below a folder. */
async function files(folder) {
    const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    return found
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
        .sort();
}

/** Asserts that the step failed with one matching annotation and ran nothing. */
function refused({ code, text, outputs, steps }, says) {
    assert.equal(code, 1, text);
    const annotations = text.split('\n').filter((line) => line.startsWith('::'));
    assert.equal(annotations.length, 1, text);
    assert.match(annotations[0], /^::error title=could not install gitbook-deploy::/);
    assert.match(annotations[0], says);
    assert.equal(outputs.result, '', 'an integration was deployed');
    assert.ok(!Object.keys(steps).includes('deploy'), 'the binary was run');
}

for (const [kind, [target]] of Object.entries(RUNNERS)) {
    test(`on ${kind}, downloads the release once and then uses the tool cache`, on(kind), async (t) => {
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

test('needs no curl when the archive is in the tool cache', ON_LINUX, async (t) => {
    const { deploy, server, folder } = await runner(t);
    assert.equal((await deploy()).code, 0);
    const path = await programs(folder, ['tar', 'gzip', 'sha256sum']);
    const { code, text } = await deploy({ path });
    assert.equal(code, 0, text);
    assert.equal(server.asked.length, 1, text);
});

for (const sh of ['bash', 'busybox']) {
    test(`the script runs in ${sh}`, on('Linux X64', [...RUNNERS['Linux X64'][1], sh]), async (t) => {
        const { deploy, tools } = await runner(t, 'Linux X64', { sh });
        const { code, text, outputs } = await deploy();
        assert.equal(code, 0, text);
        assert.equal(outputs.result, 'published', text);
        assert.equal((await files(tools)).length, 1);
    });
}

test("downloads the release from the action's repository", ON_LINUX, async (t) => {
    const repository = 'acme/a-fork';
    const url = `/${repository}/releases/download/v${VERSION}/${archiveOf('x86_64-unknown-linux-musl')}`;
    for (const [action, github] of [
        ['_actions/acme/a-fork/feature/x', { action_repository: 'somebody/else' }], // GitHub's runner, on a branch with a slash in its name
        ['hash-0815', { action_repository: repository }], // Gitea and Forgejo
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

test('two parallel jobs on one machine both get the complete binary', ON_LINUX, async (t) => {
    const { deploy, folder, tools } = await runner(t);
    const ended = await Promise.all(
        ['one', 'two'].map((name) =>
            deploy({ workspace: join(folder, name), inputs: { mode: 'check', integrations: '../work/hello' } }),
        ),
    );
    for (const { code, text } of ended) {
        assert.equal(code, 0, text);
    }
    assert.equal((await files(tools)).length, 1, 'temporary files were left in the tool cache');
});

/** Changes that a job of another repository could make to the tool cache. */
const FOREIGN = {
    'an incomplete archive': async (archive) => writeFile(archive, (await readFile(archive)).subarray(0, 1000)),
    "another repository's archive": async (archive, folder) => {
        await writeFile(join(folder, 'gitbook-deploy'), '#!/bin/sh\necho result=stolen >>"$GITHUB_OUTPUT"\n', { mode: 0o755 });
        await succeed('tar', ['-czf', archive, '-C', folder, 'gitbook-deploy']);
    },
    "another repository's binary": async (archive) => {
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
    test(`does not run ${what} from the tool cache`, ON_LINUX, async (t) => {
        const { deploy, tools, folder, server } = await runner(t);
        assert.equal((await deploy()).code, 0);
        const [archive] = await files(tools);
        await put(join(tools, archive), folder);
        const { code, text, outputs } = await deploy();
        assert.equal(code, 0, text);
        assert.equal(outputs.result, 'published', text);
        assert.equal(server.asked.length, 2, 'the archive was not downloaded again');
    });
}

test('installs the binary in the temporary folder if the tool cache is missing or not writable', ON_LINUX, async (t) => {
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

test('leaves no incomplete archive in the tool cache when the disk is full', ON_LINUX, async (t) => {
    const half = '#!/bin/sh\n/usr/bin/head -c 1000 "$1" >"$2"\nexit 1\n';
    const { deploy, folder, tools } = await runner(t, 'Linux X64', { has: [...UNIX, 'sha256sum', { cp: half }] });
    const { code, text, steps } = await deploy();
    assert.equal(code, 0, text);
    assert.ok(steps.install.outputs.binary.startsWith(join(folder, 'temp')), text);
    assert.deepEqual(await files(tools), []);
});

const github = 'github.com:443';

test('rejects an archive with a different checksum and does not store it', ON_LINUX, async (t) => {
    const wrong = (sums) => sums.replace(/^[0-9a-f]{8}/gm, '00000000');
    const { deploy, tools, folder, server } = await runner(t, 'Linux X64', { sums: wrong });
    refused(await deploy(), /rejected http\S+, because its SHA-256 checksum is [0-9a-f]{64}, expected 00000000/);
    assert.deepEqual(await files(tools), []);
    assert.deepEqual(
        (await files(join(folder, 'temp'))).filter((name) => !name.endsWith('.tar.gz')),
        [],
        'the archive was unpacked',
    );
    assert.equal(server.asked[1], github);
});

test('reports a missing release after a second attempt at github.com', ON_LINUX, async (t) => {
    const { deploy, tools, server } = await runner(t, 'Linux X64', { repository: 'somebody/else' });
    refused(
        await deploy(),
        /could not download \S+ from http:\/\/127.* or https:\/\/github.com: .*the release exists.* the input `binary`/,
    );
    assert.deepEqual(await files(tools), []);
    assert.equal(server.asked.length, 2);
    assert.equal(server.asked[1], github);
});

const half = (bytes) => bytes.subarray(0, bytes.length / 2);
const brokenOff = {
    'with a Content-Length': (response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(half(bytes), () => response.destroy());
    },
    'without a Content-Length': (response, bytes) => response.writeHead(200).end(half(bytes)),
};
for (const [how, answer] of Object.entries(brokenOff)) {
    test(`does not run an incomplete download ${how}`, ON_LINUX, async (t) => {
        const { deploy, tools } = await runner(t, 'Linux X64', { answer });
        refused(await deploy(), /could not download/);
        assert.deepEqual(await files(tools), []);
    });
}

test('stops waiting for a server that sends no data', ON_LINUX, async (t) => {
    const answer = (response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(half(bytes));
    };
    // Replaces the time limit of the script by one second. Without the option, curl would wait without limit.
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
    refused(await deploy({ seconds: 20 }), /could not download/);
    assert.deepEqual(await files(tools), []);
});

test('retries when the server is busy', ON_LINUX, async (t) => {
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
    test(`on ${kind}, reports that ${lacks} is missing`, on(kind, has), async (t) => {
        const { deploy, server } = await runner(t, kind, { has });
        refused(await deploy(), new RegExp(`\`${lacks}\`.* missing on this runner: install .* the input \`binary\``));
        assert.deepEqual(server.asked, []);
    });
}

for (const kind of ['Linux X86', 'Linux ARM', 'FreeBSD X64', ' ']) {
    test(`lists the supported runners for the unsupported runner "${kind}"`, ON_LINUX, async (t) => {
        const { deploy } = await runner(t, kind, { has: RUNNERS['Linux X64'][1] });
        refused(await deploy(), /no binary for this runner \(.+, .+\): use a runner with Linux, macOS or Windows/);
    });
}

test('rejects a branch of the action, which is not a release', ON_LINUX, async (t) => {
    const { deploy, server } = await runner(t, 'Linux X64', { sums: () => '' });
    refused(
        await deploy(),
        /is not a release: after the @, write a release tag such as v1, not a branch, or set the input `binary`/,
    );
    assert.deepEqual(server.asked, []);
});

test('reports a release without an archive for the runner', ON_LINUX, async (t) => {
    const sums = (text) => text.replace(/^.*aarch64.*\n/gm, '');
    const { deploy } = await runner(t, 'Linux ARM64', { sums });
    refused(await deploy(), /no archive for aarch64-unknown-linux-musl/);
});

test('runs the binary of the input `binary` without a download, even from a branch of the action', on('Linux X86', []), async (t) => {
    const { deploy, server, folder } = await runner(t, 'Linux X86', { sums: () => '', has: [] });
    await writeFile(join(folder, 'work/own'), '#!/bin/sh\necho result=own >>"$GITHUB_OUTPUT"\n', { mode: 0o755 });
    for (const binary of ['own', './own', join(folder, 'work/own')]) {
        const { code, text, outputs } = await deploy({ inputs: { binary } });
        assert.equal(code, 0, text);
        assert.equal(outputs.result, 'own');
    }
    assert.deepEqual(server.asked, []);
});

test('reports that the input `binary` is missing, a folder or not executable', ON_LINUX, async (t) => {
    const { deploy, folder } = await runner(t);
    await writeFile(join(folder, 'work/plain'), 'x');
    refused(
        await deploy({ inputs: { binary: 'not/there' } }),
        /not\/there, which is not a file: build or download it/,
    );
    refused(await deploy({ inputs: { binary: 'hello' } }), /hello, which is not a file/);
    refused(await deploy({ inputs: { binary: 'plain' } }), /plain, which is not executable: run `chmod \+x`/);
    refused(await deploy({ inputs: { binary: '100%\n::notice::x' } }), /100%25 ::notice::x/);
});

test('measures the time from the start of the step to the first request', ON_LINUX, async (t) => {
    const { deploy, folder } = await runner(t);
    let first;
    const api = createServer((request, response) => {
        first ??= performance.now();
        response.writeHead(401).end();
    });
    await new Promise((listening) => api.listen(0, '127.0.0.1', listening));
    t.after(() => api.close());
    const inputs = { endpoint: `http://127.0.0.1:${api.address().port}`, token: 'x', mode: 'publish' };
    for (const how of ['with the release downloaded over loopback, verified and unpacked', 'from the tool cache']) {
        first = undefined;
        const start = performance.now();
        const { code, text } = await deploy({ inputs });
        assert.equal(code, 1, text);
        assert.ok(first, 'no request was sent');
        t.diagnostic(`${how}: ${((first - start) / 1000).toFixed(2)} s`);
    }
    assert.equal((await files(join(folder, 'tools'))).length, 1);
});
