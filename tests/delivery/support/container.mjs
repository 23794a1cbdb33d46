/** The image, built as a release builds it, and an engine that runs the `docker` commands that the documentation tells. */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BINARY, ROOT, run, succeed } from './program.mjs';

/** The name that the documentation tells; the engine has an image of this name and so does not ask for one. */
export const IMAGE = 'ghcr.io/gitbook-deploy/gitbook-deploy:1';

/** The certificates of this machine, which the image gets. */
export const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Root of this machine may do all that is needed; anyone else, in a user namespace. */
const AS_ROOT = process.getuid() === 0 ? [] : ['podman', 'unshare'];

/** crun refuses cgroups of both versions side by side; runc, for anyone but root, those of version 2. */
export const RUNTIME = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'crun' : 'runc';

/** No network unless a test asks for the machine's. The rest goes without systemd and without the right to raise a limit. */
const SETTINGS = `[containers]
netns = "none"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "${RUNTIME}"
`;

/** An engine whose images and containers are all below one new folder. */
export async function engine() {
    const folder = await mkdtemp(join(tmpdir(), 'delivery-'));
    const store = ['--root', join(folder, 'images'), '--runroot', join(folder, 'run')];
    await writeFile(join(folder, 'containers.conf'), SETTINGS);
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'docker'), `#!/bin/sh\nexec podman ${store.join(' ')} "$@"\n`, { mode: 0o755 });
    const env = { CONTAINERS_CONF: join(folder, 'containers.conf'), PATH: `${bin}:${process.env.PATH}` };
    return {
        env,
        /** Builds the image around the binary under test. */
        async build() {
            const out = join(folder, 'build/out');
            await succeed('install', ['-D', '-t', out, BINARY]);
            await succeed('install', ['-D', '-m', '644', '-t', `${out}/etc/ssl/certs`, CERTIFICATES]);
            const options = ['--pull-never', '--build-context', `build=${folder}/build`, '--tag', IMAGE];
            const about = ['--build-arg', 'VERSION=1.2.3', '--build-arg', 'REVISION=0123abc'];
            await succeed('buildah', [...store, 'build', ...options, ...about, ROOT], { env });
        },
        /** The layers and the configuration as a registry gets them, in a folder laid out as OCI says. */
        async pushed() {
            await succeed('buildah', [...store, 'push', '--quiet', IMAGE, `oci:${folder}/pushed`], { env });
            return join(folder, 'pushed');
        },
        /** A copy of `examples/hello` to mount, in which anybody may write. */
        async repository() {
            const repository = await mkdtemp(join(folder, 'repository-'));
            await cp(join(ROOT, 'examples/hello'), repository, { recursive: true });
            await chmod(repository, 0o777);
            return repository;
        },
        docker: (args, options) => run('docker', args, { ...options, env: { ...env, ...options?.env } }),
        /** Ends what is still running, and leaves nothing behind. */
        async remove() {
            await succeed('docker', ['rm', '--all', '--force'], { env });
            const [program, ...args] = [...AS_ROOT, 'rm', '-rf', folder];
            await succeed(program, args, { env });
        },
    };
}
