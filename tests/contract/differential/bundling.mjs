/** Bundles programs with the CLI's options and with the binary under test; each result is `{ script }` or `{ refused }`. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { cliBundlerOptions } from '../support/cli.mjs';
import { runOurs } from '../support/publishers.mjs';

/** The version of esbuild that the CLI requires. */
const { build } = createRequire(new URL('../node_modules/@gitbook/cli/dist/cli.js', import.meta.url))('esbuild');

/** The maximum number of runs. A run with rejected programs publishes nothing, so it is repeated without them and may reject others. */
const MAX_ROUNDS = 12;

const manifest = (name, entry) =>
    `name: ${name}\ntitle: Program\norganization: acme\nscopes: []\nscript: ${JSON.stringify(entry)}\n`;

/** Creates a repository with one integration per program, calls `use` with it, and removes it. */
export async function withRepository(programs, use) {
    const root = await mkdtemp(join(tmpdir(), 'gitbook-differential-'));
    try {
        await mkdir(join(root, '.git'));
        await Promise.all(programs.map(({ entry, files }, index) => write(join(root, nameOf(index)), entry, files)));
        return await use(root);
    } finally {
        await rm(root, { recursive: true });
    }
}

const nameOf = (index) => `program-${index}`;

async function write(folder, entry, files) {
    const all = { 'gitbook-manifest.yaml': manifest(folder.split('/').at(-1), entry), ...files };
    for (const [path, content] of Object.entries(all)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), content);
    }
}

/** Bundles programs with the CLI and with the binary, each from its own repository. `compareAll` documents the options. */
export async function bundleWithBoth(programs, { esbuild, ours: changed = (program) => program } = {}) {
    const [cli, ours] = await Promise.all([
        withRepository(programs, (root) => bundleWithCli(root, programs, esbuild)),
        withRepository(programs.map(changed), (root) => bundleWithOurs(root, programs)),
    ]);
    return programs.map((program, index) => ({ program, cli: cli[index], ours: ours[index] }));
}

/** Bundles every program of a repository with the CLI's options. */
export async function bundleWithCli(root, programs, changes) {
    if (programs.length === 0) {
        return [];
    }
    const options = await cliBundlerOptions(join(root, nameOf(0), 'gitbook-manifest.yaml'));
    const bundleOne = async ({ entry }, index) => {
        const entryPoints = [join(root, nameOf(index), entry)];
        try {
            const built = await build({ ...options, entryPoints, write: false, logLevel: 'silent', ...changes });
            return { script: built.outputFiles.find(({ path }) => path.endsWith('.js')).text };
        } catch (error) {
            return { refused: error.message };
        }
    };
    return Promise.all(programs.map(bundleOne));
}

/** Bundles every program of a repository with the binary under test. */
export async function bundleWithOurs(root, programs) {
    const results = new Array(programs.length);
    await publish(root, [...programs.keys()], results, MAX_ROUNDS);
    return results;
}

/** Publishes the programs at `indexes` to a sandbox, and repeats this without the rejected programs. */
async function publish(root, indexes, results, rounds) {
    if (indexes.length === 0) {
        return;
    }
    const { code, output, problems, scripts } = await run(root, indexes.map(nameOf));
    if (code === 0) {
        indexes.forEach((index, at) => (results[index] = { script: scripts[at] }));
        return;
    }
    const refused = indexes.filter((index) => problems.has(nameOf(index)));
    if (refused.length > 0 && rounds > 0) {
        refused.forEach((index) => (results[index] = { refused: problems.get(nameOf(index)).join('\n') }));
        return publish(
            root,
            indexes.filter((index) => !refused.includes(index)),
            results,
            rounds - 1,
        );
    }
    if (indexes.length === 1) {
        results[indexes[0]] = { refused: `exited with ${code}: ${output}` };
        return;
    }
    // The binary exited without a report. Running each half separately finds the program that causes this.
    const half = indexes.length >> 1;
    await publish(root, indexes.slice(0, half), results, MAX_ROUNDS);
    await publish(root, indexes.slice(half), results, MAX_ROUNDS);
}

async function run(root, names) {
    const [report, sandbox] = ['report.json', 'sandbox'].map((name) => join(root, name));
    await Promise.all([report, sandbox].map((path) => rm(path, { recursive: true, force: true })));
    const variables = {
        GITBOOK_ENDPOINT: 'sandbox',
        GITBOOK_MODE: 'publish',
        GITBOOK_SANDBOX_DIR: sandbox,
        GITBOOK_INTEGRATIONS: names.join('\n'),
        GITBOOK_REPORT_FILE: report,
    };
    const { code, output } = await runOurs(variables, { folder: root });
    const problems = problemsOf(await readFile(report, 'utf8').catch(() => '{}'));
    const read = (name) => readFile(join(sandbox, name, 'script.js'), 'utf8');
    return { code, output, problems, scripts: code === 0 ? await Promise.all(names.map(read)) : [] };
}

/** Returns the errors of a report by integration, each as `file:line:column: message`. */
function problemsOf(report) {
    const found = new Map();
    for (const { severity, file, path, line, column, message } of JSON.parse(report).problems ?? []) {
        const [name, ...rest] = (file ?? path ?? '').split('/');
        if (severity === 'error') {
            found.set(name, [...(found.get(name) ?? []), `${rest.join('/')}:${line}:${column}: ${message}`]);
        }
    }
    return found;
}
