/**
 * Programs that nobody has thought of: the CLI's bundler and ours make scripts of them that do the same, in the same
 * order, and fail in the same way. `SEED` repeats a run, `COUNT` makes more programs of each area.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { areas, programsOf } from './differential/areas.mjs';
import { compareAll } from './differential/comparing.mjs';
import { MAX_EXCEPTIONS, exceptionFor, exceptions } from './differential/exceptions.mjs';
import { loadAll } from './differential/loading.mjs';
import { show, shrinkAll } from './differential/shrinking.mjs';

const DEFAULT_SEED = '1';
const SEED = process.env.SEED ?? DEFAULT_SEED;
const COUNT = Number(process.env.COUNT ?? 42);

const MIN_PROGRAMS = 40;

/** So many programs that differ are made smaller and shown, each with another difference. */
const SHOWN = Number(process.env.SHOWN ?? 2);

describe(`${areas.length * COUNT} programs made up from the seed ${SEED}`, () => {
    let results;
    before(async () => {
        results = await compareAll(areas.flatMap((area) => programsOf(area, SEED, COUNT)));
    });

    for (const { area } of areas) {
        test(`of ${area} do the same as the CLI's`, async (context) => {
            const own = results.filter(({ program }) => program.area === area);
            const bundled = own.filter(({ cli }) => cli.script !== undefined);
            context.diagnostic(`${bundled.length} of ${own.length} programs are bundled by the CLI`);
            assert.ok(bundled.length >= Math.min(MIN_PROGRAMS, COUNT), 'the CLI bundles too few');
            const different = own.filter((result) => result.difference && !exceptionFor(result));
            if (different.length > 0) {
                assert.fail(await explained(different));
            }
        });
    }

    test('are the same for the same seed', () => {
        const [one, other] = [0, 1].map(() => areas.flatMap((area) => programsOf(area, SEED, 2)));
        assert.deepEqual(one, other);
    });

    test('are loaded by workerd where Node loads them', async (context) => {
        const loaded = results.map(({ ours }) => ours).filter(({ script }) => script !== undefined);
        const failures = await loadAll(loaded.map(({ script }) => script));
        const wrong = [...failures].filter(
            ([index, error]) => error.startsWith('SyntaxError') && !loaded[index].run.error,
        );
        context.diagnostic(`${loaded.length} scripts were loaded, ${failures.size} of which end with an error in both`);
        assert.deepEqual(
            wrong.map(([index, error]) => `${error}: ${loaded[index].script}`),
            [],
        );
    });

    test('have few exceptions, each refused with its file and line', (context) => {
        assert.ok(exceptions.length <= MAX_EXCEPTIONS);
        const used = results.filter((result) => result.difference && exceptionFor(result));
        for (const { ours } of used) {
            assert.match(ours.refused, /^[^:]+:\d+:\d+: /);
            assert.equal(ours.script, undefined);
        }
        for (const exception of exceptions) {
            const count = used.filter((result) => exceptionFor(result) === exception).length;
            context.diagnostic(`${count} programs: ${exception.reason}`);
            assert.ok(count > 0 || SEED !== DEFAULT_SEED, `never used: ${exception.reason}`);
        }
    });
});

/** Wrong options for one of the two bundlers, and the areas that must notice. */
const WRONG = [
    { what: 'fields that are assigned', area: 'class members', settings: flipped },
    { what: 'fields that are assigned', area: 'inheritance', settings: flipped },
    { what: 'JSX by a function', area: 'JSX', settings: () => ({ jsx: 'react', jsxFactory: 'Shape' }) },
    { what: 'other fields of package.json', area: 'imports', esbuild: { mainFields: ['main'] } },
    { what: 'other conditions of package.json', area: 'imports', esbuild: { conditions: ['node'] } },
    { what: 'another runtime for JSX', area: 'JSX', esbuild: { jsxImportSource: 'other-runtime' } },
    { what: 'annotations ignored', area: 'minifier: effects', esbuild: { ignoreAnnotations: true } },
    {
        what: 'another mode',
        area: 'minifier: effects',
        esbuild: { define: { 'process.env.NODE_ENV': '"development"', MODE: '"x"' } },
    },
    { what: 'properties renamed', area: 'enums', esbuild: { mangleProps: /^[A-C]$/ } },
];

/** Defines the fields of classes where they were assigned, and the other way round. */
function flipped({ target, useDefineForClassFields } = {}) {
    const defined = useDefineForClassFields ?? /es(next|2022)/.test(target);
    return { target, useDefineForClassFields: !defined };
}

describe('a wrong option', () => {
    for (const { what, area, settings, esbuild } of WRONG) {
        test(`is noticed: ${what}, by ${area}`, async (context) => {
            const programs = programsOf(
                areas.find((each) => each.area === area),
                SEED,
                MIN_PROGRAMS,
            );
            const equal = (await compareAll(programs)).filter(({ difference }) => !difference);
            const changed = { esbuild, ours: settings && withSettings(settings) };
            const wrong = await compareAll(
                equal.map(({ program }) => program),
                changed,
            );
            const noticed = wrong.filter(({ difference }) => difference);
            context.diagnostic(`${noticed.length} of ${equal.length} programs notice it`);
            assert.ok(noticed.length > 0);
        });
    }
});

/** Returns a function that gives a program other settings, which only our bundler sees. */
const withSettings = (settings) => (program) => {
    const { compilerOptions } = JSON.parse(program.files['tsconfig.json'] ?? '{}');
    const changed = JSON.stringify({ compilerOptions: settings(compilerOptions) });
    return { ...program, files: { ...program.files, 'tsconfig.json': changed } };
};

/** Shrinks some of the programs that differ and tells all of them. */
async function explained(different) {
    const kinds = new Map(different.map((result) => [result.difference, result]).reverse());
    const shown = await shrinkAll([...kinds.values()].reverse().slice(0, SHOWN));
    const list = different.map(({ program, difference }) => `  ${program.seed}: ${difference.split('\n')[0]}`);
    return [`${different.length} programs differ:`, ...list, '', 'made smaller:', ...shown.map(show)].join('\n');
}
