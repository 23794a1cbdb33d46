/** Shrinks programs while the two bundlers still differ in the same way. */
import { compareAll } from './comparing.mjs';

const MAX_ROUNDS = 60;

/** The number of smaller programs per round. */
const AT_ONCE = 40;

/**
 * Shrinks all programs at once, since one run of the binary bundles many.
 *
 * @param results  of `compareAll`, each with a difference
 * @returns the results of the smallest programs found
 */
export async function shrinkAll(results) {
    const states = results.map((result) => ({ best: result, tried: 0, done: false }));
    for (let round = 0; round < MAX_ROUNDS && states.some(({ done }) => !done); round++) {
        const active = states.filter(({ done }) => !done);
        const offers = active.map(({ best, tried }) => smaller(best.program).slice(tried, tried + AT_ONCE));
        const compared = await compareAll(offers.flat());
        for (const [index, state] of active.entries()) {
            advance(state, compared.splice(0, offers[index].length));
        }
    }
    return states.map(({ best }) => best);
}

function advance(state, compared) {
    const still = compared.filter((result) => isAlike(state.best, result));
    if (still.length > 0) {
        const sizes = still.map(({ program }) => sizeOf(program));
        state.best = still[sizes.indexOf(Math.min(...sizes))];
        state.tried = 0;
    } else {
        state.tried += AT_ONCE;
        state.done = compared.length < AT_ONCE;
    }
}

/** Returns true if a smaller program shows the same difference without new errors from shrinking. */
function isAlike(best, result) {
    const failures = ({ cli }) => (JSON.stringify(cli.run ?? '').match(/is not defined/g) ?? []).length;
    return (
        result.difference === best.difference &&
        result.cli.script.trim() !== '' &&
        result.cli.run?.error === best.cli.run?.error &&
        failures(result) <= failures(best)
    );
}

const sizeOf = ({ files }) => Object.entries(files).flat().join('').length;

/** Returns copies of a program without one of its parts, smallest first. */
export function smaller(program) {
    const { entry, files } = program;
    const offered = [];
    for (const [path, text] of Object.entries(files)) {
        if (path !== entry) {
            const { [path]: removed, ...rest } = files;
            offered.push({ ...program, files: rest });
        }
        for (const shorter of shorterTexts(text)) {
            offered.push({ ...program, files: { ...files, [path]: shorter } });
        }
    }
    return offered.sort((one, other) => sizeOf(one) - sizeOf(other));
}

function shorterTexts(text) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    const found = new Set([...withoutLines(lines), ...withoutBraces(lines), ...withoutParts(lines)]);
    found.delete(text);
    return [...found].filter((shorter) => shorter.length < text.length);
}

/** Removes consecutive lines with balanced brackets. */
function* withoutLines(lines) {
    for (let from = 0; from < lines.length; from++) {
        for (let to = from + 1; to <= lines.length; to++) {
            const depth = depthOf(lines.slice(from, to).join('\n'));
            if (depth < 0) {
                break;
            }
            if (depth === 0) {
                yield [...lines.slice(0, from), ...lines.slice(to)].join('\n');
            }
        }
    }
}

/** Removes a line that opens a bracket and the line that closes it, but not the lines between. */
function* withoutBraces(lines) {
    for (const [from, line] of lines.entries()) {
        if (depthOf(line) !== 1) {
            continue;
        }
        const length = lines
            .slice(from)
            .findIndex((_, index) => depthOf(lines.slice(from, from + index + 1).join('\n')) === 0);
        if (length > 0) {
            yield lines.filter((_, index) => index !== from && index !== from + length).join('\n');
        }
    }
}

/** Removes parts of a line between separators, or replaces the content of parentheses. */
function* withoutParts(lines) {
    for (const [index, line] of lines.entries()) {
        const replace = (shorter) => [...lines.slice(0, index), shorter, ...lines.slice(index + 1)].join('\n');
        for (const separator of [', ', '; ', ' && ', ' || ', ' ?? ', ' + ', ' ']) {
            const parts = line.split(separator);
            for (const [at, part] of parts.entries()) {
                if (parts.length > 1 && depthOf(part) === 0) {
                    yield replace(parts.filter((_, other) => other !== at).join(separator));
                }
            }
        }
        for (const inner of line.match(/\((?:[^()]|\([^()]*\))+\)|\[(?:[^[\]])+\]/g) ?? []) {
            yield replace(line.replace(inner, () => inner[0] + inner.at(-1)));
            yield replace(line.replace(inner, () => '0'));
            yield replace(line.replace(inner, () => inner.slice(1, -1)));
        }
    }
}

/** Returns the number of opened brackets minus the number of closed ones, or -1 if a bracket is closed before it is opened. */
function depthOf(text) {
    let depth = 0;
    for (const character of text.replace(/'[^'\n]*'/g, '')) {
        depth += '([{'.includes(character) ? 1 : ')]}'.includes(character) ? -1 : 0;
        if (depth < 0) {
            return -1;
        }
    }
    return depth;
}

/** Describes a differing program: its seed, its files and both results. */
export function show({ program, cli, ours, difference }) {
    const files = Object.entries(program.files).map(([path, text]) => `--- ${path}\n${text.trimEnd()}`);
    const result = ({ refused, run }) => refused ?? JSON.stringify(run);
    return [
        `seed ${program.seed}, entry ${program.entry}: ${difference}`,
        ...files,
        `=== cli:  ${result(cli)}`,
        `=== ours: ${result(ours)}`,
    ].join('\n');
}
