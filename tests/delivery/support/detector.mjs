/** Reads the variables of a detector in `src/ci`, and the variables in its tests, from its source. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from './program.mjs';

const source = (name) => readFile(join(ROOT, 'src', name), 'utf8');

/** Returns the variables that the program reads to detect a CI system and its event. */
export async function variablesRead(system) {
    const [detector] = (await source(`ci/${system}.rs`)).split('#[cfg(test)]');
    const all = [...detector.matchAll(/"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"/g)].map(([, name]) => name);
    const systems = (await source('ci.rs')).match(/const SYSTEMS[\s\S]*?\n\];/)[0];
    const [, known] = systems.match(new RegExp(`variable: "(\\w+)", [^\\n]*detect: ${system}::detect`));
    return [...new Set([known, ...all])].sort();
}

/** Returns the tables of variables in the detector's tests by name: `{ JOB: { CI: 'true', … }, … }`. */
export async function tables(system) {
    const text = await source(`ci/${system}/tests.rs`).catch(() => source(`ci/${system}.rs`));
    const texts = Object.fromEntries([...text.matchAll(/const (\w+): &str =\s*"([^"]*)";/g)].map(([, ...of]) => of));
    const found = text.matchAll(/const (\w+): Variables<'_> =\s*&\[([\s\S]*?)\];/g);
    return Object.fromEntries([...found].map(([, name, rows]) => [name, table(rows, texts)]));
}

/** Leaves out the program's own variables, which the template sets. */
function table(rows, texts) {
    const pairs = [...rows.matchAll(/\(\s*"(\w+)",\s*(?:"([^"]*)"|(\w+))\s*\)/g)];
    const told = pairs.map(([, name, text, constant]) => [name, text ?? texts[constant]]);
    return Object.fromEntries(told.filter(([name]) => !name.startsWith('GITBOOK_')));
}
