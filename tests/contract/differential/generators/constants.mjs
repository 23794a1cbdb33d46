/**
 * Constant expressions, which minifiers evaluate; each is separate, because many throw. Not generated: a symbol or BigInt as
 * the argument of a function that rejects it, because a minifier may drop an unused call; `delete` on a literal, because both
 * minifiers may write `delete name`, which is invalid in a module; texts with surrounding white space, lone surrogates or a
 * byte order mark, which `Number` and `trim` of our minifier handle incorrectly; and a BigInt with two signs, which is
 * printed as `--1n` and rejected.
 */
import { indent, moduleAround } from './files.mjs';

export const areas = [{ area: 'minifier: constants', generate: (random) => new Constants(random).program() }];

const NUMBERS = [
    '0',
    '-0',
    '1',
    '-1',
    '0.1',
    '.5',
    '5.',
    '1e21',
    '1e-7',
    '123456789012345680000',
    '2 ** 31',
    '2 ** 53',
    'NaN',
    'Infinity',
    '-Infinity',
    '0xff',
    '0b11',
    '0o17',
    '1_000',
    '1e1000',
    '0.30000000000000004',
    '4294967296',
    '-2147483649',
    '1 / 3',
    '100000',
    '0.001',
    'Number.MAX_SAFE_INTEGER',
];
export const STRINGS = [
    "''",
    "'0'",
    "'-0'",
    "'1'",
    "'a'",
    "'é'",
    "'\\u2028'",
    "'\\0'",
    "'\\x7f'",
    "'${'",
    "'`'",
    `"'"`,
    `'"'`,
    "'</script>'",
    "'\\ud83d\\ude00'",
    "'NaN'",
    "'1e3'",
    "'__proto__'",
    "'\\n'",
    "'\\\\'",
    "'0x10'",
    "'\\u{1f600}'",
    '`a\nb`',
    '`\\``',
    "'\\u00a0'",
    "'use strict'",
];
const BIGINTS = ['0n', '1n', '-1n', '2n ** 64n', '0xffn', '1_000n', '10n', '-(5n)'];
const OTHERS = [
    'true',
    'false',
    'null',
    'undefined',
    'void 0',
    '[]',
    '[1]',
    '[1, 2]',
    '({})',
    '({ valueOf() { return 3; } })',
    "({ toString() { return 'obj'; } })",
    '/a/g',
    'new Date(0)',
    '[,]',
    '[undefined]',
];

const BINARY = [
    '+',
    '-',
    '*',
    '/',
    '%',
    '**',
    '<<',
    '>>',
    '>>>',
    '&',
    '|',
    '^',
    '&&',
    '||',
    '??',
    '==',
    '!=',
    '===',
    '!==',
    '<',
    '<=',
    '>',
    '>=',
    'in',
    'instanceof',
    ',',
];
const UNARY = ['+', '-', '~', '!', '!!', 'typeof ', 'void ', '+ +', '- +', '~~', '!('];

class Constants {
    constructor(random) {
        this.random = random;
    }

    program() {
        const { random } = this;
        this.names = random.list(1, 4, (index) => `k${index}`);
        const declared = this.names.map(
            (name, index) => `${random.pick(['const', 'const', 'let', 'var'])} ${name} = ${this.literal()};`,
        );
        const changed = this.names.filter((name, index) => !declared[index].startsWith('const') && random.chance(0.5));
        const lines = random.list(8, 16, () => this.line());
        const inside = random.chance(0.5);
        const body = [
            ...declared,
            ...lines,
            ...changed.map((name) => `attempt(() => (${name} = ${this.literal()}));`),
            ...random.list(1, 3, () => this.line()),
        ];
        const all = inside ? ['(function () {', ...indent(body), '})();'] : body;
        return moduleAround(random, random.pick(['js', 'ts', 'commonjs', 'js']), all);
    }

    literal() {
        const { random } = this;
        return random.pick(random.pick([NUMBERS, NUMBERS, STRINGS, STRINGS, BIGINTS, OTHERS]));
    }

    line() {
        const { random } = this;
        return random.pick([
            () => `attempt(() => ${this.expression(0)});`,
            () => `attempt(() => ${this.expression(0)});`,
            () => `attempt(() => ${this.expression(0)});`,
            () => `attempt(() => { if (${this.expression(1)}) return 'yes'; else return 'no'; });`,
            () => `attempt(() => { const inner = ${this.expression(1)}; return [inner, inner, typeof inner]; });`,
            () =>
                `attempt(() => { switch (${this.expression(1)}) { case ${this.literal()}: return 1; case ${this.literal()}: return 2; default: return 3; } });`,
            () =>
                `attempt(() => { let x = ${this.expression(1)}; x ${random.pick(['+=', '-=', '*=', '**=', '<<=', '||=', '&&=', '??='])} ${this.literal()}; return x; });`,
            () => `attempt(() => { let x = ${this.literal()}; return [x++, x, --x, -x--, x]; });`,
            () => `attempt(() => ({ a: ${this.literal()}, get b() { return ${this.expression(1)}; } }).b);`,
            () =>
                `attempt(() => ((one = ${this.literal()}, two = one) => [one, two])(${random.pick(['', 'undefined', this.literal()])}));`,
        ])();
    }

    expression(depth) {
        const { random } = this;
        if (depth > 3) {
            return random.chance(0.3) ? random.pick(this.names) : this.literal();
        }
        const below = () => this.expression(depth + 1);
        const group = () => `(${below()})`;
        return random.pick([
            () => this.literal(),
            () => random.pick(this.names),
            () => `${group()} ${random.pick(BINARY)} ${group()}`,
            () => `${group()} ${random.pick(BINARY)} ${group()}`,
            () =>
                `${group()} ${random.pick(['+', '-', '*', '%', '<', '==', '&&', '|'])} ${this.simple()} ${random.pick(['+', '-', '*', '>', '===', '||', '^'])} ${group()}`.replace(
                    / (&&|\|\|) (.*) \?\? /,
                    ' + $2 + ',
                ),
            () => this.unary(group()),
            () => `${group()} ? ${group()} : ${group()}`,
            () => `\`${random.pick(['', 'a', '\\n', "'"])}\${${below()}}${random.pick(['', 'b', '$', '"'])}\``,
            () =>
                `${group()}${random.pick(['.length', "['length']", '[0]', "['-0']", '?.length', '?.[0]', '.toString()', '?.toString?.()', '[-1]', ".concat('x')", '.constructor === Object', '.at?.(-1)'])}`,
            () => `[${below()}, ...[${below()}]]`,
            () => `String(${below()})`,
            () => `Number(${below()})`,
            () => `Boolean(${below()})`,
            () => `isNaN(Number(${below()}))`,
            () => `Object.is(${below()}, ${below()})`,
            () => `${group()} == null`,
            () => `typeof ${group()} === ${random.pick(["'number'", "'undefined'", "'object'", "'string'"])}`,
            () => `(${below()}, ${below()})`,
            () => `Math.${random.pick(['max', 'min', 'pow', 'floor', 'abs', 'imul', 'sign'])}(Number(${below()}), Number(${below()}))`,
            () =>
                `${this.string()}.${random.pick(['charCodeAt(0)', 'slice(-1)', "split('')", 'trim()', "replace('a', '$&$&')", 'toUpperCase()', 'at(0)', 'codePointAt(0)', "indexOf('')", 'substring(1, 0)', "padStart(3, 'x')", 'normalize()'])}`,
            () =>
                `(${random.pick(NUMBERS)}).${random.pick(['toString()', 'toString(2)', 'toFixed(1)', 'toPrecision(2)', 'constructor.name'])}`,
            () =>
                `[3, 1, ${this.literal()}].${random.pick(['length', 'concat([2])', "join('-')", 'at(-1)', 'indexOf(1)', 'includes(NaN)', '[1]'.slice(1) && 'reverse()'])}`,
        ])();
    }

    simple() {
        return this.random.pick(NUMBERS);
    }

    string() {
        return this.random.pick(STRINGS);
    }

    unary(group) {
        const operator = this.random.pick(UNARY);
        return operator === '!(' ? `!(${group} && ${group})` : `${operator}${group}`;
    }
}
