// Bundles typical packages with both bundlers. Run as a program, it prints a Markdown table of sizes.

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { cases } from './packages/cases.mjs';
import { startServer } from './server.mjs';
import { root, table, withCli, withOurs } from './tools.mjs';

/** Returns the response of a script to a request. */
async function answer(script, file) {
    await writeFile(file, script);
    const module = await import(pathToFileURL(file));
    return (await module.default.fetch()).text();
}

/** Returns `[name, bytes of the CLI's script, bytes of ours, response of the CLI's, response of ours]` for each package. */
export async function bundled() {
    const folder = await mkdtemp(join(tmpdir(), 'gitbook-deploy-packages-'));
    const server = await startServer();
    try {
        await mkdir(join(folder, '.git'));
        await symlink(join(root, 'benches/packages/node_modules'), join(folder, 'node_modules'));
        const results = [];
        for (const [index, [name, imports, use]] of cases.entries()) {
            const own = join(folder, `i${index}`);
            await mkdir(own);
            const manifest = `name: i${index}\ntitle: A package\norganization: acme\nscript: main.ts\nscopes: []\n`;
            await writeFile(join(own, 'gitbook-manifest.yaml'), manifest);
            await writeFile(join(own, 'main.ts'), `${imports}\nexport default { fetch: () => new Response(String(${use})) };\n`);
            const [sizes, answers] = [[], []];
            for (const publish of [withCli, withOurs]) {
                await publish(own, server.url);
                const { script } = JSON.parse(server.seen.latest);
                sizes.push(Buffer.byteLength(script));
                answers.push(await answer(script, join(folder, `${publish.name}-${index}.mjs`)));
            }
            results.push([name, ...sizes, ...answers]);
        }
        return results;
    } finally {
        await server.close();
        await rm(folder, { recursive: true });
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const results = await bundled();
    const total = ['all', ...[1, 2].map((column) => results.reduce((sum, result) => sum + result[column], 0))];
    const row = ([name, cli, ours]) => [name, cli, ours, (ours / cli).toFixed(3)];
    console.log(table(['package', 'CLI, bytes', 'gitbook-deploy, bytes', 'ratio'], [...results, total].map(row)));
}
