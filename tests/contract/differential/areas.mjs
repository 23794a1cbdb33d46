/** The areas of the differential suite, and the programs of each. */
import { areas as classes } from './generators/classes.mjs';
import { areas as constants } from './generators/constants.mjs';
import { areas as decorators } from './generators/decorators.mjs';
import { areas as effects } from './generators/effects.mjs';
import { areas as enums } from './generators/enums.mjs';
import { areas as jsx } from './generators/jsx.mjs';
import { areas as modules } from './generators/modules.mjs';
import { areas as namespaces } from './generators/namespaces.mjs';
import { areas as order } from './generators/order.mjs';
import { randomFrom } from './generators/random.mjs';
import { areas as statements } from './generators/statements.mjs';
import { areas as text } from './generators/text.mjs';
import { areas as types } from './generators/types.mjs';

export const areas = [
    ...classes,
    ...order,
    ...modules,
    ...enums,
    ...namespaces,
    ...decorators,
    ...types,
    ...jsx,
    ...statements,
    ...constants,
    ...effects,
    ...text,
];

/** Returns the first `count` programs of an area: `{ area, seed, entry, files }`, the same for the same seed. */
export function programsOf({ area, generate }, seed, count) {
    return Array.from({ length: count }, (_, index) => {
        const name = `${seed}/${area}/${index}`;
        const { entry, files } = generate(randomFrom(name));
        // An empty script is not a valid integration.
        return { area, seed: name, entry, files: { ...files, [entry]: `${files[entry]}\nlog('end');\n` } };
    });
}
