/**
 * Imports and exports of types, and syntax that is removed at compile time.
 *
 * Not generated, because only esbuild 0.17 behaves this way: with `preserveValueImports`, it removes `import {}` and imports
 * of individually marked types; it evaluates the defaults of constructor parameters before defined fields.
 */
import { TYPESCRIPT_SETTINGS, settingsFile, text } from './files.mjs';

export const areas = [{ area: 'types', generate: (random) => new Types(random).program() }];

/** Imports and exports of types, removed syntax, and parameter properties. */
class Types {
    constructor(random) {
        this.random = random;
    }

    program() {
        const { random } = this;
        const extension = random.pick(['ts', 'ts', 'tsx']);
        const settings = random.pick(TYPESCRIPT_SETTINGS);
        const main = [
            ...random.some(this.imports(settings), random.between(2, 6)).flat(),
            ...random.some(this.code(extension), random.between(6, 12)).flat(),
            "export default 'types';",
        ];
        const files = {
            [`main.${extension}`]: text(main),
            'values.ts': text([
                "log('values');",
                'export const value = 1;',
                'export let changed = 2;',
                'export class Both { kept = true; }',
                'export type OnlyType = 1;',
                'export interface Shape {}',
                'export enum Enum { A, B }',
                "export default class { static d = 'default'; }",
            ]),
            'types.ts': text([
                "log('types');",
                'export type A = 1;',
                'export interface B {}',
                'export default interface C {}',
            ]),
            'effect.ts': text([
                "log('effect');",
                'export const used = 1;',
                'export default 3;',
                "export type { A as Passed } from './types';",
                "export { type B, value as passedValue } from './mixed';",
            ]),
            'mixed.ts': text([
                "log('mixed');",
                'export type B = 1;',
                'export const value = 5;',
                "export * from './types';",
                'export type Own = 1;',
            ]),
            ...settingsFile(settings),
        };
        return { entry: `main.${extension}`, files };
    }

    imports(settings) {
        const all = [
            ["import { value, type OnlyType } from './values';", 'log(value);'],
            [
                "import { OnlyType as T1, Shape as S1 } from './values';",
                'let typed: T1 | S1 = null as any;',
                'log(typed);',
            ],
            ["import type { Both } from './values';", 'const both: Both = null as any;', 'log(both);'],
            [
                "import { Both as B2 } from './values';",
                'const typedOnly = (one: B2) => one;',
                'log(typedOnly(1 as any));',
            ],
            ["import { Both as B3 } from './values';", 'log(new B3());'],
            ["import Default from './values';", 'log(Default.d);'],
            ["import Unused from './effect';", 'let unused: typeof Unused;', 'log(unused);'],
            ["import * as all from './values';", 'let t: all.Shape;', 'log(t);'],
            ["import * as values from './values';", 'log(Object.keys(values));'],
            ["import './effect';"],
            ["import {} from './effect';"],
            ["import { type A } from './types';", 'let a0: A;', 'log(a0);'],
            ["import type C from './types';", 'let c0: C;', 'log(c0);'],
            ["import { A as A2, B as Bee } from './types';", 'export type { A2, Bee };'],
            ["export type { Passed } from './effect';"],
            ["export { passedValue } from './effect';"],
            ["export * from './types';"],
            ["export * from './mixed';"],
            ["export { type OnlyType as Renamed, value as renamed } from './values';"],
            ["import { Enum } from './values';", 'log(Enum.B, Enum);'],
            ["import { Enum as E4 } from './values';", 'let enumType: E4;', 'log(enumType);'],
            ["import { changed } from './values';", 'log(typeof changed, { changed });'],
            ["import required = require('./values');", 'log(required.value);'],
            [
                "import type required2 = require('./values');",
                'let fromRequired: required2.Shape;',
                'log(fromRequired);',
            ],
            [
                'namespace NS { export namespace Inner { export const x = log("inner") ?? 1; } }',
                'import Namespaced = NS.Inner;',
                'attempt(() => Namespaced.x);',
            ],
            ["import { value as shadowed } from './values';", 'log(((shadowed: any) => shadowed)(3));'],
            ["import { value as onlyInType } from './values';", 'let typeOf: typeof onlyInType;', 'log(typeOf);'],
        ];
        return all.filter(([line]) => !settings?.preserveValueImports || !/import \{(\}| type \w+ \})/.test(line));
    }

    code(extension) {
        const generic = extension === 'tsx' ? '<T,>' : '<T>';
        return [
            [`log((1 as any) as string, ${extension === 'tsx' ? '2 as const' : '<any>2'});`],
            ['log((null! as any)?.x!.y, ({ a: 1 })!.a);'],
            ["log({ a: 1 } satisfies object, ['x'] as const);"],
            [`const generic = ${generic}(one: T): T => one;`, "log(generic<string>('x'));"],
            [
                'function over(one: string): void;',
                'function over(one: number): void;',
                'function over(one: any) { log(one); }',
                'over(1);',
            ],
            [
                'declare const nowhere: number;',
                'declare function never(): void;',
                'declare class Absent {}',
                'declare module "elsewhere" { const x: 1; }',
                'log(typeof nowhere);',
            ],
            [
                'function asserts(one: any): asserts one is string {}',
                'function is(one: any): one is string { return true; }',
                'log(is(1), asserts(1));',
            ],
            ['let definite!: number;', 'log(typeof definite);'],
            ['function self(this: any, one?: number) { return [this, one]; }', 'log(self.call(1, 2));'],
            [
                'abstract class Abstract { abstract m(): void; constructor(protected readonly one = 1, public two?: any) {} n() { return [this.one, this.two]; } }',
                'class Real extends Abstract { m() {} constructor() { super(5); log("made"); } override n() { return ["real", ...super.n()]; } }',
                'log(new Real().n(), new Real());',
            ],
            [
                'class Params { first = log("first"); constructor(public a = 1, private b: any = 2) { log("body", this.b); } second = log("second"); }',
                'log(new Params());',
            ],
            [
                'class Fields { declare a: number; b?: string; c!: number; readonly d; static e; [key: string]: any; }',
                'log(new Fields(), Fields);',
            ],
            [
                'class Generic<T extends object = {}> { constructor(readonly x: T) {} map<U>(f: (one: T) => U): U { return f(this.x); } }',
                'log(new Generic<any>({ y: 1 }).map<number>((one: any) => one.y));',
            ],
            [
                'type Local = { [K in "a"]?: K };',
                'interface Local2 extends Local {}',
                'let local: Local2 = {};',
                'log(local);',
            ],
            [
                'const type = 1, declare = 2, namespace = 3, abstract = 4, module2 = 5, as = 6, satisfies = 7, is0 = 8, keyof = 9, readonly = 10;',
                'log(type + declare + namespace + abstract + module2 + as + satisfies + is0 + keyof + readonly);',
            ],
            ['let fn: typeof log = log;', 'fn("instantiated");'],
            ['const inst = Array<string>;', 'log(inst === Array);'],
            ['log(((a: any, b?: any, ...c: any[]): void => {}).length);'],
            ['for (const each of [1, 2] as number[]) log(each as any);'],
            ['let x1: any = 1; (x1 as any) = 2; x1! += 1; log(x1);'],
            ['try { throw 1; } catch (error: unknown) { log(error); }'],
            ['enum Small { A = 1 } const small: Small.A = Small.A; log(small satisfies Small);'],
            ['label: { if (1 as any) break label; log("never"); }'],
            ['var hoistedType: hoisted2; type hoisted2 = 1; log(hoistedType);'],
            [
                'const object = { m<T>(this: any, one: T): T { return one; }, async *g<T>() {}, get x(): number { return 1; } };',
                'log(object);',
            ],
            ['log(new (class<T> { constructor(public a?: T) {} })<number>(3));'],
            [
                'export type { Local3 }; type Local3 = 1;',
                'export interface Exported {}',
                'export declare enum Declared { A }',
                'export abstract class Both0 {}',
            ],
            ['unique: { const s: unique symbol = Symbol("s") as any; log(s); }'],
            [
                'let tuple: [a: string, b?: number, ...rest: any[]] = ["x"]; log(tuple); let negative: -1 = -1; log(negative);',
            ],
            ['log(typeof (0 as any as import("./types").A));'],
        ];
    }
}
