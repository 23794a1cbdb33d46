/**
 * Bundles generated programs with the CLI's bundler and ours, and checks that both scripts have the same effects in the same
 * order and the same errors. `SEED` repeats a run; `COUNT` sets the number of programs per area.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { areas, programsOf } from './differential/areas.mjs';
import { compareAll } from './differential/comparing.mjs';
import { MAX_EXCEPTIONS, exceptionFor, exceptions } from './differential/exceptions.mjs';
import { loadAll } from './differential/loading.mjs';
import { show, shrinkAll } from './differential/shrinking.mjs';

const SEED = process.env.SEED ?? '1';
const COUNT = Number(process.env.COUNT ?? 44);

/** The minimum number of generated programs per area that both bundlers must accept. */
const MIN_PROGRAMS = 40;

/** The maximum number of differing programs to shrink and print. Each shows a different difference. */
const SHOWN = Number(process.env.SHOWN ?? 2);

/** Wrong options for one of the two bundlers, and the areas that must detect them. */
const WRONG = [
    { what: 'fields assigned instead of defined, or the reverse', area: 'class members', settings: withInvertedFieldSetting },
    { what: 'fields assigned instead of defined, or the reverse', area: 'inheritance', settings: withInvertedFieldSetting },
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

describe(`${areas.length * COUNT} programs generated from the seed ${SEED}`, () => {
    let results;
    before(async () => {
        results = await compareAll(areas.flatMap((area) => programsOf(area, SEED, COUNT)));
    });

    for (const { area } of areas) {
        test(`of ${area} behave like those of the CLI`, async (context) => {
            const own = results.filter(({ program }) => program.area === area);
            const compared = own.filter(({ cli, ours }) => cli.script !== undefined && ours.script !== undefined);
            context.diagnostic(`${compared.length} of ${own.length} programs are published by both`);
            const different = own.filter((result) => result.difference && !exceptionFor(result));
            if (different.length > 0) {
                assert.fail(await explained(different));
            }
            assert.ok(compared.length >= Math.min(MIN_PROGRAMS, COUNT), 'too few programs are published by both');
        });
    }

    test('are the same for the same seed', () => {
        const [one, other] = [0, 1].map(() => areas.flatMap((area) => programsOf(area, SEED, 2)));
        assert.deepEqual(one, other);
    });

    test('load in workerd if they load in Node', async (context) => {
        const loaded = results.filter(({ ours }) => ours.script !== undefined);
        const failures = await loadAll(loaded.map(({ ours }) => ours.script));
        const wrong = [...failures].filter(
            ([index, error]) => isSyntaxError(error) && !isSyntaxError(loaded[index].ours.run.error ?? ''),
        );
        context.diagnostic(`${loaded.length} scripts were loaded; ${failures.size} of them fail in both`);
        assert.equal(wrong.map(([index, error]) => `${loaded[index].program.seed}: ${error}`).join('\n'), '');
    });

    test('have few exceptions, each rejected with file and line', async (context) => {
        assert.ok(exceptions.length <= MAX_EXCEPTIONS);
        const fixed = exceptions.map(({ programs }) => compareAll(programs));
        for (const [index, exception] of exceptions.entries()) {
            const own = await fixed[index];
            own.forEach((result) => {
                assert.equal(exceptionFor(result), exception, JSON.stringify(result, null, 4));
                assert.equal(result.cli.run.error, undefined);
            });
            const used = results.filter((result) => result.difference && exceptionFor(result) === exception);
            [...own, ...used].forEach(({ ours }) => {
                ours.refused.split('\n').forEach((place) => assert.match(place, /^[^:]+:\d+:\d+: /));
                assert.equal(ours.script, undefined);
            });
            context.diagnostic(`${own.length} fixed and ${used.length} other programs: ${exception.reason}`);
        }
    });

    for (const { what, area, settings, esbuild } of WRONG) {
        test(`of ${area} detect a wrong option: ${what}`, async (context) => {
            const equal = results.filter(({ program, difference }) => program.area === area && !difference);
            const programs = equal.map(({ program }) => program).slice(0, MIN_PROGRAMS);
            const wrong = await compareAll(programs, { esbuild, ours: settings && withSettings(settings) });
            const noticed = wrong.filter(({ difference }) => difference);
            context.diagnostic(`${noticed.length} of ${programs.length} programs detect it`);
            assert.ok(noticed.length > 0 || COUNT < MIN_PROGRAMS);
        });
    }
});

const isSyntaxError = (error) => error.startsWith('SyntaxError');

/** Inverts `useDefineForClassFields`: fields that were assigned are defined, and vice versa. */
function withInvertedFieldSetting({ target, useDefineForClassFields } = {}) {
    const defined = useDefineForClassFields ?? /es(next|2022)/.test(target);
    return { target, useDefineForClassFields: !defined };
}

/** Returns a function that changes the settings of a program, for our bundler only. */
const withSettings = (settings) => (program) => {
    const { compilerOptions } = JSON.parse(program.files['tsconfig.json'] ?? '{}');
    const changed = JSON.stringify({ compilerOptions: settings(compilerOptions) });
    return { ...program, files: { ...program.files, 'tsconfig.json': changed } };
};

/** Returns a message that counts the differing programs and shows some of them, shrunk. */
async function explained(different) {
    const kinds = new Map(different.map((result) => [result.difference, result]).reverse());
    const shown = await shrinkAll([...kinds.values()].reverse().slice(0, SHOWN));
    const list = different.map(({ program, difference }) => `  ${program.seed}: ${difference.split('\n')[0]}`);
    return [`${different.length} programs differ:`, ...list, '', 'smallest programs found:', ...shown.map(show)].join('\n');
}
