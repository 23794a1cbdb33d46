/** Checks which settings of a `tsconfig.json` change the script. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MANIFEST, withIntegration } from './support/integration.mjs';
import { publishWithBoth } from './support/publishers.mjs';
import { converse } from './support/workers.mjs';

const runtime = (name) => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, exports: { './jsx-runtime': './jsx.js' } }),
    [`node_modules/${name}/jsx.js`]: `export const jsx = (type) => '${name}: ' + type; export const jsxs = jsx;`,
});

/** A script that renders JSX and returns whether a declared field without a value exists. */
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

/** The settings, the expected JSX function, and the expected number of declared fields. */
const cases = [
    ['no file', undefined, '@gitbook/runtime: block', 0],
    ['no settings', {}, '@gitbook/runtime: block', 0],
    ['an older target', { target: 'es2017' }, '@gitbook/runtime: block', 0],
    ['a newer target', { target: 'es2022' }, '@gitbook/runtime: block', 1],
    ['the newest target', { target: 'esnext' }, '@gitbook/runtime: block', 1],
    ['fields not defined', { target: 'es2022', useDefineForClassFields: false }, '@gitbook/runtime: block', 0],
    ['fields defined', { useDefineForClassFields: true }, '@gitbook/runtime: block', 1],
    ['the JSX function of React', { jsx: 'react' }, 'React: block', 0],
    ['another JSX function', { jsx: 'react', jsxFactory: 'own' }, 'own: block', 0],
    ['another JSX runtime', { jsx: 'react-jsx', jsxImportSource: 'other-runtime' }, 'other-runtime: block', 0],
].map(([what, compilerOptions, ...expected]) => ({ what, config: compilerOptions && { compilerOptions }, expected }));

cases.push(
    {
        what: 'a base that is not installed',
        config: { extends: '@gitbook/tsconfig/integration.json' },
        expected: ['@gitbook/runtime: block', 0],
    },
    {
        what: 'a base that is not installed, and its own paths',
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
        what: 'a base in the same folder',
        config: { extends: './base' },
        more: { 'base.json': '{ "compilerOptions": { "jsx": "react", /* comment */ "target": "es2022", } }' },
        expected: ['React: block', 1],
    },
    {
        what: 'only other files in `include`',
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
