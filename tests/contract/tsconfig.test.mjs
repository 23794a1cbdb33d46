/** What a `tsconfig.json` changes in the script, and what it does not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MANIFEST, withIntegration } from './support/integration.mjs';
import { publishWithBoth } from './support/publishers.mjs';
import { converse } from './support/workers.mjs';

const runtime = (name) => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, exports: { './jsx-runtime': './jsx.js' } }),
    [`node_modules/${name}/jsx.js`]: `export const jsx = (type) => '${name}: ' + type; export const jsxs = jsx;`,
});

/** Draws with JSX, and tells whether a field that is only declared exists. */
const main = `
    const React = { createElement: (type: string) => 'React: ' + type };
    const own = (type: string) => 'own: ' + type;
    class Declared { field?: string }
    const fields = Object.keys(new Declared()).length;
    export default { fetch: () => Response.json([<block />, fields, typeof React, typeof own]) };
`;

const files = {
    ...runtime('@gitbook/runtime'),
    ...runtime('other-runtime'),
    'gitbook-manifest.yaml': MANIFEST.replace('main.ts', 'src/main.tsx'),
    'src/main.tsx': main,
};

/** What is in the file, what draws the JSX, and how many of the class's declared fields are there. */
const cases = [
    ['nothing, not even the file', undefined, '@gitbook/runtime: block', 0],
    ['nothing in it', {}, '@gitbook/runtime: block', 0],
    ['an older target', { target: 'es2017' }, '@gitbook/runtime: block', 0],
    ['a newer target', { target: 'es2022' }, '@gitbook/runtime: block', 1],
    ['the newest target', { target: 'esnext' }, '@gitbook/runtime: block', 1],
    ['fields not defined', { target: 'es2022', useDefineForClassFields: false }, '@gitbook/runtime: block', 0],
    ['fields defined', { useDefineForClassFields: true }, '@gitbook/runtime: block', 1],
    ['JSX by a function', { jsx: 'react' }, 'React: block', 0],
    ['JSX by a function of another name', { jsx: 'react', jsxFactory: 'own' }, 'own: block', 0],
    ['JSX by another runtime', { jsx: 'react-jsx', jsxImportSource: 'other-runtime' }, 'other-runtime: block', 0],
].map(([what, compilerOptions, ...expected]) => ({ what, config: compilerOptions && { compilerOptions }, expected }));

cases.push(
    {
        what: 'a base that is not installed',
        config: { extends: '@gitbook/tsconfig/integration.json' },
        expected: ['@gitbook/runtime: block', 0],
    },
    {
        what: 'a base that is not installed, and paths of its own',
        config: {
            extends: 'nowhere',
            compilerOptions: { jsx: 'react', paths: { '@exact': ['./src/exact.ts'], '@below/*': ['./src/lib/*'] } },
        },
        more: {
            'src/main.tsx': `import exact from '@exact';\nimport below from '@below/a/b';\n${main}`.replace(
                'typeof React',
                'exact + below',
            ).replace("'React: ' + type", "'React: ' + type + exact + below"),
            'src/exact.ts': "export default ' exact';",
            'src/lib/a/b.ts': "export default ' below';",
        },
        expected: ['React: block exact below', 0],
    },
    {
        what: 'a base beside it',
        config: { extends: './base' },
        more: { 'base.json': '{ "compilerOptions": { "jsx": "react", /* comment */ "target": "es2022", } }' },
        expected: ['React: block', 1],
    },
    {
        what: 'only other files in its list',
        config: { include: ['scripts'], compilerOptions: { jsx: 'react' } },
        expected: ['React: block', 0],
    },
);

describe('a tsconfig.json with', { concurrency: 4 }, () => {
    for (const { what, config, more, expected } of cases) {
        test(what, async () => {
            const tsconfig = config && { 'tsconfig.json': JSON.stringify(config) };
            const { cli, ours } = await withIntegration({ ...files, ...more, ...tsconfig }, publishWithBoth);
            const ask = [{ method: 'GET', path: '/' }];
            const answers = await Promise.all([cli, ours].map(({ body }) => converse(body.script, ask)));
            const [theirs, our] = answers.map(([{ body }]) => JSON.parse(body).slice(0, 2));
            assert.deepEqual({ cli: theirs, ours: our }, { cli: expected, ours: expected });
        });
    }
});
