// Compares this program with `@gitbook/cli`, in turn on one machine, and prints a Markdown table.
//
//     node benches/compare.mjs            # the table of docs/performance.md; a quarter of an hour
//     RUNS=1 COUNTS=2 node benches/compare.mjs
//
// RUNS: the number of runs of each program (median). COUNTS: the number of integrations, one repository for each.

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startServer } from './server.mjs';
import { machine, median, root, table, withCli, withOurs } from './tools.mjs';

const runs = Number(process.env.RUNS ?? 15);
const counts = (process.env.COUNTS ?? '50,500').split(',').map(Number);
const example = join(root, 'examples/diagram');

/** Creates a repository of copies of `examples/diagram`, each with its own script, and returns their names. */
async function corpus(folder, count) {
    await mkdir(join(folder, '.git'), { recursive: true });
    await cp(join(example, 'node_modules'), join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    const names = Array.from({ length: count }, (_, index) => `diagram-${String(index).padStart(4, '0')}`);
    for (const [index, name] of names.entries()) {
        const own = join(folder, 'integrations', name);
        await cp(example, own, { recursive: true, filter: (path) => !path.includes('node_modules') });
        const change = async (file, edit) => writeFile(join(own, file), edit(await readFile(join(own, file), 'utf8')));
        await change('gitbook-manifest.yaml', (text) => text.replace('name: diagram\n', `name: ${name}\n`));
        // Each integration has its own secret, because every line is searched for every secret.
        await change('gitbook-manifest.yaml', (text) => text.replace('secrets:\n', `secrets:\n  OWN: secret-number-${index}\n`));
        await change('src/index.tsx', (text) => `${text}\nexport const number = ${index};\n`);
    }
    return names;
}

/** Returns the median time, the highest peak memory and the median of sent bytes of several runs. */
const typical = (all) => ({
    wall: median(all.map((one) => one.wall)),
    peak: Math.max(...all.map((one) => one.peak)),
    sent: median(all.map((one) => one.sent)),
});

/** Runs the measurements in turn, so that other load on the machine affects all of them. */
async function inTurn(times, ...measurements) {
    const results = measurements.map(() => []);
    for (let run = 0; run < times; run += 1) {
        for (const [index, measure] of measurements.entries()) results[index].push(await measure());
    }
    return results.map(typical);
}

const seconds = (value) => `${value.toFixed(value < 1 ? 3 : 2)} s`;
const mebibytes = (kib) => `${(kib / 1024).toFixed(0)} MiB`;

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} KB`;

function row(test, times, cli, ours) {
    const cells = (one) => (one ? [seconds(one.wall), mebibytes(one.peak), kilobytes(one.sent)] : ['–', '–', '–']);
    const ratio = cli ? `1/${(cli.wall / ours.wall).toFixed(1)}` : '–';
    const pairs = cells(cli).map((cell, index) => [cell, cells(ours)[index]]);
    const [wall, peak, sent] = pairs;
    return [test, ...wall, ratio, ...peak, ...sent, times];
}

const folder = await mkdtemp(join(tmpdir(), 'gitbook-deploy-bench-'));
const server = await startServer();

/** Measures a run, and adds the total size of its request bodies. */
async function withSentBytes(run) {
    const before = server.seen.bytes;
    return { ...(await run()), sent: server.seen.bytes - before };
}

try {
    const rows = [];
    const one = join(folder, 'one');
    const [only] = await corpus(one, 1);
    // The first run fills the caches of the file system.
    const cliOn = (folder) => withSentBytes(() => withCli(folder, server.url));
    const oursOn = (folder, variables) => withSentBytes(() => withOurs(folder, server.url, variables));
    const both = [() => cliOn(join(one, 'integrations', only)), () => oursOn(one)];
    await inTurn(1, ...both);
    rows.push(row('one integration', runs, ...(await inTurn(runs, ...both))));
    const built = join(folder, 'built');
    await mkdir(join(built, '.git'), { recursive: true });
    await writeFile(join(built, 'gitbook-manifest.yaml'), 'name: built\ntitle: Built\norganization: acme\nscopes: []\nscript: script.js\n');
    await writeFile(join(built, 'script.js'), 'export default { fetch: () => new Response() };\n');
    const [plain] = await inTurn(runs, () => oursOn(built, { GITBOOK_BUNDLE: 'false' }));
    rows.push(row('nothing to bundle', runs, undefined, plain));
    for (const count of counts) {
        const many = join(folder, `repository-${count}`);
        const names = await corpus(many, count);
        const times = Math.max(1, Math.min(runs, Math.round(500 / count)));
        // A run of the CLI publishes one integration, so the total is extrapolated from up to 50 runs. Our runs are spread among them.
        const some = names.slice(0, 50);
        const [each, ours] = [[], []];
        for (const [index, name] of some.entries()) {
            each.push(await cliOn(join(many, 'integrations', name)));
            if ((index + 1) % Math.ceil(some.length / times) === 0) ours.push(await oursOn(many));
        }
        const sum = (key) => (each.reduce((total, one) => total + one[key], 0) / some.length) * count;
        const cli = { ...typical(each), wall: sum('wall'), sent: sum('sent') };
        rows.push(row(`${count} integrations`, `${ours.length}; CLI ${some.length} × 1`, cli, typical(ours)));
    }
    const head = ['test', 'CLI', 'gitbook-deploy', 'ratio', 'CLI, peak', 'peak', 'CLI, sent', 'sent', 'runs'];
    console.log(`${await machine()}\n\n${table(head, rows)}`);
} finally {
    await server.close();
    await rm(folder, { recursive: true });
}
