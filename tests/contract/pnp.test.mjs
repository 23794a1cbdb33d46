/** A repository with packages in Yarn archives (Plug'n'Play), without `node_modules`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { withIntegration } from './support/integration.mjs';
import { publishWithBoth } from './support/publishers.mjs';
import { converse } from './support/workers.mjs';

const run = promisify(execFile);
const YARN = fileURLToPath(new URL('./node_modules/@yarnpkg/cli-dist/bin/yarn.js', import.meta.url));

const files = {
    '.git/HEAD': '',
    '.yarnrc.yml': 'nodeLinker: pnp\nenableGlobalCache: false\nenableTelemetry: false\n',
    'package.json': JSON.stringify({ name: 'archives', private: true, dependencies: { slugify: '1.6.6' } }),
    'main.ts': `
        import slugify from 'slugify';
        export default { fetch: () => new Response(slugify('A b')) };
    `,
};

/** Installs packages with Yarn from the registry of npm's configuration. */
async function install(folder, variables) {
    const { stdout: registry } = await run('npm', ['config', 'get', 'registry']);
    const env = { ...process.env, CI: '', YARN_NPM_REGISTRY_SERVER: registry.trim().replace(/\/$/, ''), ...variables };
    await run(process.execPath, [YARN, 'install'], { cwd: folder, env });
}

async function check(variables) {
    await withIntegration(files, async (folder) => {
        await install(folder, variables);
        // The CLI searches for the archives from its working directory.
        const { cli, ours } = await publishWithBoth(folder, { within: folder });
        const ask = [{ method: 'GET', path: '/' }];
        const answers = await Promise.all([cli, ours].map(({ body }) => converse(body.script, ask)));
        assert.deepEqual(answers.map(([{ body }]) => body), ['A-b', 'A-b']);
    });
}

test('bundles packages in Yarn archives like the CLI', () => check({}));

test("bundles packages in archives of Yarn's global cache, outside the repository, like the CLI", async () => {
    const cache = await mkdtemp(join(tmpdir(), 'gitbook-yarn-'));
    try {
        await check({ YARN_ENABLE_GLOBAL_CACHE: 'true', YARN_GLOBAL_FOLDER: cache });
    } finally {
        await rm(cache, { recursive: true });
    }
});
