/** What a detector of `src/ci` reads, and the variables that its own tests have of a system: read from its source. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from './program.mjs';

const source = (name) => readFile(join(ROOT, 'src', name), 'utf8');

/** The variables that the program reads to find out that it runs there, and what happened. */
export async function variablesRead(system) {
    const [detector] = (await source(`ci/${system}.rs`)).split('#[cfg(test)]');
    const all = [...detector.matchAll(/"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"/g)].map(([, name]) => name);
    const systems = (await source('ci.rs')).match(/const SYSTEMS[\s\S]*?\n\];/)[0];
    const [, known] = systems.match(new RegExp(`variable: "(\\w+)", [^\\n]*detect: ${system}::detect`));
    return [...new Set([known, ...all])].sort();
}

/** The tables of variables in the detector's tests, by their names: `{ JOB: { CI: 'true', … }, … }`. */
export async function tables(system) {
    const text = await source(`ci/${system}/tests.rs`).catch(() => source(`ci/${system}.rs`));
    const texts = Object.fromEntries([...text.matchAll(/const (\w+): &str =\s*"([^"]*)";/g)].map(([, ...of]) => of));
    const found = text.matchAll(/const (\w+): Variables<'_> =\s*&\[([\s\S]*?)\];/g);
    return Object.fromEntries([...found].map(([, name, rows]) => [name, table(rows, texts)]));
}

/** Without the program's own variables, which are the template's to give. */
function table(rows, texts) {
    const pairs = [...rows.matchAll(/\(\s*"(\w+)",\s*(?:"([^"]*)"|(\w+))\s*\)/g)];
    const told = pairs.map(([, name, text, constant]) => [name, text ?? texts[constant]]);
    return Object.fromEntries(told.filter(([name]) => !name.startsWith('GITBOOK_')));
}
