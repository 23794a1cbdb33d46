/** Runs the steps of a CI system in a checkout, with fakes of `docker` and `npm` and the binary as the image. */
import { chmod, cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { BINARY, ROOT, run, workspace } from './program.mjs';

const IMAGE = 'ghcr.io/gitbook-deploy/gitbook-deploy';

/** Creates a checkout with an integration, a sandbox, and the `PATH` of the shell. */
export async function checkout(t, { endpoint = 'sandbox' } = {}) {
    const folder = await workspace(t, { 'repository/integrations/hello': 'examples/hello' });
    const repository = join(folder, 'repository');
    await writeFile(join(repository, 'package-lock.json'), '{}');
    const programs = join(folder, 'programs');
    await mkdir(programs);
    await cp(fileURLToPath(new URL('docker.mjs', import.meta.url)), join(programs, 'docker.mjs'));
    await writeFile(join(programs, 'docker'), `#!/bin/sh\nexec "${process.execPath}" "${programs}/docker.mjs" "$@"\n`);
    await writeFile(join(programs, 'npm'), `#!/bin/sh\necho "npm $* token=$GITBOOK_TOKEN" >>"${folder}/npm.log"\n`);
    for (const name of ['docker', 'npm']) await chmod(join(programs, name), 0o755);
    const sandbox = join(folder, 'sandbox');
    const own = { GITBOOK_ENDPOINT: endpoint, GITBOOK_SANDBOX_DIR: sandbox };
    return {
        folder, repository, own, PATH: `${programs}:${process.env.PATH}`,
        published: () => readdir(sandbox).catch(() => []),
        installed: () => readFile(join(folder, 'npm.log'), 'utf8').catch(() => ''),
    };
}

/** Runs the steps in order until one fails. Returns the names of the steps that ran, and the output. */
export async function runAll(steps, { repository, own, PATH }) {
    const IMAGES = JSON.stringify({ [IMAGE]: { program: BINARY, env: own }, node: { env: { PATH } } });
    const ran = [];
    let written = '';
    for (const { name, env, image, lines, shell } of steps) {
        if (!lines && image !== `${IMAGE}:1`) throw new Error(`${name}: no commands for the image ${image}`);
        const known = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
        const options = { cwd: repository, env: { ...own, ...known, PATH, IMAGES } };
        const [program, ...args] = lines ? [...shell, lines.join('\n')] : [BINARY];
        const { code, text } = await run(program, args, options);
        ran.push(name);
        written += text;
        if (code !== 0) return { code, ran, text: written };
    }
    return { code: 0, ran, text: written };
}
