/** The areas of the differential suite, and the programs of each. */
import { areas as classes } from './classes.mjs';
import { areas as jsx } from './jsx.mjs';
import { areas as minifier } from './minifier.mjs';
import { areas as modules } from './modules.mjs';
import { randomFrom } from './random.mjs';
import { areas as statements } from './statements.mjs';
import { areas as typescript } from './typescript.mjs';

export const areas = [...classes, ...modules, ...typescript, ...jsx, ...statements, ...minifier];

/** Returns the first `count` programs of an area: `{ area, seed, entry, files }`, the same for the same seed. */
export function programsOf({ area, generate }, seed, count) {
    return Array.from({ length: count }, (_, index) => {
        const name = `${seed}/${area}/${index}`;
        return { area, seed: name, ...generate(randomFrom(name)) };
    });
}
