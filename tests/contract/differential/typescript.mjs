/** What only TypeScript has: enums, namespaces and decorators, and what of it is left at run time. */
import { indent, withoutDuplicates } from './files.mjs';

export const areas = [
    { area: 'enums', generate: (random) => new Enums(random).program() },
    { area: 'namespaces', generate: (random) => new Namespaces(random).program() },
    { area: 'decorators', generate: (random) => new Decorators(random).program() },
    { area: 'types', generate: (random) => new Types(random).program() },
];

const SETTINGS = [
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

function settingsFile(settings) {
    return settings ? { 'tsconfig.json': JSON.stringify({ compilerOptions: settings }) } : {};
}

const text = (lines) => `${lines.join('\n')}\n`;

class Enums {
    constructor(random) {
        Object.assign(this, { random, known: [] });
    }

    program() {
        const { random } = this;
        const shared = random.chance(0.6) ? this.enum('Shared', 'export ') : undefined;
        const head = shared ? [random.pick(["import { Shared } from './shared';", "import * as all from './shared';\nconst { Shared } = all;", "import { Shared as Given } from './passed';\nimport Shared = Given;"])] : [];
        // A constant enum has no object, unless it is exported.
        const useful = shared?.[0].includes('const enum') ? head.map(() => "import { Shared } from './shared';") : head;
        const lines = [...useful, 'const outer = 7;', ...(shared ? ['log(Shared.A, Shared);'] : []), ...random.list(1, 3, (index) => this.declareAndUse(`E${index}`)).flat()];
        const exported = ['export { E0 };', 'export default () => E0.A;'];
        const files = { 'main.ts': text([...lines, ...exported]), ...settingsFile(random.pick(SETTINGS)) };
        if (shared) {
            files['shared.ts'] = text(shared);
            files['passed.ts'] = "export * from './shared';\n";
        }
        return { entry: 'main.ts', files };
    }

    declareAndUse(name) {
        const { random } = this;
        const lines = this.enum(name, '');
        if (random.chance(0.3)) {
            lines.push(lines[0], ...indent(['More = 100,', `Again = ${random.pick([`${name}.A`, `${name}.A`, "'again'", '1 + 2'])},`]), '}');
        }
        if (random.chance(0.25) && !lines[0].startsWith('const')) {
            lines.push(`namespace ${name} {`, ...indent([`export const read = () => ${name}.A;`, 'export function extra() { return 1; }']), '}', `log(${name}.read());`);
        }
        const scope = random.pick(['top', 'top', 'function', 'block']);
        const used = this.uses(name);
        const nested = name !== 'E0' && !lines.some((line) => line.startsWith('namespace'));
        if (scope === 'function' && nested) {
            return [`(function () {`, ...indent([...lines, ...used]), '})();'];
        }
        if (scope === 'block' && nested) {
            return ['{', ...indent([...lines, ...used]), '}'];
        }
        return [...lines, ...used];
    }

    enum(name, prefix) {
        const { random } = this;
        const kind = random.pick(['enum', 'enum', 'const enum']);
        const members = ['A'];
        const lines = [this.first()];
        const count = random.between(1, 6);
        for (let index = 0; index < count; index++) {
            lines.push(`${this.member(name, members, lines.at(-1), kind)},`);
        }
        return [`${prefix}${kind} ${name} {`, ...indent(lines), '}'];
    }

    first() {
        return this.random.pick(['A,', 'A = 1,', "A = 'a',", 'A = -0,', 'A = 1 << 4,', "A = 'x'.length,", 'A = outer0,'.replace('outer0', '5')]);
    }

    member(name, members, previous, kind) {
        const { random } = this;
        const all = ['B', 'C', 'D', "'quoted name'", "'-0'", 'E', 'F', "'then'", 'toString', 'outer', "'a-b'", '__proto__x', 'constructor', 'G'];
        const free = all.filter((member) => !members.includes(member));
        const own = random.pick(free);
        const plain = members.filter((member) => /^\w+$/.test(member));
        const earlier = random.pick(plain);
        members.push(own);
        const constant = [
            '1', '-1', '0.5', '1e21', '0xff', '1 / 0', '-1 / 0', '0 / 0', '-0', "'text'", '`template`', "'a' + 'b'", '1 + 2 * 3', '2 ** 10', '~5', '-7 % 3', '1 << 31', '-1 >>> 0', '1 | 6 & 3 ^ 9', "'\\u2028'",
            earlier, `${name}.${earlier}`, `${earlier} + 1`, `${earlier} | 8`, `\`\${${earlier}}-x\``, `${name}['${earlier}']`, `-${earlier}`, `(${earlier})`, `${earlier} as any`,
        ];
        const computed = ["'abc'.length", "log('computed')", 'Math.max(1, 2)', 'outer', 'typeof outer', `${earlier} ? 1 : 2`, `${earlier} || 9`, `parseInt('${members.length}')`, '[1].length'];
        const value = random.pick(kind === 'const enum' || random.chance(0.7) ? constant : computed);
        const automatic = /^\w+ ?=? ?-?\d*,$/.test(previous) && random.chance(0.4);
        return automatic ? own : `${own} = ${value}`;
    }

    uses(name) {
        const { random } = this;
        return random.some(
            [
                `log(${name});`,
                `log(Object.entries(${name}));`,
                `log(${name}.A, ${name}['A'], (${name} as any)[${name}.A]);`,
                `attempt(() => (${name} as any)['quoted name']);`,
                `for (const key in ${name}) log(key);`,
                `switch (Number(${name}.A)) { case 0: log('zero'); break; case ${name}.A as any: log('own'); break; default: log('other'); }`,
                `log(${name}.A.toString(), \`\${${name}.A}\`);`,
                `log(${name}?.A, typeof ${name}, typeof ${name}.A);`,
                `log(${name}.A === (0 as any), !${name}.A, -${name}.A, (${name}.A as any) + 1);`,
                `attempt(() => { const { A, ...rest } = ${name} as any; return [A, rest]; });`,
                `attempt(() => { const ${name} = { A: 'shadowed' }; return ${name}.A; });`,
                `attempt(() => ((A: any) => [A, ${name}.A])(1));`,
                `log(((value: ${name}) => value)(${name}.A));`,
                `attempt(() => { (${name} as any).Added = 1; return ${name}; });`,
                `attempt(() => (${name}.A as any).missing);`,
                `log({ [${name}.A]: 1 }, { ${name} });`,
            ],
            random.between(2, 5),
        );
    }
}

class Namespaces {
    constructor(random) {
        Object.assign(this, { random, count: 0 });
    }

    program() {
        const { random } = this;
        const names = random.some(['N', 'M', 'A', 'a', 'outer'], random.between(1, 3));
        const lines = random.chance(0.5) ? ["attempt(() => typeof N1);", 'var N1 = 1;'] : [];
        for (const name of names) {
            lines.push(...this.before(name), ...this.namespace(name, 0, 'export '), ...this.after(name));
        }
        const [first] = names;
        const head = random.chance(0.4) ? ["import { Other, type Only } from './other';", `import Alias = Other.Inner;`, ...random.pick([['log(Alias.value);'], ['type Used = Alias.Type;'], ['export import Again = Other.Inner;', 'log(Again.value);']])] : [];
        const other = ['export namespace Other {', ...indent(["log('other');", 'export namespace Inner { export let value = 1; export type Type = 1; log("inner"); }', 'export interface Shape {}']), '}', 'export type Only = 1;'];
        const files = { 'main.ts': text([...head, ...lines, `export default ${first};`]), ...settingsFile(random.pick(SETTINGS)) };
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
            lines.push(`${prefix}${keyword} ${name} {`, ...indent([`export const again${++this.count} = log('merged');`, ...this.member(name, depth)]), '}');
        }
        return lines;
    }

    member(name, depth) {
        const { random } = this;
        const id = ++this.count;
        const v = `v${id}`;
        return random.pick([
            () => [`export const ${v} = log('${v}') ?? ${id};`, `log(${v}, ${name}.${v});`],
            () => [`export let ${v} = ${id};`, `export const set${id} = () => { ${v}++; ${v} += 1; [${v}] = [${v} * 2]; return ${v}; };`, `log(set${id}(), ${v});`],
            () => [`export var ${v};`, `log(${v});`, `${v} = 'assigned';`, `({ p: ${v} } = { p: 'destructured' });`],
            () => [`export const { p: ${v}, q: [r${id} = 3] = [], ...rest${id} } = { p: ${id}, s: 1 } as any;`, `log(${v}, r${id}, rest${id});`],
            () => [`let ${v} = 'hidden';`, `export function f${id}() { return ${v}; }`, `log(f${id}());`],
            () => [`export function f${id}(${name}: any) { return [${name}, typeof f${id}]; }`, `attempt(() => f${id}(1));`],
            () => [`export class C${id} { static made = new C${id}(); field = typeof ${name}; }`, `log(C${id}.made);`],
            () => [`export enum E${id} { A = ${id}, B, C = A | 1 }`, `log(E${id}.B, ${name}.E${id}.C);`],
            () => [`export type T${id} = string;`, `export interface I${id} {}`, `export declare const d${id}: number;`],
            () => [`const ${name === 'a' ? 'b' : 'a'}${id} = 1;`, `{ const ${name} = 'shadow'; log(typeof ${name}); }`],
            () => [`export async function later${id}() { await null; return ${name}; }`],
            () => [`export const arrow${id} = () => typeof ${name};`, `log(arrow${id}());`, `for (const each of [1]) log(each, arrow${id}());`],
            () => [`log('statement');`, `if (typeof ${name} === 'object') log('object');`],
            () => (depth < 2 ? this.namespace(random.pick(['Inner', 'Deep', name]) + id, depth + 1, random.pick(['export ', 'export ', ''])) : ["log('deep');"]),
            () => [`namespace Types${id} { export type A = 1; export interface B {} }`, `declare namespace Declared${id} { const x: number; }`],
            () => [`export namespace Sub${id} { export const x = 1; }`, `export import alias${id} = Sub${id}.x;`, `log(alias${id}, ${name}.alias${id});`],
            () => [`export abstract class Abstract${id} { abstract m(): void; }`, `export const object${id} = { ${v}: 1, get g() { return typeof ${name}; } };`],
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

/** esbuild 0.17 knows the decorators of TypeScript's `experimentalDecorators` only, and takes them with any settings. */
class Decorators {
    constructor(random) {
        Object.assign(this, { random, count: 0 });
    }

    program() {
        const { random } = this;
        const settings = random.pick([
            { experimentalDecorators: true },
            { experimentalDecorators: true },
            { experimentalDecorators: true, useDefineForClassFields: true },
            { experimentalDecorators: true, useDefineForClassFields: false, target: 'es2022' },
            { experimentalDecorators: true, emitDecoratorMetadata: true },
            { experimentalDecorators: true, target: 'es2022' },
            undefined,
        ]);
        const lines = [...this.helpers(), ...random.list(1, 2, (index) => this.class(`C${index}`)).flat()];
        const files = { 'main.ts': text(lines), ...settingsFile(settings) };
        if (random.chance(0.3)) {
            files['main.ts'] = `import { Service, type Shape } from './service';\n${files['main.ts']}@dec('with a type') class Uses { constructor(@param('p') readonly service: Service, shape?: Shape) {} @dec('method') m(one: Service): void {} @dec('typed') field: Service = null as any; }\nlog(new Uses(null as any));\n`;
            files['service.ts'] = "log('service');\nexport class Service { static loaded = log('Service'); }\nexport interface Shape {}\n";
        }
        return { entry: 'main.ts', files };
    }

    helpers() {
        return [
            ...(this.random.chance(0.3) ? ["(Reflect as any).metadata = (key: any, value: any) => (log('metadata', key), () => {});"] : []),
            'function dec(what: string, ...more: any[]): any {',
            "    log('factory', what);",
            '    return (target: any, key?: any, descriptor?: any) => { log(what, typeof target, key, descriptor && Object.keys(descriptor)); };',
            '}',
            'const param = (what: string) => (target: any, key: any, index: number) => log(what, typeof target, key, index);',
            "const plain: any = (target: any, key?: any, descriptor?: any) => log('plain', key, typeof descriptor);",
            'const space = { dec, nested: { plain } };',
            "const replace = (target: any): any => class extends target { replaced = true; static also = log('replaced'); };",
            "const wrap: any = (target: any, key: any, descriptor: any) => ({ ...descriptor, value: function (...all: any[]) { return ['wrapped', descriptor.value.apply(this, all)]; } });",
            "const accessor: any = (target: any, key: any) => ({ configurable: true, enumerable: true, get() { return 'from the decorator'; }, set(value: any) { log('decorated set', key, value); } });",
            "const fails: any = () => { throw new Error('decorator fails'); };",
            "const at = (what: any, value?: any): any => (log(what), value);",
        ];
    }

    decorator() {
        const id = ++this.count;
        return this.random.pick([`@dec('d${id}')`, `@dec('d${id}')`, '@plain', `@space.dec('s${id}')`, '@space.nested.plain', `@(at('expression ${id}', plain))`, `@dec('d${id}', () => C0)`, `@dec('a${id}') @dec('b${id}')`]);
    }

    class(name) {
        const { random } = this;
        const decorated = random.chance(0.6);
        const heads = decorated ? [random.pick([this.decorator(), '@replace', `${this.decorator()} @replace`, this.decorator()])] : [];
        const members = withoutDuplicates(random, random.list(2, 6, () => this.member(name)));
        const params = random.some([`@param('c1') one: any`, `@dec('c2') public two = at('two', 2)`, 'three?: any', `@param('c3') @dec('c4') private four?: string`], random.between(0, 3));
        const parent = random.pick(['', '', '', name === 'C1' ? ' extends C0' : " extends (at('heritage', class { m() { return 'above'; } }) as any)"]);
        params.sort((one, other) => one.includes('?') - other.includes('?'));
        const constructor = random.chance(0.5) ? [[`constructor(${params.join(', ')}) { ${parent ? 'super(); ' : ''}log('made'); }`]] : [];
        const prefix = random.pick(['', '', 'export ', name === 'C0' ? 'export default ' : '']);
        const body = random.shuffled([...members, ...constructor]).flat();
        return [
            ...heads,
            `${prefix}class ${name}${parent} {`,
            ...indent(body),
            '}',
            `log(${name});`,
            `attempt(() => { const made: any = new (${name} as any)(1); return [made, made.m?.(1), made.a, Object.keys(made)]; });`,
            ...(random.chance(0.5) ? [`attempt(() => { const made: any = new (${name} as any)(); made.a = 'assigned'; return [made.a, made]; });`] : []),
            ...(random.chance(0.3) ? [`attempt(() => (${name} as any).self?.() === ${name});`] : []),
        ];
    }

    member(name) {
        const { random } = this;
        const dec = this.decorator();
        const id = this.count;
        return random.pick([
            [`${dec} a = at('field a', 1);`],
            [`${dec} a${id}: any;`],
            [`${dec} static s${id} = at('static ${id}', 2);`],
            [`${dec}`, `m(@param('p${id}') one?: any, @dec('q${id}') two?: any) { return ['m', one]; }`],
            [`@wrap m() { return 'm'; }`],
            [`${dec} @wrap async m() { return 1; }`],
            [`${dec} static self() { return ${name}; }`],
            [`${dec} get a() { return 'get a'; }`, `set a(value: any) { log('set a', value); }`],
            [`@accessor a: any;`],
            [`@accessor a = 5;`],
            [`${dec} [at('key ${id}', 'computed${id}')]() { return 1; }`],
            [`${dec} [at('key ${id}', 'computed${id}')] = at('computed value', 1);`],
            [`plain${id} = at('not decorated', ${id});`],
            [`static block${id} = at('static', typeof ${name});`],
            [`static { log('block', typeof ${name}); }`],
            [`${dec} declare d${id}: any;`.replace('declare ', random.chance(0.5) ? 'declare ' : '')],
            [`#private${id} = 1;`, `${dec} read${id}() { return this.#private${id}; }`],
            [`${dec} 'quoted ${id}' = 1;`],
            [`${dec} ${id}() { return 'numeric'; }`],
            [`${dec} *many${id}() { yield this; }`],
            [`${dec} arrow${id} = () => this;`],
            [`${dec} static [Symbol.iterator]() { return 1; }`],
            ...(random.chance(0.1) ? [['@fails fails() {}']] : []),
        ]);
    }
}

/** Imports and exports that are types, syntax that leaves nothing behind, and parameter properties. */
class Types {
    constructor(random) {
        this.random = random;
    }

    program() {
        const { random } = this;
        const extension = random.pick(['ts', 'ts', 'tsx']);
        const main = [...random.some(this.imports(), random.between(2, 6)).flat(), ...random.some(this.code(extension), random.between(6, 12)).flat(), "export default 'types';"];
        const files = {
            [`main.${extension}`]: text(main),
            'values.ts': text(["log('values');", 'export const value = 1;', 'export let changed = 2;', 'export class Both { kept = true; }', 'export type OnlyType = 1;', 'export interface Shape {}', 'export enum Enum { A, B }', "export default class { static d = 'default'; }"]),
            'types.ts': text(["log('types');", 'export type A = 1;', 'export interface B {}', 'export default interface C {}']),
            'effect.ts': text(["log('effect');", 'export const used = 1;', "export type { A as Passed } from './types';", "export { type B, value as passedValue } from './mixed';"]),
            'mixed.ts': text(["log('mixed');", 'export type B = 1;', 'export const value = 5;', "export * from './types';", "export type * as ignored from './types';".replace(/^.*$/, 'export type Own = 1;')]),
            ...settingsFile(random.pick(SETTINGS)),
        };
        return { entry: `main.${extension}`, files };
    }

    imports() {
        return [
            ["import { value, type OnlyType } from './values';", 'log(value);'],
            ["import { OnlyType as T1, Shape as S1 } from './values';", 'let typed: T1 | S1 = null as any;', 'log(typed);'],
            ["import type { Both } from './values';", 'const both: Both = null as any;', 'log(both);'],
            ["import { Both as B2 } from './values';", 'const typedOnly = (one: B2) => one;', 'log(typedOnly(1 as any));'],
            ["import { Both as B3 } from './values';", 'log(new B3());'],
            ["import Default from './values';", 'log(Default.d);'],
            ["import Unused from './effect';", 'let unused: Unused;'.replace('Unused;', 'typeof Unused;'), 'log(unused);'],
            ["import * as all from './values';", 'let t: all.Shape;', 'log(t);'],
            ["import * as values from './values';", 'log(Object.keys(values));'],
            ["import './effect';"],
            ["import {} from './effect';"],
            ["import { type A } from './types';", 'let a0: A;', 'log(a0);'],
            ["import type C from './types';", 'let c0: C;', 'log(c0);'],
            ["import { A as A2, B as Bee } from './types';", "export { A2, Bee };".replace('export {', 'export type {')],
            ["export { Passed } from './effect';".replace('export {', 'export type {')],
            ["export { passedValue } from './effect';"],
            ["export * from './types';"],
            ["export * from './mixed';"],
            ["export { type OnlyType as Renamed, value as renamed } from './values';"],
            ["import { Enum } from './values';", 'log(Enum.B, Enum);'],
            ["import { Enum as E4 } from './values';", 'let enumType: E4;', 'log(enumType);'],
            ["import { changed } from './values';", 'log(typeof changed, { changed });'],
            ["import required = require('./values');", 'log(required.value);'],
            ["import type required2 = require('./values');", 'let fromRequired: required2.Shape;', 'log(fromRequired);'],
            ['namespace NS { export namespace Inner { export const x = log("inner") ?? 1; } }', 'import Namespaced = NS.Inner;', 'attempt(() => Namespaced.x);'],
            ["import { value as shadowed } from './values';", 'log(((shadowed: any) => shadowed)(3));'],
            ["import { value as onlyInType } from './values';", 'let typeOf: typeof onlyInType;', 'log(typeOf);'],
        ];
    }

    code(extension) {
        const generic = extension === 'tsx' ? '<T,>' : '<T>';
        return [
            ['log((1 as any) as string, <any>2);'.replace('<any>2', extension === 'tsx' ? '2 as const' : '<any>2')],
            ['log((null! as any)?.x!.y, ({ a: 1 })!.a);'],
            ["log({ a: 1 } satisfies object, ['x'] as const);"],
            [`const generic = ${generic}(one: T): T => one;`, "log(generic<string>('x'));"],
            ['function over(one: string): void;', 'function over(one: number): void;', 'function over(one: any) { log(one); }', 'over(1);'],
            ['declare const nowhere: number;', 'declare function never(): void;', 'declare class Absent {}', 'declare module "elsewhere" { const x: 1; }', 'log(typeof nowhere);'],
            ['function asserts(one: any): asserts one is string {}', 'function is(one: any): one is string { return true; }', 'log(is(1), asserts(1));'],
            ['let definite!: number;', 'log(typeof definite);'],
            ['function self(this: any, one?: number) { return [this, one]; }', 'log(self.call(1, 2));'],
            ['abstract class Abstract { abstract m(): void; constructor(protected readonly one = 1, public two?: any) {} n() { return [this.one, this.two]; } }', 'class Real extends Abstract { m() {} constructor() { super(5); log("made"); } override n() { return ["real", ...super.n()]; } }', 'log(new Real().n(), new Real());'],
            ['class Params { first = log("first"); constructor(public a = log("a"), private b: any = log("b")) { log("body"); } second = log("second"); }', 'log(new Params());'],
            ['class Fields { declare a: number; b?: string; c!: number; readonly d; static e; [key: string]: any; }', 'log(new Fields(), Fields);'],
            ['class Generic<T extends object = {}> { constructor(readonly x: T) {} map<U>(f: (one: T) => U): U { return f(this.x); } }', 'log(new Generic<any>({ y: 1 }).map<number>((one: any) => one.y));'],
            ['type Local = { [K in "a"]?: K };', 'interface Local2 extends Local {}', 'let local: Local2 = {};', 'log(local);'],
            ['const type = 1, declare = 2, namespace = 3, abstract = 4, module2 = 5, as = 6, satisfies = 7, is0 = 8, keyof = 9, readonly = 10;', 'log(type + declare + namespace + abstract + module2 + as + satisfies + is0 + keyof + readonly);'],
            ['let fn: typeof log = log;', 'fn<string>("instantiated");'.replace('<string>', '')],
            ['const inst = Array<string>;', 'log(inst === Array);'],
            ['log(((a: any, b?: any, ...c: any[]): void => {}).length);'],
            ['for (const each of [1, 2] as number[]) log(each as any);'],
            ['let x1: any = 1; (x1 as any) = 2; x1! += 1; log(x1);'],
            ['try { throw 1; } catch (error: unknown) { log(error); }'],
            ['enum Small { A = 1 } const small: Small.A = Small.A; log(small satisfies Small);'],
            ['label: { if (1 as any) break label; log("never"); }'],
            ['var hoistedType: hoisted2; type hoisted2 = 1; log(hoistedType);'],
            ['const object = { m<T>(this: any, one: T): T { return one; }, async *g<T>() {}, get x(): number { return 1; } };', 'log(object);'],
            ['log(new (class<T> { constructor(public a?: T) {} })<number>(3));'],
            ["export type { Local3 }; type Local3 = 1;", "export interface Exported {}", 'export declare enum Declared { A }', 'export abstract class Both0 {}'],
            ['unique: { const s: unique symbol = Symbol("s") as any; log(s); }'],
            ['let tuple: [a: string, b?: number, ...rest: any[]] = ["x"]; log(tuple); let negative: -1 = -1; log(negative);'],
            ['log(typeof (0 as any as import("./types").A));'],
        ];
    }
}
