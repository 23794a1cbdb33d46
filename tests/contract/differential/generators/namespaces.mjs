/**
 * Namespaces: nested, merged with each other and with other declarations, with aliases and live exports. Every alias is used
 * as a value, because esbuild 0.17 keeps the import of an alias that is unused or a type, and TypeScript removes it.
 */
import { TYPESCRIPT_SETTINGS, indent, settingsFile, text } from './files.mjs';

export const areas = [{ area: 'namespaces', generate: (random) => new Namespaces(random).program() }];

class Namespaces {
    constructor(random) {
        Object.assign(this, { random, count: 0 });
    }

    program() {
        const { random } = this;
        const names = random.some(['N', 'M', 'A', 'a', 'outer'], random.between(1, 3));
        const lines = random.chance(0.5) ? ['attempt(() => typeof N1);', 'var N1 = 1;'] : [];
        for (const name of names) {
            lines.push(...this.before(name), ...this.namespace(name, 0, 'export '), ...this.after(name));
        }
        const [first] = names;
        const head = random.chance(0.4)
            ? [
                  "import { Other, type Only } from './other';",
                  `import Alias = Other.Inner;`,
                  'log(Alias.value);',
                  ...random.pick([
                      [],
                      ['type Used = Alias.Type;'],
                      ['export import Again = Other.Inner;', 'log(Again.value);'],
                  ]),
              ]
            : [];
        const other = [
            'export namespace Other {',
            ...indent([
                "log('other');",
                'export namespace Inner { export let value = 1; export type Type = 1; log("inner"); }',
                'export interface Shape {}',
            ]),
            '}',
            'export type Only = 1;',
        ];
        const files = {
            'main.ts': text([...head, ...lines, `export default ${first};`]),
            ...settingsFile(random.pick(TYPESCRIPT_SETTINGS)),
        };
        if (head.length > 0) {
            files['other.ts'] = text(other);
        }
        return { entry: 'main.ts', files };
    }

    /** A namespace may add to a class, a function or an enum. */
    before(name) {
        return this.random.pick([
            [],
            [],
            [],
            [`export function ${name}() { return '${name} called'; }`],
            [`export class ${name} { static own = log('static'); instance = 1; }`],
            [`export enum ${name} { First, Second = 'second' }`],
        ]);
    }

    namespace(name, depth, prefix) {
        const { random } = this;
        const dotted = random.chance(0.2) ? `${name}.Deep` : name;
        const body = random.list(1, 5, () => this.member(name, depth)).flat();
        const keyword = 'namespace';
        const lines = [`${prefix}${keyword} ${dotted} {`, ...indent(body), '}'];
        if (random.chance(0.3)) {
            lines.push(
                `${prefix}${keyword} ${name} {`,
                ...indent([`export const again${++this.count} = log('merged');`, ...this.member(name, depth)]),
                '}',
            );
        }
        return lines;
    }

    member(name, depth) {
        const { random } = this;
        const id = ++this.count;
        const v = `v${id}`;
        return random.pick([
            () => [`export const ${v} = log('${v}') ?? ${id};`, `log(${v}, ${name}.${v});`],
            () => [
                `export let ${v} = ${id};`,
                `export const set${id} = () => { ${v}++; ${v} += 1; [${v}] = [${v} * 2]; return ${v}; };`,
                `log(set${id}(), ${v});`,
            ],
            () => [`export var ${v};`, `log(${v});`, `${v} = 'assigned';`, `({ p: ${v} } = { p: 'destructured' });`],
            () => [
                `export const { p: ${v}, q: [r${id} = 3] = [], ...rest${id} } = { p: ${id}, s: 1 } as any;`,
                `log(${v}, r${id}, rest${id});`,
            ],
            () => [`let ${v} = 'hidden';`, `export function f${id}() { return ${v}; }`, `log(f${id}());`],
            () => [
                `export function f${id}(${name}: any) { return [${name}, typeof f${id}]; }`,
                `attempt(() => f${id}(1));`,
            ],
            () => [`export class C${id} { static made = new C${id}(); field = typeof ${name}; }`, `log(C${id}.made);`],
            () => [`export enum E${id} { A = ${id}, B, C = A | 1 }`, `log(E${id}.B, ${name}.E${id}.C);`],
            () => [
                `export type T${id} = string;`,
                `export interface I${id} {}`,
                `export declare const d${id}: number;`,
            ],
            () => [`const ${name === 'a' ? 'b' : 'a'}${id} = 1;`, `{ const ${name} = 'shadow'; log(typeof ${name}); }`],
            () => [`export async function later${id}() { await null; return ${name}; }`],
            () => [
                `export const arrow${id} = () => typeof ${name};`,
                `log(arrow${id}());`,
                `for (const each of [1]) log(each, arrow${id}());`,
            ],
            () => [`log('statement');`, `if (typeof ${name} === 'object') log('object');`],
            () =>
                depth < 2
                    ? this.namespace(
                          random.pick(['Inner', 'Deep', name]) + id,
                          depth + 1,
                          random.pick(['export ', 'export ', '']),
                      )
                    : ["log('deep');"],
            () => [
                `namespace Types${id} { export type A = 1; export interface B {} }`,
                // esbuild drops a namespace that contains only types.
                `declare namespace Declared${id} { const x: number; } log('types');`,
            ],
            () => [
                `export namespace Sub${id} { export const x = 1; }`,
                `export import alias${id} = Sub${id}.x;`,
                `log(alias${id}, ${name}.alias${id});`,
            ],
            () => [
                `export abstract class Abstract${id} { abstract m(): void; }`,
                `export const object${id} = { ${v}: 1, get g() { return typeof ${name}; } };`,
            ],
        ])();
    }

    after(name) {
        const { random } = this;
        return random.some(
            [
                `log(${name});`,
                `log(Object.keys(${name}));`,
                `attempt(() => (${name} as any).Deep);`,
                `for (const key of Object.keys(${name})) attempt(() => typeof (${name} as any)[key]);`,
                `attempt(() => (${name} as any).f1?.());`,
                `attempt(() => { const ${name} = 1; return ${name}; });`,
                `namespace ${name} { log('once more', typeof ${name}); }`,
            ],
            3,
        );
    }
}
