/**
 * Programs that the CLI publishes and we reject on purpose, each with file and line. There are at most ten exceptions.
 */

const around = (path, lines, settings) => ({
    entry: path,
    files: {
        [path]: `${lines.join('\n')}\n`,
        ...(settings && { 'tsconfig.json': JSON.stringify({ compilerOptions: settings }) }),
    },
});

const DECORATE = "const dec = (target: any, key: any) => log('decorated', key);";
const ASSIGNED = { experimentalDecorators: true, useDefineForClassFields: false };
const DEFINED = { experimentalDecorators: true, useDefineForClassFields: true };

/**
 * Each exception is `{ reason, refused, programs }`: `refused` matches our error, which begins with file and line; we reject
 * all `programs` with it, and the CLI publishes them.
 */
export const exceptions = [
    {
        reason: 'a `case` uses a name that another `case` declares',
        refused: /declared in another `case` of this `switch`/,
        programs: [
            around('main.js', [
                'function f(x) { switch (x) { case 1: let a = 5; case 2: return typeof a; } }',
                'log(f(1));',
                'export default f;',
            ]),
            around('main.ts', [
                'for (const x of [1, 2]) switch (x) { case 1: class A { m() { return 1; } } break; case 2: log(() => new A()); }',
                'export default 1;',
            ]),
        ],
    },
    {
        reason: 'a decorated static member precedes a decorated instance member',
        refused: /a decorated static member is not supported in this position/,
        programs: [
            around('main.ts', [DECORATE, 'class A { @dec static a = 1; @dec m() {} }', 'export default A;'], DEFINED),
            around('main.ts', [DECORATE, "class A { @dec static ['a' + 1]() {} @dec m() {} }", 'export default A;'], ASSIGNED),
        ],
    },
    {
        reason: 'a decorated field has a quoted name',
        refused: /a decorated field with a quoted name is not supported/,
        programs: [around('main.ts', [DECORATE, "class A { @dec 'a b' = 1; }", 'export default A;'], ASSIGNED)],
    },
    {
        reason: 'a decorated field has a computed key',
        refused: /a decorated field with a computed key is not supported/,
        programs: [around('main.ts', [DECORATE, "class A { @dec [String('a')] = 1; }", 'export default A;'], ASSIGNED)],
    },
    {
        reason: 'a class with defined fields that read `this` has a decorated parameter property',
        refused: /a decorated field or parameter of this class cannot be compiled/,
        programs: [
            around(
                'main.ts',
                [DECORATE, 'class A { constructor(@dec public a = 1) {} arrow = () => this; }', 'export default A;'],
                DEFINED,
            ),
        ],
    },
    {
        reason: 'a field moved into the constructor has a computed key',
        refused: /the computed key of this field cannot be compiled/,
        programs: [
            around(
                'main.ts',
                ["class A { constructor(public a = 1) {} [String('b')] = this.a; }", 'log(new A());', 'export default A;'],
                DEFINED,
            ),
        ],
    },
    {
        reason: 'a computed key of a class declaration inside another class uses `this`',
        refused: /`this` in a computed key of a class inside another class is not supported/,
        programs: [
            around('main.js', [
                "class A { key = 'k'; m = () => { class B { [this.key]() { return 1; } } return new B(); }; }",
                'log(new A().m().k());',
                'export default A;',
            ]),
        ],
    },
    {
        reason: 'a `.cts` file has `import` or `export`',
        refused: /cannot use (import|export) statement outside a module/,
        programs: [around('main.cts', ["const value: string = 'cts';", 'log(value);', 'export default value;'])],
    },
    {
        reason: '`delete` is applied to an array element that the minifier replaces by a name',
        refused: /the bundled script is not valid: delete of an unqualified identifier/,
        programs: [around('main.js', ['const k = log;', 'log(delete [k][0]);', 'export default 1;'])],
    },
];

export const MAX_EXCEPTIONS = 10;

/** Returns the exception that matches a rejected result, if any. */
export function exceptionFor({ ours }) {
    const places = ours.refused?.split('\n') ?? [];
    return exceptions.find(({ refused }) => places.length > 0 && places.every((place) => refused.test(place)));
}
