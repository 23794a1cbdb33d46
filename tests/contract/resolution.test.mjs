/** Checks that both programs resolve an import to the same of several candidate files. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { withIntegration } from './support/integration.mjs';
import { publishWithBoth } from './support/publishers.mjs';
import { converse } from './support/workers.mjs';

/** A `package.json`, and the file to which an import of the package must resolve. */
const packages = [
    [{ exports: { default: './default.js', worker: './never.js' } }, 'default.js'],
    [{ exports: { worker: './worker.js', browser: './browser.js', default: './default.js' } }, 'worker.js'],
    [{ exports: { node: './node.js', browser: './browser.js', import: './import.js' } }, 'browser.js'],
    [{ exports: { require: './require.cjs', import: './import.js' } }, 'import.js'],
    [{ exports: { development: './development.js', production: './production.js' } }, 'production.js'],
    [{ exports: { module: './module.js', default: './default.js' } }, 'default.js'],
    [{ exports: { workerd: './workerd.js', default: './default.js' } }, 'default.js'],
    [{ exports: { '.': { worker: { import: './inner.js', default: './outer.js' } } } }, 'inner.js'],
    [{ exports: './exported.js', main: './main.js', worker: './worker.js' }, 'exported.js'],
    [{ main: './main.js', module: './module.js', browser: './browser.js', worker: './worker.js' }, 'worker.js'],
    [{ main: './main.js', module: './module.js', browser: './browser.js' }, 'browser.js'],
    [{ main: './main.cjs', module: './module.js', jsnext: './jsnext.js' }, 'module.js'],
    [{ main: './main.js', jsnext: './jsnext.js' }, 'jsnext.js'],
    [{ main: './main.js', browser: { './main.js': './never.js' } }, 'main.js'],
    [{ main: './main.cjs' }, 'main.cjs'],
    [{}, 'index.js'],
];

/** Cases: an import, the existing files, and the file to which the import must resolve. */
const relative = [
    ['./a', ['a.js', 'a.jsx', 'a.ts', 'a.tsx'], 'a.tsx'],
    ['./b', ['b.js', 'b.jsx', 'b.ts'], 'b.ts'],
    ['./c', ['c.js', 'c.jsx'], 'c.jsx'],
    ['./d.js', ['d.ts'], 'd.ts'],
    ['./e.js', ['e.js', 'e.ts'], 'e.js'],
    ['./f', ['f/index.js', 'f.ts'], 'f.ts'],
    ['./g', ['g/index.js', 'g/index.ts'], 'g/index.ts'],
];

/** Returns the code of a file that exports its own name. */
const exportName = (file) => (file.endsWith('.cjs') ? `module.exports = '${file}'` : `export default '${file}'`);

const cases = [
    ...packages.map(([manifest, expected], index) => {
        const root = `node_modules/package-${index}`;
        const names = [...new Set(JSON.stringify(manifest).match(/\w+\.c?js/g) ?? ['index.js'])];
        const files = { [`${root}/package.json`]: JSON.stringify({ name: `package-${index}`, ...manifest }) };
        names.forEach((name) => (files[`${root}/${name}`] = exportName(name)));
        return { title: `a package with ${JSON.stringify(manifest)}`, import: `package-${index}`, files, expected };
    }),
    ...relative.map(([path, names, expected]) => ({
        title: `${path} beside ${names.join(', ')}`,
        import: path,
        files: Object.fromEntries(names.map((name) => [name, exportName(name)])),
        expected,
    })),
];

const main = [
    ...cases.map(({ import: from }, index) => `import from${index} from '${from}';`),
    `const found = [${cases.map((_, index) => `from${index}`)}];`,
    'export default { fetch: () => Response.json(found) };',
].join('\n');

describe('an import', () => {
    let cli, ours;
    before(async () => {
        const files = Object.assign({ 'main.ts': main }, ...cases.map(({ files }) => files));
        const sent = await withIntegration(files, publishWithBoth);
        const ask = [{ method: 'GET', path: '/' }];
        const answers = await Promise.all([sent.cli, sent.ours].map(({ body }) => converse(body.script, ask)));
        [cli, ours] = answers.map(([{ body }]) => JSON.parse(body));
    });

    for (const [index, { title, expected }] of cases.entries()) {
        test(`of ${title} resolves to ${expected}`, () => {
            assert.deepEqual({ cli: cli[index], ours: ours[index] }, { cli: expected, ours: expected });
        });
    }
});
