/** Builds the image like a release, and provides an engine that runs the documented `docker` commands. */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BINARY, ROOT, run, succeed } from './program.mjs';

/** The documented name of the image. The engine has an image with this name, so it does not pull one. */
export const IMAGE = 'ghcr.io/gitbook-deploy/gitbook-deploy:1';

/** The certificates of this machine, copied into the image. */
export const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Other users than root need a user namespace. */
const AS_ROOT = process.getuid() === 0 ? [] : ['podman', 'unshare'];

/** crun does not support cgroups of both versions together; runc supports cgroups version 2 only as root. */
export const RUNTIME = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'crun' : 'runc';

/** Disables the network by default. The other settings avoid systemd and raising resource limits. */
const SETTINGS = `[containers]
netns = "none"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "${RUNTIME}"
`;

/** Creates an engine that stores its images and containers in a new folder. */
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
        /** Builds the image with the binary under test. */
        async build() {
            const out = join(folder, 'build/out');
            await succeed('install', ['-D', '-t', out, BINARY]);
            await succeed('install', ['-D', '-m', '644', '-t', `${out}/etc/ssl/certs`, CERTIFICATES]);
            const options = ['--pull-never', '--build-context', `build=${folder}/build`, '--tag', IMAGE];
            const about = ['--build-arg', 'VERSION=1.2.3', '--build-arg', 'REVISION=0123abc'];
            await succeed('buildah', [...store, 'build', ...options, ...about, ROOT], { env });
        },
        /** Writes the layers and the configuration, as pushed to a registry, to an OCI image layout. */
        async pushed() {
            await succeed('buildah', [...store, 'push', '--quiet', IMAGE, `oci:${folder}/pushed`], { env });
            return join(folder, 'pushed');
        },
        /** Copies `examples/hello` to a world-writable folder to mount. */
        async repository() {
            const repository = await mkdtemp(join(folder, 'repository-'));
            await cp(join(ROOT, 'examples/hello'), repository, { recursive: true });
            await chmod(repository, 0o777);
            return repository;
        },
        docker: (args, options) => run('docker', args, { ...options, env: { ...env, ...options?.env } }),
        /** Stops all containers and removes the folder. */
        async remove() {
            await succeed('docker', ['rm', '--all', '--force'], { env });
            const [program, ...args] = [...AS_ROOT, 'rm', '-rf', folder];
            await succeed(program, args, { env });
        },
    };
}
