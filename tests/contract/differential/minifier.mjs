/**
 * Expressions that a minifier evaluates, moves or leaves out: constants of every type and their operators, conversions
 * with side effects, property names, dead code, inlining, precedence, and text that is hard to print.
 */
import { indent, moduleAround } from './files.mjs';

export const areas = [
    { area: 'minifier: constants', generate: (random) => new Constants(random).program() },
    { area: 'minifier: effects', generate: (random) => new Effects(random).program() },
    { area: 'minifier: text', generate: (random) => new Text(random).program() },
];

const NUMBERS = ['0', '-0', '1', '-1', '0.1', '.5', '5.', '1e21', '1e-7', '123456789012345680000', '2 ** 31', '2 ** 53', 'NaN', 'Infinity', '-Infinity', '0xff', '0b11', '0o17', '1_000', '1e1000', '0.30000000000000004', '4294967296', '-2147483649', '1 / 3', '100000', '0.001', 'Number.MAX_SAFE_INTEGER'];
const STRINGS = ["''", "'0'", "'-0'", "'1'", "'a'", "'é'", "'\\u2028'", "'\\0'", "'\\x7f'", "'${'", "'`'", `"'"`, `'"'`, "'</script>'", "'\\ud83d\\ude00'", "'\\ud800'", "'NaN'", "'1e3'", "'__proto__'", "' 12 '", "'\\n'", "'\\\\'", "'0x10'", "'\\u{1f600}'", '`a\nb`', '`\\``', "'\\u00a0'", "'\\ufeff'", "'use strict'"];
const BIGINTS = ['0n', '1n', '-1n', '2n ** 64n', '0xffn', '1_000n', '10n', '-(5n)'];
const OTHERS = ['true', 'false', 'null', 'undefined', 'void 0', '[]', '[1]', '[1, 2]', '({})', '({ valueOf() { return 3; } })', "({ toString() { return 'obj'; } })", '/a/g', 'Symbol.iterator', 'new Date(0)', '[,]', '[undefined]'];

const BINARY = ['+', '-', '*', '/', '%', '**', '<<', '>>', '>>>', '&', '|', '^', '&&', '||', '??', '==', '!=', '===', '!==', '<', '<=', '>', '>=', 'in', 'instanceof', ','];
const UNARY = ['+', '-', '~', '!', '!!', 'typeof ', 'void ', '- -', '+ +', '- +', '~~', '!(', 'delete '];

/** Expressions of constants. Each is evaluated on its own, since many throw. */
class Constants {
    constructor(random) {
        this.random = random;
    }

    program() {
        const { random } = this;
        this.names = random.list(1, 4, (index) => `k${index}`);
        const declared = this.names.map((name, index) => `${random.pick(['const', 'const', 'let', 'var'])} ${name} = ${this.literal()};`);
        const changed = this.names.filter((name, index) => !declared[index].startsWith('const') && random.chance(0.5));
        const lines = random.list(8, 16, () => this.line());
        const inside = random.chance(0.5);
        const body = [...declared, ...lines, ...changed.map((name) => `attempt(() => (${name} = ${this.literal()}));`), ...random.list(1, 3, () => this.line())];
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
            () => `attempt(() => { switch (${this.expression(1)}) { case ${this.literal()}: return 1; case ${this.literal()}: return 2; default: return 3; } });`,
            () => `attempt(() => { let x = ${this.expression(1)}; x ${random.pick(['+=', '-=', '*=', '**=', '<<=', '||=', '&&=', '??='])} ${this.literal()}; return x; });`,
            () => `attempt(() => { let x = ${this.literal()}; return [x++, x, --x, -x--, x]; });`,
            () => `attempt(() => ({ a: ${this.literal()}, get b() { return ${this.expression(1)}; } }).b);`,
            () => `attempt(() => ((one = ${this.literal()}, two = one) => [one, two])(${random.pick(['', 'undefined', this.literal()])}));`,
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
            () => `${group()} ${random.pick(['+', '-', '*', '%', '<', '==', '&&', '|'])} ${this.simple()} ${random.pick(['+', '-', '*', '>', '===', '||', '^'])} ${group()}`.replace(/ (&&|\|\|) (.*) \?\? /, ' + $2 + '),
            () => this.unary(group()),
            () => `${group()} ? ${group()} : ${group()}`,
            () => `\`${random.pick(['', 'a', '\\n', "'"])}\${${below()}}${random.pick(['', 'b', '$', '"'])}\``,
            () => `${group()}${random.pick(['.length', "['length']", '[0]', "['-0']", '?.length', '?.[0]', '.toString()', '?.toString?.()', '[-1]', ".concat('x')", '.constructor === Object', '.at?.(-1)'])}`,
            () => `[${below()}, ...[${below()}]]`,
            () => `String(${below()})`,
            () => `Number(${below()})`,
            () => `Boolean(${below()})`,
            () => `isNaN(${below()})`,
            () => `Object.is(${below()}, ${below()})`,
            () => `${group()} == null`,
            () => `typeof ${group()} === ${random.pick(["'number'", "'undefined'", "'object'", "'string'"])}`,
            () => `(${below()}, ${below()})`,
            () => `Math.${random.pick(['max', 'min', 'pow', 'floor', 'abs', 'imul', 'sign'])}(${below()}, ${below()})`,
            () => `${this.string()}.${random.pick(['charCodeAt(0)', 'slice(-1)', "split('')", 'trim()', "replace('a', '$&$&')", 'toUpperCase()', 'at(0)', 'codePointAt(0)', "indexOf('')", 'substring(1, 0)', "padStart(3, 'x')", 'normalize()'])}`,
            () => `(${random.pick(NUMBERS)}).${random.pick(['toString()', 'toString(2)', 'toFixed(1)', 'toPrecision(2)', 'constructor.name'])}`,
            () => `[3, 1, ${this.literal()}].${random.pick(['length', 'concat([2])', "join('-')", 'at(-1)', 'indexOf(1)', 'includes(NaN)', '[1]'.slice(1) && 'reverse()'])}`,
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
        return operator === '!(' ? `!(${group} && ${group})` : operator === 'delete ' ? `delete [${group}][0]` : `${operator}${group}`;
    }
}

/** Code whose effects must stay, in their order, and code that may go. */
class Effects {
    constructor(random) {
        Object.assign(this, { random, count: 0 });
    }

    program() {
        const { random } = this;
        const kind = random.pick(['js', 'js', 'commonjs', 'mjs']);
        const lines = random.list(8, 14, () => this.part()).flat();
        const body = random.chance(0.5) ? lines : ['(function (given, count) {', ...indent(lines), '}).call({ own: 1 }, 1, 2);'];
        return moduleAround(random, kind, [...HELPERS, ...body]);
    }

    id() {
        return ++this.count;
    }

    part() {
        const id = this.id();
        const { random } = this;
        const effect = () => random.pick([`at('e${this.id()}', ${random.pick(['0', '1', 'null', "'x'", 'undefined', '[]'])})`, `loud.p${this.id()}`, '+spy', '`${spy}`', "spy + ''", `boxed[at('k', 'a')]`]);
        const operator = random.pick(['&&', '||', '??']);
        return random.pick([
            // Values that nobody uses.
            () => [`${effect()};`],
            () => [`${effect()}, ${effect()};`],
            () => [`void ${effect()};`, `!${effect()};`],
            () => [`[${effect()}, ${effect()}];`],
            () => [`({ [${effect()}]: ${effect()}, ...spread });`],
            () => [`const unused${id} = ${effect()};`],
            () => [`const { missing: { x: unused${id} } = at('default', {}) } = loud;`],
            () => [`attempt(() => { const {} = at('nothing', null); });`],
            () => [`attempt(() => { const [] = at('nothing', 5); });`],
            () => [`class Unused${id} { static [${effect()}] = ${effect()}; [${effect()}]() {} }`],
            () => [`attempt(() => { class Broken extends at('heritage', 5) {} });`],
            () => [`(${effect()}) ${operator} ${effect()};`],
            () => [`${effect()} ? ${effect()} : ${effect()};`],
            () => [`typeof ${effect()};`, 'typeof notDeclared;', 'attempt(() => { notDeclared; });'],
            () => [`attempt(() => { (0, notDeclared)(); });`, 'attempt(() => { notDeclared = 1; });'],
            () => ["attempt(() => { null.x; });", 'attempt(() => { undefined[at("key", 1)]; });', 'attempt(() => { at("object", null)[at("key", 1)] = at("value", 2); });'],
            () => ["attempt(() => { new.target; at('after', 1); });".replace('new.target; ', '')],
            () => ["attempt(() => { Symbol() + ''; });", "attempt(() => { 1n + 1; });", "attempt(() => { +1n; });", "attempt(() => { `${Symbol.iterator}`; });", 'attempt(() => { 1 in 1; });', 'attempt(() => { 1 instanceof 1; });'],
            // Calls that are said to be pure.
            () => [`/* @__PURE__ */ at('pure', 1);`, `const pure${id} = /* @__PURE__ */ at('pure ${id}', 2);`, random.chance(0.5) ? `log(pure${id});` : ';'],
            () => ['new Map();', 'new Set([at("in a set", 1)]);', 'attempt(() => { new Map(5); });', 'attempt(() => { new WeakMap([1]); });', 'attempt(() => { new Set(at("iterated", null)); });'],
            () => ['attempt(() => { Object.keys(at("keys", null)); });', 'attempt(() => { String(Symbol()); BigInt("x"); });', 'attempt(() => { new RegExp("["); });', 'attempt(() => { decodeURI("%"); });', 'attempt(() => { "a".repeat(-1); });', 'attempt(() => { [].reduce(); });', 'attempt(() => { new Array(-1); });', 'attempt(() => { (1).toFixed(101); });'],
            // Order.
            () => [`let x${id} = 1;`, `log(x${id} + (x${id} = 5) + x${id}++ + x${id});`, `log([x${id}, x${id} += 1, x${id}--, x${id}]);`],
            () => [`let y${id} = at('first', 1);`, `const z${id} = at('second', 2);`, `log(z${id}, y${id});`],
            () => [`let f${id} = () => at('old', 1);`, `const r${id} = f${id}(f${id} = () => at('new', 2));`, `log(r${id}, f${id}());`],
            () => [`const o${id} = { v: 1, get g() { return this.v++; } };`, `const a${id} = o${id}.g, b${id} = o${id}.g;`, `log(b${id}, a${id}, o${id}.g);`],
            () => [`const held${id} = boxed.a;`, `boxed.a = 'changed ${id}';`, `log(held${id}, boxed.a);`],
            () => [`var v${id} = 1;`, `function change${id}() { v${id} = 2; return 3; }`, `log(v${id} + change${id}() + v${id});`],
            () => [`const arr${id} = [1, 2];`, `const [p${id}, q${id}] = arr${id};`, `arr${id}[0] = 9;`, `log(p${id}, q${id}, arr${id});`],
            () => [`let i${id} = 0;`, `const list${id} = [];`, `list${id}[i${id}++] = i${id}++;`, `log(list${id}, i${id});`],
            () => [`let c${id} = 0;`, `for (const fn of [0, 1].map((n) => () => n + c${id})) { c${id} = fn(); }`, `log(c${id});`],
            () => [`at('object', boxed)[at('key', 'm')]${random.pick([' = ', ' += ', ' ??= ', ' ||= ', ' &&= '])}at('value', 1);`],
            () => [`loud.assigned${id} ${random.pick(['&&=', '||=', '??='])} ${effect()};`],
            () => [`log(at('o', { m() { return this === undefined; } })?.[at('k', 'm')]?.(${effect()}));`],
            () => [`log(at('o', null)?.[at('never', 1)].deep[at('never', 2)]);`, `log(at('o', undefined)?.(at('never', 1)));`, 'log(delete boxed?.a, delete at("o", null)?.b);'],
            () => ['log((boxed.self)(), (0, boxed.self)() === undefined, (boxed?.self)?.());', 'log((true && boxed.self)() === undefined, (boxed.self ?? 0)?.());'],
            () => ["log((() => { try { return at('returned', 1); } finally { at('finally', 2); } })());", "log((() => { for (;;) { try { return 1; } finally { break; } } return 2; })());"],
            () => ['attempt(() => { let t = 1; try { t = 2; throw t; } catch (e) { t += e; } finally { t *= 10; } return t; });'],
            // Dead code.
            () => [`if (${random.pick(['false', '0', "''", 'null', 'void 0', '!1', "'a' === 'b'", "typeof undefined !== 'undefined'", 'NaN', '-0', '0n', '[] === 1', "process.env.NODE_ENV !== 'production'", "MODE === 'development'"])}) { log('dead'); var hoisted${id} = 1; function inDead${id}() {} } else { log('alive', typeof hoisted${id}); }`],
            () => [`log(process.env.NODE_ENV, MODE, typeof process${random.chance(0.5) ? '.env.NODE_ENV' : '.env["NODE_ENV"]'});`],
            () => [`function early${id}() { return at('returned', 1); at('never', 2); var after = 1; function inner() { return 2; } }`, `log(early${id}());`],
            () => [`(() => { return log('before'); log('after'); })();`, `(() => { throw0: { break throw0; } log('reached'); })();`],
            () => ['while (false) log("dead");', 'do { log("once"); } while (false);', 'for (; false; log("dead"));', 'for (var once = 0; once < 1; once++);', 'log(once);'],
            () => [`const flag${id} = ${random.pick(['true', 'false', "'on'", '0'])};`, `if (flag${id}) { log('flag'); } else if (!flag${id}) { log('no flag'); }`, `log(flag${id} ? 'a' : 'b', flag${id} && at('and', 1), flag${id} || at('or', 2));`],
            () => ["switch (1) { case 0: log('zero'); case 1: log('one'); break; default: log('none'); }", "switch (at('subject', 'x')) { default: log('default'); case 'y': log('falls'); }", "switch (at('only', 1)) {}", "switch (2) { case at('compared', 1): case at('compared', 2): log('two'); case at('never', 3): }"],
            () => [`if (${effect()}) ; else log('else');`, `if (${effect()}) {} `, `if (!${effect()}) log('not'); else ;`],
            () => [`(() => { if (${effect()}) return 1; else if (${effect()}) return 2; return; })();`, `log((() => { if (${effect()}) { log('a'); return 1; } log('b'); return 2; })());`],
            () => [`log(${effect()} ? ${effect()} ? 1 : 2 : ${effect()} ? 3 : 4);`, `log(!(${effect()} && !${effect()}), !!${effect()}, !(1 < NaN), !(NaN >= 1));`],
            () => [`log(${effect()} == null || ${effect()} == undefined, (${effect()} ?? ${effect()}) === null);`, `attempt(() => { const n = ${effect()}; return n !== null && n !== void 0 ? n : 'missing'; });`],
            // Functions.
            () => [`function fn${id}(one, two = at('default', 2), ...rest) { arguments[0] = 'changed'; return [one, two, rest, arguments.length, fn${id}.length]; }`, `log(fn${id}(), fn${id}(1, undefined, 3, 4));`],
            () => [`const recursive${id} = function self(n) { return n > 0 && tick() ? n * self(n - 1) : typeof self; };`, `log(recursive${id}(3));`],
            () => [`function once${id}() { return at('called once', this === undefined); }`, `log(once${id}());`],
            () => [`const thisOf${id} = { m() { return (() => typeof this.m)(); }, f: function () { return this; }, a: () => typeof this };`, `log(thisOf${id}.m(), thisOf${id}.f() === thisOf${id}, (0, thisOf${id}.f)() === undefined);`],
            () => [`function Made${id}() { if (!new.target) return 'called'; this.made = 1; }`, `Made${id}.prototype.m = 1;`, `log(Made${id}(), new Made${id}(), new Made${id}().m, new Made${id} instanceof Made${id});`],
            () => [`function* gen${id}() { try { const got = yield 1; log('got', got); yield* [2, 3]; return 4; } finally { log('closed'); } }`, `const it${id} = gen${id}();`, `log(it${id}.next('ignored'), it${id}.next('x'), it${id}.return(9), it${id}.next());`, `for (const each of gen${id}()) { log(each); break; }`],
            () => [`async function later${id}() { try { return await at('awaited', Promise.reject(1)); } catch (error) { return log('caught', error), await 2; } finally { log('async finally'); } }`, `later${id}().then((value) => log('later ${id}', value));`, `(async () => { log('a1'); await null; log('a2'); })();`],
            () => [`(async () => { for await (const each of [Promise.resolve(1), 2]) log('for await', each); })();`, `(async function* () { yield at('async yield', 1); })().next().then((value) => log(value));`],
            () => [`const closures${id} = [];`, `for (let i = 0; i < 2; i++) { closures${id}.push(() => i); i += 0; }`, `for (var j${id} = 0; j${id} < 2; j${id}++) closures${id}.push(() => j${id});`, `log(closures${id}.map((f) => f()));`],
            () => [`const inlined${id} = (a, b) => a - b;`, `log(inlined${id}(at('a', 5), at('b', 3)), inlined${id}(...[1, 2]), inlined${id}(1));`, `function id${id}(x) { return x; }`, `log(id${id}(at('x', 1)), id${id}());`, `function empty${id}() {}`, `log(empty${id}(at('passed', 1)));`],
            () => [`let shared${id} = 0;`, `const bump${id} = () => { shared${id}++; };`, `bump${id}(); bump${id}();`, `log(shared${id});`],
        ])();
    }
}

const HELPERS = [
    'const at = (what, value) => (log(what), value);',
    "const loud = new Proxy({}, { get: (object, key) => (log('get', String(key)), object[key]), set: (object, key, value) => (log('set', key), (object[key] = value), true), has: (object, key) => (log('has', key), true) });",
    "const spy = { valueOf() { log('valueOf'); return 1; }, toString() { log('toString'); return 'text'; } };",
    "const boxed = { a: 1, m: 0, self() { return this === boxed; } };",
    "const spread = { get x() { log('spread'); return 1; } };",
];

/** Names, keys, literals, line breaks and directives: what a printer may write otherwise. */
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
        return this.random.pick(["'-0'", "'01'", '__proto__', "'__proto__'", "['__proto__']", '0', '1e3', '0x10', '.5', '1e21', "'1e21'", "'a-b'", 'if', 'class', 'await', 'yield', "'\\u0061'", '\\u0061b', 'é', "''", "'constructor'", "'0'", "'4294967295'", '1_0', '10n', "'\\u2028'", 'get', 'set', 'async', 'static', 'of', "'Infinity'", 'NaN', '[-0]', "['x' + 1]", '[1 + 1]', 'ℼ', "'𠮷'", '𠮷', "'ªb'", '0.1', "'1.0'", '999999999999999999']);
    }

    part() {
        const { random } = this;
        const id = ++this.count;
        const key = () => this.key();
        const both = [
            () => [`log({ ${key()}: 1, ${this.unlessPrototype(key())}: 2, ${this.unlessPrototype(key())}: 3 });`],
            () => [`log(Object.keys({ ${this.unlessPrototype(key())}() { return 1; }, get ${this.unlessPrototype(key())}() { return 2; }, async ${this.unlessPrototype(key())}() {} }));`],
            () => [`log(class { static ${this.member(key())} = 1; ${this.member(key())}() {} static get ${this.member(key())}() { return 1; } });`],
            () => [`attempt(() => { const { ${this.target(key())}: p, ...rest } = { '-0': 1, 0: 2, a: 3, '01': 4, if: 5 }; return [p, rest]; });`],
            () => [`const o${id} = { __proto__: { inherited: 1 } };`, `log(o${id}.inherited, Object.keys(o${id}), { ['__proto__']: 1 }, { '__proto__': null } instanceof Object);`, `const proto${id} = 5;`],
            // Not `{ __proto__ }`, which esbuild 0.17 takes for the prototype.
            () => [`(() => { const __proto__ = { x: 1 }; log({ __proto__: __proto__ }.x, { __proto__() {} }, ({ __proto__ }) => __proto__); })();`],
            () => [`log(${random.pick(STRINGS)}, ${random.pick(STRINGS)} + ${random.pick(STRINGS)});`],
            () => [`log(String.raw\`\\u00e9\${1}\\n\\\`\`, ((parts) => [parts, parts.raw])\`a\\u0041\${0}\\x\${1}\r\nb\`);`, `log(((parts) => parts)\`x\` === ((parts) => parts)\`x\`);`],
            () => [`const tag${id} = () => (parts) => parts;`, `const call${id} = () => tag${id}()\`t\`;`, `log(call${id}() === call${id}());`],
            () => [`log(/[/\\]]+/.exec('a/]b'), /\\//.source, /(?<year>\\d{4})/u.exec('in 2020').groups.year, /(?<!a)b/.test('ab'), /^.$/su.test('\\n'));`],
            () => [`const re${id} = /a/g;`, `log(re${id}.test('aa'), re${id}.lastIndex, re${id}.test('aa'), re${id}.test('aa'));`, `const fresh${id} = () => /b/y;`, `log(fresh${id}() === fresh${id}(), fresh${id}().sticky);`],
            () => [`attempt(() => [/a/d.exec('ba')?.indices?.[0], /\\p{L}+/u.exec('1é'), /[\\u{1f600}]/u.test('\\u{1f600}')]);`],
            () => [`let less${id} = 1, more${id} = 2;`, `log(less${id} < !--more${id}, less${id}-- > more${id}, - -less${id}, + +less${id}, - --less${id}, + ++less${id}, less${id}+ +more${id}, less${id}- -more${id}, !--less${id});`],
            () => [`log(1..toString(), 1.5.toFixed(0), (1).constructor === Number, 1e3.toString(), 0x1.a, (-1) ** 2, -(1 ** 2), (2 ** 3) ** 2, 2 ** 3 ** 2, (-2) ** -1);`],
            () => [`log((1, 2), [(1, 2)], ((a, b) => b)((1, 2), 3), (() => ({}))(), (() => ({ a: 1 }.a))(), (function () {})(), (class {}).name.length >= 0, new (class { constructor() { this.x = 1; } })().x);`],
            () => [`log(new (() => Map)()?.size ?? 'x');`.replace("new (() => Map)()?.size ?? 'x'", "new ((() => Map)())().size, new (Map.bind())().size, new Map().size, new (class { static f() { return Map; } }.f())().size")],
            () => [`log((a => a)(1), (async a => a).length, (({ a }) => a)({ a: 1 }), (([a]) => a)([1]), ((...a) => a)(1, 2), ((a, ) => a)(1));`],
            () => ['let asi', '= 5', 'log(asi)', ';[1, 2].forEach((n) => log(n))', 'asi', '++', 'asi', 'log(asi)', 'const fn = () => {', '    return', '    1', '}', 'log(fn())', ';(() => log("paren"))()', ';`template`.length', 'var async', 'async = 1', 'log(async)', 'if (asi) log(1)', 'else log(2)', 'do log(3); while (0) log(4)'].map((line) => line.replace(/\b(asi|fn)\b/g, `$1${id}`)),
            () => [`log(1 ? 2 : 3 ? 4 : 5, (1 ? 0 : 3) ? 4 : 5, 1 || 0 && 2, (1 || 0) && 2, (null ?? 1) || 2, null ?? (0 || 2), 1 + (2 + 3), '1' + (2 + 3), 1 - (2 - 3), 2 * (3 % 2), (2 * 3) % 4, 8 / (4 / 2), !(1 in [1, 2]), !(1 instanceof Object), -(-1), typeof (1 + 1), typeof 1 + 1, void 0 ?? 1, ('a', 'b') in { b: 1 }, (a => a) ? 1 : 2);`],
            () => [`for (const x of [() => 1 in [0, 1]]) log(x());`, `for (var i${id} = (0 in [1]) ? 1 : 0; i${id} < 2; i${id}++) log(i${id});`, `for (let x = ('a' in {}) || 1, f = () => ('a' in {}); x < 2; x++) log(f());`, `for (const x of (0, [1])) log(x);`, `for (let of of [1]) log(of);`, 'for (let async0 of [1]) log(async0);'],
            () => [`if (1) { if (0) log('a'); } else log('b');`, `if (0) if (1) log('c'); else log('d');`, `if (1) for (;;) { if (1) break; } else log('e');`, `if (1) do if (0) log('f'); while (0); else log('g');`, "if (1) with0: { if (0) log('h'); else break with0; } else log('i');"],
            () => [`const \\u0061bc${id} = 1, ℼ${id} = 2, 𠮷${id} = 3, $${id} = 4, _${id} = 5;`, `log(abc${id} + \\u{2119c}${id} * 2, ℼ${id}, 𠮷${id}, $${id}, _${id});`.replace('\\u{2119c}', '\\u{20bb7}')],
            () => [`log(((undefined) => undefined)(1), ((NaN, Infinity) => [NaN, Infinity, 1 / 0, 0 / 0])(2, 3));`, `(() => { const undefined = 5; log(undefined, void 0, [][0] === undefined); })();`],
            () => [`const target${id} = { a: { b: [() => 'deep'] } };`, `log(target${id}['a']['b'][0](), target${id}['a']?.['b']?.[0]?.(), target${id}['not valid'], target${id}[\`a\`] === target${id}.a);`],
            () => [`log([, 1, , 2, ].length, 1 in [, 1, , ], [...[, 1]], [,].length, Object.keys([, 1]));`],
            () => [`log(0.1 + 0.2, 1e21 + 1, 1 / 3, 1e-7, 123456789.123, 5e-324, 1.7976931348623157e308, 2 ** -1074, 0xffffffffffffffff, 0.000001, 1e6, 1000000000, 1e100, -1e-10, 4.0, 100, 255 .toString(16));`],
            () => [`log(0xffn, 1_000n, -5n ** 2n === undefined, 10n / 3n, -10n % 3n, 2n ** 70n, BigInt(5) === 5n, typeof 1n, 1n == 1, 0n ? 1 : 2, -0n, 5n > 4, '5' == 5n);`.replace('-5n ** 2n === undefined, ', '')],
            () => [`function directive${id}() { 'use strict'; return this === undefined; }`, `function notDirective${id}() { ('use strict'); return typeof this; }`, `function other${id}() { 'use asm'; 'ngInject'; return 1; }`, `log(directive${id}(), other${id}());`],
            () => [`label${id}: for (const a of [1, 2]) { inner: for (const b of [1, 2]) { if (b === 2) continue label${id}; if (a === 2) break label${id}; log(a, b); } }`],
            () => ['log(import.meta === import.meta, typeof import.meta);'].filter(() => !this.sloppy).concat(this.sloppy ? ['log(typeof require);'] : []),
            () => [`log("\\
continued", '\\v\\b\\f', '\\x41\\u0042\\u{43}', "\\'", '\\"', '\\a'.length);`.replace('\n', '')],
            () => [`// </script> and <!-- in a comment`, `log('</script>', '<!--', '-->', /<\\/script>/.source, \`</script>\`, String.raw\`</script>\`.length);`, `//! a legal comment ${id}`, '/* @license text */ log("after a licence");'],
            () => [`var { length, [0]: zero${id}, length: len${id} = 5 } = 'text';`.replace('length, ', ''), `log(zero${id}, len${id});`],
            () => [`log(((a, b = () => a) => { var a = 2; return [a, b()]; })(1), (function (a) { var a; return a; })(1), (function (a) { a = 2; return arguments.length; })(1));`],
        ];
        const sloppy = [
            () => [`log(010 + 1, '\\101', 08.5, '\\0'.length);`],
            () => [`var x${id} = 1; x${id} <!--x${id}`, 'log("html comment");', '--> another', `log(x${id});`],
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
