/** Runs the scripts of both bundlers and returns the differences. */
import { bundleWithBoth } from './bundling.mjs';
import { runAll } from './running.mjs';

/**
 * Bundles and runs programs. A program that the CLI rejects is not compared.
 *
 * @param wrong  faults to test the suite itself: `esbuild`, options for esbuild only, and `ours`, a function that changes
 *               the programs for our bundler only
 * @returns `{ program, cli, ours, difference }` for each program; `cli` and `ours` have `script` or `refused`, and `run`
 */
export async function compareAll(programs, wrong) {
    const results = await bundleWithBoth(programs, wrong);
    const outputs = results.flatMap(({ cli, ours }) => [cli, ours]).filter(({ script }) => script !== undefined);
    const runs = await runAll(outputs.map(({ script }) => script));
    outputs.forEach((output, index) => (output.run = runs[index]));
    return results.map((result) => ({ ...result, difference: differenceOf(result) }));
}

/** Returns a short description of a difference; the same cause usually gives the same description. */
function differenceOf({ cli, ours }) {
    if (cli.refused) {
        return undefined;
    }
    if (ours.refused) {
        return `refused: ${ours.refused.replace(/^[^ ]*: |`[^`]*`/g, '')}`;
    }
    const [theirs, our] = [cli.run, ours.run];
    if (JSON.stringify(theirs) === JSON.stringify(our)) {
        return undefined;
    }
    if (theirs.error !== our.error) {
        return `ends with ${our.error ?? 'no error'} instead of ${theirs.error ?? 'no error'}`;
    }
    return JSON.stringify(theirs.log) === JSON.stringify(our.log)
        ? 'other exports'
        : `another log${failureIn(theirs, our)}`;
}

/** Returns the errors in the first lines in which two logs differ, if any. */
function failureIn(theirs, our) {
    const index = our.log.findIndex((line, index) => line !== theirs.log[index]);
    const failures = [our, theirs].map(({ log }) => log[index]?.match(/^"throws" (.*)$/)?.[1]);
    return failures.some((failure) => failure)
        ? `: ${failures.map((failure) => failure ?? 'no error').join(' instead of ')}`
        : '';
}
