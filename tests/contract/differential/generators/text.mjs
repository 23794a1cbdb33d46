/**
 * Names, keys, literals, line breaks and directives, which a printer may rewrite. HTML comments in code are not generated,
 * because oxc parses every file as a module, where they are a syntax error.
 */
import { STRINGS } from './constants.mjs';
import { indent, moduleAround } from './files.mjs';

export const areas = [{ area: 'minifier: text', generate: (random) => new Text(random).program() }];

class Text {
    constructor(random) {
        Object.assign(this, { random, count: 0 });
    }

    program() {
        const { random } = this;
        const kind = random.pick(['js', 'commonjs', 'commonjs', 'mjs']);
        this.sloppy = kind === 'commonjs';
        const lines = random.list(8, 14, () => this.part()).flat();
        const body = random.chance(0.6) ? lines : ['(() => {', ...indent(lines), '})();'];
        return moduleAround(random, kind, body);
    }

    key() {
        return this.random.pick([
            "'-0'",
            "'01'",
            '__proto__',
            "'__proto__'",
            "['__proto__']",
            '0',
            '1e3',
            '0x10',
            '.5',
            '1e21',
            "'1e21'",
            "'a-b'",
            'if',
            'class',
            'await',
            'yield',
            "'\\u0061'",
            '\\u0061b',
            'é',
            "''",
            "'constructor'",
            "'0'",
            "'4294967295'",
            '1_0',
            '10n',
            "'\\u2028'",
            'get',
            'set',
            'async',
            'static',
            'of',
            "'Infinity'",
            'NaN',
            '[-0]',
            "['x' + 1]",
            '[1 + 1]',
            'ℼ',
            "'𠮷'",
            '𠮷',
            "'ªb'",
            '0.1',
            "'1.0'",
            '999999999999999999',
        ]);
    }

    part() {
        const { random } = this;
        const id = ++this.count;
        const key = () => this.key();
        const both = [
            () => [`log({ ${key()}: 1, ${this.unlessPrototype(key())}: 2, ${this.unlessPrototype(key())}: 3 });`],
            () => [
                `log(Object.keys({ ${this.member(this.unlessPrototype(key()))}() { return 1; }, get ${this.member(this.unlessPrototype(key()))}() { return 2; }, async ${this.member(this.unlessPrototype(key()))}() {} }));`,
            ],
            () => [
                `log(class { static ${this.member(key())} = 1; ${this.member(key())}() {} static get ${this.member(key())}() { return 1; } });`,
            ],
            () => [
                `attempt(() => { const { ${this.target(key())}: p, ...rest } = { '-0': 1, 0: 2, a: 3, '01': 4, if: 5 }; return [p, rest]; });`,
            ],
            () => [
                `const o${id} = { __proto__: { inherited: 1 } };`,
                `log(o${id}.inherited, Object.keys(o${id}), { ['__proto__']: 1 }, { '__proto__': null } instanceof Object);`,
                `const proto${id} = 5;`,
            ],
            // Not `{ __proto__ }`, with which esbuild 0.17 sets the prototype.
            () => [
                `(() => { const __proto__ = { x: 1 }; log({ __proto__: __proto__ }.x, { __proto__() {} }, ({ __proto__ }) => __proto__); })();`,
            ],
            () => [`log(${random.pick(STRINGS)}, ${random.pick(STRINGS)} + ${random.pick(STRINGS)});`],
            () => [
                `log(String.raw\`\\u00e9\${1}\\n\\\`\`, ((parts) => [parts, parts.raw])\`a\\u0041\${0}\\x\${1}\r\nb\`);`,
                `log(((parts) => parts)\`x\` === ((parts) => parts)\`x\`);`,
            ],
            () => [
                `const tag${id} = () => (parts) => parts;`,
                `const call${id} = () => tag${id}()\`t\`;`,
                `log(call${id}() === call${id}());`,
            ],
            () => [
                `log(/[/\\]]+/.exec('a/]b'), /\\//.source, /(?<year>\\d{4})/u.exec('in 2020').groups.year, /(?<!a)b/.test('ab'), /^.$/su.test('\\n'));`,
            ],
            () => [
                `const re${id} = /a/g;`,
                `log(re${id}.test('aa'), re${id}.lastIndex, re${id}.test('aa'), re${id}.test('aa'));`,
                `const fresh${id} = () => /b/y;`,
                `log(fresh${id}() === fresh${id}(), fresh${id}().sticky);`,
            ],
            () => [
                `attempt(() => [/a/d.exec('ba')?.indices?.[0], /\\p{L}+/u.exec('1é'), /[\\u{1f600}]/u.test('\\u{1f600}')]);`,
            ],
            () => [
                `let less${id} = 1, more${id} = 2;`,
                `log(less${id} < !--more${id}, less${id}-- > more${id}, - -less${id}, + +less${id}, - --less${id}, + ++less${id}, less${id}+ +more${id}, less${id}- -more${id}, !--less${id});`,
            ],
            () => [
                `log(1..toString(), 1.5.toFixed(0), (1).constructor === Number, 1e3.toString(), 0x1.a, (-1) ** 2, -(1 ** 2), (2 ** 3) ** 2, 2 ** 3 ** 2, (-2) ** -1);`,
            ],
            () => [
                `log((1, 2), [(1, 2)], ((a, b) => b)((1, 2), 3), (() => ({}))(), (() => ({ a: 1 }.a))(), (function () {})(), (class {}).name.length >= 0, new (class { constructor() { this.x = 1; } })().x);`,
            ],
            () => [
                `log(new ((() => Map)())().size, new (Map.bind())().size, new Map().size, new (class { static f() { return Map; } }.f())().size);`,
            ],
            () => [
                `log((a => a)(1), (async a => a).length, (({ a }) => a)({ a: 1 }), (([a]) => a)([1]), ((...a) => a)(1, 2), ((a, ) => a)(1));`,
            ],
            () =>
                [
                    'let asi',
                    '= 5',
                    'log(asi)',
                    ';[1, 2].forEach((n) => log(n))',
                    'asi',
                    '++',
                    'asi',
                    'log(asi)',
                    'const fn = () => {',
                    '    return',
                    '    1',
                    '}',
                    'log(fn())',
                    ';(() => log("paren"))()',
                    ';`template`.length',
                    'var async',
                    'async = 1',
                    'log(async)',
                    'if (asi) log(1)',
                    'else log(2)',
                    'do log(3); while (0) log(4)',
                ].map((line) => line.replace(/\b(asi|fn)\b/g, `$1${id}`)),
            () => [
                `log(1 ? 2 : 3 ? 4 : 5, (1 ? 0 : 3) ? 4 : 5, 1 || 0 && 2, (1 || 0) && 2, (null ?? 1) || 2, null ?? (0 || 2), 1 + (2 + 3), '1' + (2 + 3), 1 - (2 - 3), 2 * (3 % 2), (2 * 3) % 4, 8 / (4 / 2), !(1 in [1, 2]), !(1 instanceof Object), -(-1), typeof (1 + 1), typeof 1 + 1, void 0 ?? 1, ('a', 'b') in { b: 1 }, (a => a) ? 1 : 2);`,
            ],
            () => [
                `for (const x of [() => 1 in [0, 1]]) log(x());`,
                `for (var i${id} = (0 in [1]) ? 1 : 0; i${id} < 2; i${id}++) log(i${id});`,
                `for (let x = ('a' in {}) || 1, f = () => ('a' in {}); x < 2; x++) log(f());`,
                `for (const x of (0, [1])) log(x);`,
                `for (let of of [1]) log(of);`,
                'for (let async0 of [1]) log(async0);',
            ],
            () => [
                `if (1) { if (0) log('a'); } else log('b');`,
                `if (0) if (1) log('c'); else log('d');`,
                `if (1) for (;;) { if (1) break; } else log('e');`,
                `if (1) do if (0) log('f'); while (0); else log('g');`,
                "if (1) with0: { if (0) log('h'); else break with0; } else log('i');",
            ],
            () => [
                `const \\u0061bc${id} = 1, ℼ${id} = 2, 𠮷${id} = 3, $${id} = 4, _${id} = 5;`,
                `log(abc${id} + \\u{20bb7}${id} * 2, ℼ${id}, 𠮷${id}, $${id}, _${id});`,
            ],
            () => [
                `log(((undefined) => undefined)(1), ((NaN, Infinity) => [NaN, Infinity, 1 / 0, 0 / 0])(2, 3));`,
                `(() => { const undefined = 5; log(undefined, void 0, [][0] === undefined); })();`,
            ],
            () => [
                `const target${id} = { a: { b: [() => 'deep'] } };`,
                `log(target${id}['a']['b'][0](), target${id}['a']?.['b']?.[0]?.(), target${id}['not valid'], target${id}[\`a\`] === target${id}.a);`,
            ],
            () => [`log([, 1, , 2, ].length, 1 in [, 1, , ], [...[, 1]], [,].length, Object.keys([, 1]));`],
            () => [
                `log(0.1 + 0.2, 1e21 + 1, 1 / 3, 1e-7, 123456789.123, 5e-324, 1.7976931348623157e308, 2 ** -1074, 0xffffffffffffffff, 0.000001, 1e6, 1000000000, 1e100, -1e-10, 4.0, 100, 255 .toString(16));`,
            ],
            () => [
                `log(0xffn, 1_000n, 10n / 3n, -10n % 3n, 2n ** 70n, BigInt(5) === 5n, typeof 1n, 1n == 1, 0n ? 1 : 2, -0n, 5n > 4, '5' == 5n);`,
            ],
            () => [
                `function directive${id}() { 'use strict'; return this === undefined; }`,
                `function notDirective${id}() { ('use strict'); return typeof this; }`,
                `function other${id}() { 'use asm'; 'ngInject'; return 1; }`,
                `log(directive${id}(), other${id}());`,
            ],
            () => [
                `label${id}: for (const a of [1, 2]) { inner: for (const b of [1, 2]) { if (b === 2) continue label${id}; if (a === 2) break label${id}; log(a, b); } }`,
            ],
            () => [this.sloppy ? 'log(typeof require);' : 'log(import.meta === import.meta, typeof import.meta);'],
            () => [`log("\\continued", '\\v\\b\\f', '\\x41\\u0042\\u{43}', "\\'", '\\"', '\\a'.length);`],
            () => [
                `// </script> and <!-- in a comment`,
                `log('</script>', '<!--', '-->', /<\\/script>/.source, \`</script>\`, String.raw\`</script>\`.length);`,
                `//! a legal comment ${id}`,
                '/* @license text */ log("after a licence");',
            ],
            () => [`var { [0]: zero${id}, length: len${id} = 5 } = 'text';`, `log(zero${id}, len${id});`],
            () => [
                `log(((a, b = () => a) => { var a = 2; return [a, b()]; })(1), (function (a) { var a; return a; })(1), (function (a) { a = 2; return arguments.length; })(1));`,
            ],
        ];
        const sloppy = [
            () => [`log(010 + 1, '\\101', 08.5, '\\0'.length);`],
            () => [`log((function () { return typeof this; })(), (function () { return typeof this; }).call(1));`],
            () => [`attempt(() => { Object.freeze(boxed${id}).a = 1; return boxed${id}; });`, `var boxed${id} = {};`],
            () => [`if (1) function inIf${id}() { return 1; }`, `attempt(() => inIf${id}());`],
            () => [`attempt(() => { undeclared${id} = 1; return undeclared${id}; });`],
        ];
        return random.pick(this.sloppy && random.chance(0.25) ? sloppy : both)();
    }

    unlessPrototype(key) {
        return /^'?__proto__'?$/.test(key) ? 'proto' : key;
    }

    member(key) {
        return key.includes('constructor') || key === 'static' || key === '10n' ? 'other' : key;
    }

    target(key) {
        return key;
    }
}
