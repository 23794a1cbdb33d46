/** The files around the code that a generator writes. */

/** Returns a program whose code stands in a file of this kind, imported by the entry where it is CommonJS. */
export function moduleAround(random, kind, lines, files = {}) {
    const code = `${lines.join('\n')}\n`;
    switch (kind) {
        case 'commonjs':
            return { entry: 'main.js', files: { 'main.js': entryOf('./code'), 'code.js': `${code}exports.done = 'done';\n`, ...files } };
        case 'strict commonjs':
            return { entry: 'main.js', files: { 'main.js': entryOf('./code.cjs'), 'code.cjs': `'use strict';\n${code}exports.done = 'done';\n`, ...files } };
        default:
            return { entry: `main.${kind}`, files: { [`main.${kind}`]: `${code}export default 'done';\n`, ...files } };
    }
}

const entryOf = (path) => `import * as code from '${path}';\nexport default code.done;\n`;

export const indent = (lines) => lines.map((line) => `    ${line}`);
