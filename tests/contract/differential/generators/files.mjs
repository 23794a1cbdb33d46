/** Writes the files around generated code: the entry file, modules and `tsconfig.json`. */

/** Returns a program with the code in a file of this kind; the entry imports it if it is CommonJS. */
export function moduleAround(random, kind, lines, files = {}) {
    const code = `${lines.join('\n')}\n`;
    switch (kind) {
        case 'commonjs':
            return {
                entry: 'main.js',
                files: { 'main.js': entryOf('./code'), 'code.js': `${code}exports.done = 'done';\n`, ...files },
            };
        case 'strict commonjs':
            return {
                entry: 'main.js',
                files: {
                    'main.js': entryOf('./code.cjs'),
                    'code.cjs': `'use strict';\n${code}exports.done = 'done';\n`,
                    ...files,
                },
            };
        default:
            return { entry: `main.${kind}`, files: { [`main.${kind}`]: `${code}export default 'done';\n`, ...files } };
    }
}

const entryOf = (path) => `import * as code from '${path}';\nexport default code.done;\n`;

export const indent = (lines) => lines.map((line) => `    ${line}`);

/**
 * Removes class members that have the name of an earlier member; a member is a list of lines. TypeScript rejects duplicate
 * names. JavaScript allows them, so a few JavaScript programs keep them.
 */
export function withoutDuplicates(random, members, typed) {
    const seen = new Set();
    return !typed && random.chance(0.02) ? members : members.filter((lines) => isNew(seen, lines.join(' ')));
}

function isNew(seen, text) {
    const [, modifiers, name] = text
        .replace(/@\([^)]*\)\)|@[\w.]+(\((?:[^()]|\([^()]*\))*\))?/g, '')
        .trim()
        .match(
            /^((?:(?:(?:public|private|protected|readonly|static|declare|abstract|async|override|get|set) +(?=[^\s=]))|\*)*)([^\s(;=:?!]*)/,
        );
    const key = `${modifiers.includes('static')} ${name}`;
    const repeated = seen.has(key) && !/^(\[|\{|$)/.test(name);
    seen.add(key);
    return !repeated;
}

/** Settings for a `tsconfig.json` next to the entry file. Empty settings mean no such file. */
export const TYPESCRIPT_SETTINGS = [
    undefined,
    undefined,
    {},
    { isolatedModules: true },
    { preserveConstEnums: true },
    { importsNotUsedAsValues: 'preserve' },
    { verbatimModuleSyntax: true },
    { preserveValueImports: true },
    { useDefineForClassFields: true },
    { strict: true, alwaysStrict: true },
];

/** Returns a `tsconfig.json` with these settings, if any. */
export function settingsFile(settings) {
    return settings ? { 'tsconfig.json': JSON.stringify({ compilerOptions: settings }) } : {};
}

/** Returns lines as the text of a file. */
export const text = (lines) => `${lines.join('\n')}\n`;
