import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { CERTIFICATES, IMAGE, RUNTIME, engine } from './support/container.mjs';
import { CONTAINERS, STATIC_LIBRARY, needs } from './support/needs.mjs';
import { ROOT, run, succeed, tool } from './support/program.mjs';

const MIB = 1024 * 1024;
const TLS = `${ROOT}/tests/integration/fixtures/tls`;

const NEEDED = needs('buildah', 'podman', RUNTIME, CERTIFICATES, STATIC_LIBRARY, CONTAINERS);

let image;
before(async () => {
    if (NEEDED.skip) return;
    image = await engine();
    await image.build();
});
after(() => image?.remove());

/** Runs the image on a repository with additional options of `docker run`. */
const deploy = (repository, options, more) =>
    image.docker(['run', '--rm', '-v', `${repository}:/repo`, '-w', '/repo', ...options, IMAGE], more);

const SANDBOX = ['-e', 'GITBOOK_ENDPOINT=sandbox', '-e', 'GITBOOK_MODE=publish'];

/** Reads the integration as stored by the sandbox. */
const published = async (folder) => JSON.parse(await readFile(`${folder}/hello/integration.json`, 'utf8'));

test('hadolint reports no problems in the Dockerfile', needs(tool('hadolint')), async () => {
    const { code, text } = await run(tool('hadolint'), ['Dockerfile']);
    assert.equal(code, 0, text);
});

test('the image is at most 30 MiB, compressed and unpacked', NEEDED, async (t) => {
    const layers = await layersOf(await image.pushed());
    const sum = (sizes) => sizes.reduce((all, size) => all + size, 0);
    const pushed = sum(layers.map((layer) => layer.length));
    const unpacked = sum(layers.map((layer) => gunzipSync(layer).length));
    t.diagnostic(`${pushed} bytes pushed, ${unpacked} unpacked, ${layers.length} layers`);
    assert.ok(pushed > MIB && unpacked > pushed, 'no layers found');
    assert.ok(unpacked <= 30 * MIB, `${unpacked} bytes`);
});

/** Reads the layers of the only image in an OCI image layout. */
async function layersOf(folder) {
    const blob = (descriptor) => readFile(`${folder}/blobs/${descriptor.digest.replace(':', '/')}`);
    const index = JSON.parse(await readFile(`${folder}/index.json`, 'utf8'));
    const manifest = JSON.parse(await blob(index.manifests[0]));
    return Promise.all(manifest.layers.map(blob));
}

test('the image contains the binary, certificates and licenses, and no shell', NEEDED, async () => {
    const { stdout } = await image.docker(['create', IMAGE]);
    const files = await succeed('sh', ['-c', `docker export ${stdout.trim()} | tar -tv`], { env: image.env });
    await image.docker(['rm', stdout.trim()]);
    const listed = files.trim().split('\n').map((line) => line.split(/\s+/));
    const own = listed.filter(([mode, , size]) => mode.startsWith('-') && size > 0);
    assert.deepEqual(own.map(([mode, owner, , , , name]) => `${mode} ${owner} ${name}`).sort(), [
        '-rw-r--r-- 0/0 etc/ssl/certs/ca-certificates.crt',
        '-rw-r--r-- 0/0 usr/share/doc/gitbook-deploy/LICENSE-APACHE',
        '-rw-r--r-- 0/0 usr/share/doc/gitbook-deploy/LICENSE-MIT',
        '-rwxr-xr-x 0/0 gitbook-deploy',
    ]);
});

test('the image has its labels and starts the binary', NEEDED, async () => {
    const { stdout } = await image.docker(['image', 'inspect', IMAGE]);
    const { Entrypoint, Cmd, User, WorkingDir, Env, Labels } = JSON.parse(stdout)[0].Config;
    delete Labels['io.buildah.version'];
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    assert.deepEqual({ Entrypoint, Cmd, User, WorkingDir, Env, Labels }, {
        Entrypoint: ['/gitbook-deploy'],
        Cmd: undefined,
        User: undefined,
        WorkingDir: '/repo',
        Env: [path],
        Labels: {
            'org.opencontainers.image.title': 'gitbook-deploy',
            'org.opencontainers.image.description': await manifestOf('description'),
            'org.opencontainers.image.licenses': await manifestOf('license'),
            'org.opencontainers.image.source': 'https://github.com/gitbook-deploy/gitbook-deploy',
            'org.opencontainers.image.version': '1.2.3',
            'org.opencontainers.image.revision': '0123abc',
        },
    });
});

/** Reads a field of the program's Cargo.toml. */
async function manifestOf(field) {
    return new RegExp(`^${field} = "(.*)"$`, 'm').exec(await readFile(`${ROOT}/Cargo.toml`, 'utf8'))[1];
}

test('publishes as root and as another user, and writes only to the mounted folder', NEEDED, async () => {
    for (const user of ['0:0', '1234:1234']) {
        const repository = await image.repository();
        const { code, text } = await deploy(repository, ['--read-only', '--user', user, ...SANDBOX]);
        assert.equal(code, 0, text);
        assert.equal((await published(`${repository}/.gitbook-sandbox`)).name, 'hello');
    }
});

test('publishes from a read-only repository', NEEDED, async () => {
    const [repository, sandbox] = [await image.repository(), await image.repository()];
    const mounts = ['-v', `${repository}:/repo:ro`, '-v', `${sandbox}:/sandbox`, '-e', 'GITBOOK_SANDBOX_DIR=/sandbox'];
    const options = ['--read-only', '--user', '1234:1234', ...mounts, ...SANDBOX];
    const { code, text } = await image.docker(['run', '--rm', ...options, IMAGE]);
    assert.equal(code, 0, text);
    assert.equal((await published(sandbox)).name, 'hello');
});

/** The variables of a GitLab job for a push to the production branch. */
const JOB = {
    CI: 'true',
    GITLAB_CI: 'true',
    CI_COMMIT_BRANCH: 'main',
    CI_COMMIT_SHA: '1111111111111111111111111111111111111111',
    CI_DEFAULT_BRANCH: 'main',
    CI_PIPELINE_SOURCE: 'push',
    GITBOOK_ENDPOINT: 'sandbox',
};

test('each documented command deploys and reads the CI variables of gitbook.env', NEEDED, async () => {
    const lines = (await readFile(`${ROOT}/examples/docker/README.md`, 'utf8')).match(/^docker run (.*\\\n)*.*$/gm);
    assert.equal(lines.length, 3);
    for (const line of lines) {
        const repository = await image.repository();
        await copyFile(`${ROOT}/examples/docker/gitbook.env`, `${repository}/gitbook.env`);
        const { code, text } = await run('sh', ['-c', line], { cwd: repository, env: { ...image.env, ...JOB } });
        assert.equal(code, 0, text);
        assert.ok(!line.includes('gitbook.env') || text.includes('publish: push to `main`, the production branch'), text);
        assert.equal((await published(`${repository}/.gitbook-sandbox`)).name, 'hello');
    }
});

/** Returns options that publish to a server on this machine. */
const gitbook = (endpoint) =>
    ['--network', 'host', '-e', 'GITBOOK_MODE=publish', '-e', 'GITBOOK_TOKEN=token', '-e', `GITBOOK_ENDPOINT=${endpoint}`];

/** Starts a server on loopback for the duration of a test and returns its port. */
async function listening(t, server) {
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    t.after(() => new Promise((done) => server.close(done).closeAllConnections()));
    return server.address().port;
}

/** Starts a fake GitBook API with TLS that accepts every publish. */
async function secureGitbook(t) {
    const [key, cert] = await Promise.all([readFile(`${TLS}/server.key.der`), readFile(`${TLS}/server.crt.der`)]);
    const options = {
        key: createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }),
        cert: new X509Certificate(cert).toString(),
    };
    const requests = [];
    const server = createSecureServer(options, (request, response) => {
        requests.push(`${request.method} ${request.url}`);
        response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ name: 'hello', title: 'Hello', version: 1 }));
    });
    const port = await listening(t, server);
    return { requests, options: gitbook(`https://localhost:${port}`) };
}

test('trusts a mounted certificate authority', NEEDED, async (t) => {
    const { requests, options } = await secureGitbook(t);
    const authority = ['-v', `${TLS}/authority.pem:/authority.pem:ro`, '-e', 'SSL_CERT_FILE=/authority.pem'];
    const { code, text } = await deploy(await image.repository(), ['--read-only', ...authority, ...options]);
    assert.equal(code, 0, text);
    assert.deepEqual(requests, ['GET /v1/integrations/hello', 'POST /v1/integrations/hello']);
});

test('uses the certificates of the image and rejects an unknown authority', NEEDED, async (t) => {
    const { requests, options } = await secureGitbook(t);
    const { code, text } = await deploy(await image.repository(), options);
    assert.equal(code, 1, text);
    assert.match(text, /invalid peer certificate: UnknownIssuer/);
    assert.deepEqual(requests, []);
});

describe('as PID 1', { concurrency: true }, () => {
    for (const [signal, expected] of [['SIGTERM', 143], ['SIGINT', 130]]) {
        test(`exits within 10 s after ${signal} and writes its outputs`, NEEDED, async (t) => {
            const nothing = JSON.stringify({ error: { code: 404, message: 'Integration not found' } });
            const stalling = createServer(({ method }, response) => {
                if (method === 'GET') {
                    response.writeHead(404, { 'Content-Type': 'application/json' }).end(nothing);
                } else {
                    stalling.emit('publishing');
                }
            });
            const asked = once(stalling, 'publishing');
            const options = gitbook(`http://127.0.0.1:${await listening(t, stalling)}`);
            const files = ['-e', 'GITBOOK_OUTPUT_FILE=out.env', '-e', 'GITBOOK_REPORT_FILE=report.json'];
            const repository = await image.repository();
            let place, signalled;
            const stop = async () => {
                await asked;
                place = await placeOf(signal);
                signalled = performance.now();
                await image.docker(['kill', '--signal', signal, signal]);
            };
            const { code, text } = await deploy(repository, ['--name', signal, ...files, ...options], { stop });
            assert.equal(code, expected, text);
            assert.equal(place, '1');
            assert.ok(performance.now() - signalled < 10_000, text);
            assert.match(await readFile(`${repository}/out.env`, 'utf8'), /^result="?failed"?$/m);
            assert.equal(JSON.parse(await readFile(`${repository}/report.json`, 'utf8')).result, 'failed');
        });
    }

    /** Returns the process id of a container's main process inside the container. */
    async function placeOf(container) {
        const { stdout } = await image.docker(['inspect', '--format', '{{.State.Pid}}', container]);
        const status = await readFile(`/proc/${stdout.trim()}/status`, 'utf8');
        return /^NSpid:.*\s(\d+)$/m.exec(status)[1];
    }
});

const WRONG = [
    ['without an event', '/repo', [], 2, 'error: no CI event detected'],
    ['with the repository mounted in another folder', '/src', SANDBOX, 2, 'error: GITBOOK_INTEGRATIONS: `.` contains no manifest'],
    ['with a read-only repository', '/repo:ro', SANDBOX, 2, 'error: could not start the sandbox in `/repo/.gitbook-sandbox`'],
    ['as a user without read access to the repository', '/repo', [...SANDBOX, '--user', '1234'], 2, 'could not read `.`: Permission denied', 0o700],
    ['with a 1Password secret but without the program `op`', '/repo',
        [...SANDBOX, '-e', 'GITBOOK_SECRETS={"KEY": "${{ op://vault/item/field }}"}'], 2, '`op` is not on `PATH`'],
];
for (const [how, place, options, expected, said, mode = 0o777] of WRONG) {
    test(`reports an error ${how}`, NEEDED, async () => {
        const repository = await image.repository();
        await chmod(repository, mode);
        const mount = ['-v', `${repository}:${place}`];
        const { code, text } = await image.docker(['run', '--rm', '--read-only', ...mount, ...options, IMAGE]);
        assert.equal(code, expected, text);
        assert.ok(text.includes(said), text);
    });
}
