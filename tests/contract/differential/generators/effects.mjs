/**
 * Code with effects that must stay in order, and code that a minifier may drop or move.
 *
 * Not generated, because each bundler drops another part: calls annotated as pure in a function or with arguments that have
 * effects, unused calls of built-in functions that throw because of their arguments, and an unused class that extends a
 * value other than a constructor.
 */
import { indent, moduleAround } from './files.mjs';

export const areas = [{ area: 'minifier: effects', generate: (random) => new Effects(random).program() }];

const HELPERS = [
    'const at = (what, value) => (log(what), value);',
    "const loud = new Proxy({}, { get: (object, key) => (log('get', String(key)), object[key]), set: (object, key, value) => (log('set', key), (object[key] = value), true), has: (object, key) => (log('has', key), true) });",
    "const spy = { valueOf() { log('valueOf'); return 1; }, toString() { log('toString'); return 'text'; } };",
    'const boxed = { a: 1, m: 0, self() { return this === boxed; } };',
    "const spread = { get x() { log('spread'); return 1; } };",
];

class Effects {
    constructor(random) {
        Object.assign(this, { random, count: 0 });
    }

    program() {
        const { random } = this;
        const kind = random.pick(['js', 'js', 'commonjs', 'mjs']);
        this.inside = random.chance(0.5);
        const lines = random.list(8, 14, () => this.part()).flat();
        const body = !this.inside
            ? lines
            : ['(function (given, count) {', ...indent(lines), '}).call({ own: 1 }, 1, 2);'];
        return moduleAround(random, kind, [...HELPERS, ...body]);
    }

    id() {
        return ++this.count;
    }

    part() {
        const id = this.id();
        const { random } = this;
        const effect = () =>
            random.pick([
                `at('e${this.id()}', ${random.pick(['0', '1', 'null', "'x'", 'undefined', '[]'])})`,
                `loud.p${this.id()}`,
                '+spy',
                '`${spy}`',
                "spy + ''",
                `boxed[at('k', 'a')]`,
            ]);
        const operator = random.pick(['&&', '||', '??']);
        return random.pick([
            // Unused values.
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
            () => [`attempt(() => { class Broken extends at('heritage', 5) {} return Broken; });`],
            () => [`(${effect()}) ${operator} ${effect()};`],
            () => [`${effect()} ? ${effect()} : ${effect()};`],
            () => [`typeof ${effect()};`, 'typeof notDeclared;', 'attempt(() => { notDeclared; });'],
            () => [`attempt(() => { (0, notDeclared)(); });`, 'attempt(() => { notDeclared = 1; });'],
            () => [
                'attempt(() => { null.x; });',
                'attempt(() => { undefined[at("key", 1)]; });',
                'attempt(() => { at("object", null)[at("key", 1)] = at("value", 2); });',
            ],
            () => ["attempt(() => { at('after', 1); });"],
            () => [
                "attempt(() => { Symbol() + ''; });",
                'attempt(() => { 1n + 1; });',
                'attempt(() => { +1n; });',
                'attempt(() => { `${Symbol.iterator}`; });',
                'attempt(() => { 1 in 1; });',
                'attempt(() => { 1 instanceof 1; });',
            ],
            // Calls annotated as pure.
            () => [
                `/* @__PURE__ */ at('pure', 1);`,
                `const pure${id} = /* @__PURE__ */ at('pure ${id}', 2);`,
                this.inside || random.chance(0.5) ? `log(pure${id});` : ';',
            ],
            () => [
                'new Map();',
                'new Set([at("in a set", 1)]);',
                'attempt(() => { new Map(5); });',
                'attempt(() => { new WeakMap([1]); });',
                'attempt(() => { new Set(at("iterated", null)); });',
            ],
            () => [
                'attempt(() => { Object.keys(at("keys", null)); });',
                'attempt(() => { String(Symbol()); BigInt("x"); });',
                'attempt(() => { new RegExp("["); });',
                'attempt(() => decodeURI("%"));',
                'attempt(() => { "a".repeat(-1); });',
                'attempt(() => { [].reduce(); });',
                'attempt(() => { new Array(-1); });',
                'attempt(() => { (1).toFixed(101); });',
            ],
            // Order.
            () => [
                `let x${id} = 1;`,
                `log(x${id} + (x${id} = 5) + x${id}++ + x${id});`,
                `log([x${id}, x${id} += 1, x${id}--, x${id}]);`,
            ],
            () => [`let y${id} = at('first', 1);`, `const z${id} = at('second', 2);`, `log(z${id}, y${id});`],
            () => [
                `let f${id} = () => at('old', 1);`,
                `const r${id} = f${id}(f${id} = () => at('new', 2));`,
                `log(r${id}, f${id}());`,
            ],
            () => [
                `const o${id} = { v: 1, get g() { return this.v++; } };`,
                `const a${id} = o${id}.g, b${id} = o${id}.g;`,
                `log(b${id}, a${id}, o${id}.g);`,
            ],
            () => [`const held${id} = boxed.a;`, `boxed.a = 'changed ${id}';`, `log(held${id}, boxed.a);`],
            () => [
                `var v${id} = 1;`,
                `function change${id}() { v${id} = 2; return 3; }`,
                `log(v${id} + change${id}() + v${id});`,
            ],
            () => [
                `const arr${id} = [1, 2];`,
                `const [p${id}, q${id}] = arr${id};`,
                `arr${id}[0] = 9;`,
                `log(p${id}, q${id}, arr${id});`,
            ],
            () => [
                `let i${id} = 0;`,
                `const list${id} = [];`,
                `list${id}[i${id}++] = i${id}++;`,
                `log(list${id}, i${id});`,
            ],
            () => [
                `let c${id} = 0;`,
                `for (const fn of [0, 1].map((n) => () => n + c${id})) { c${id} = fn(); }`,
                `log(c${id});`,
            ],
            () => [
                `at('object', boxed)[at('key', 'm')]${random.pick([' = ', ' += ', ' ??= ', ' ||= ', ' &&= '])}at('value', 1);`,
            ],
            () => [`loud.assigned${id} ${random.pick(['&&=', '||=', '??='])} ${effect()};`],
            () => [`log(at('o', { m() { return this === undefined; } })?.[at('k', 'm')]?.(${effect()}));`],
            () => [
                `log(at('o', null)?.[at('never', 1)].deep[at('never', 2)]);`,
                `log(at('o', undefined)?.(at('never', 1)));`,
                'log(delete boxed?.a, delete at("o", null)?.b);',
            ],
            () => [
                'log((boxed.self)(), (0, boxed.self)() === undefined, (boxed?.self)?.());',
                'log((true && boxed.self)() === undefined, (boxed.self ?? 0)?.());',
            ],
            () => [
                "log((() => { try { return at('returned', 1); } finally { at('finally', 2); } })());",
                'log((() => { for (;;) { try { return 1; } finally { break; } } return 2; })());',
            ],
            () => [
                'attempt(() => { let t = 1; try { t = 2; throw t; } catch (e) { t += e; } finally { t *= 10; } return t; });',
            ],
            // Dead code.
            () => [
                `if (${random.pick(['false', '0', "''", 'null', 'void 0', '!1', "'a' === 'b'", "typeof undefined !== 'undefined'", 'NaN', '-0', '0n', '[] === 1', "process.env.NODE_ENV !== 'production'", "MODE === 'development'"])}) { log('dead'); var hoisted${id} = 1; function inDead${id}() {} } else { log('alive', typeof hoisted${id}); }`,
            ],
            () => [
                `log(process.env.NODE_ENV, MODE, typeof process${random.chance(0.5) ? '.env.NODE_ENV' : '.env["NODE_ENV"]'});`,
            ],
            () => [
                `function early${id}() { return at('returned', 1); at('never', 2); var after = 1; function inner() { return 2; } }`,
                `log(early${id}());`,
            ],
            () => [
                `(() => { return log('before'); log('after'); })();`,
                `(() => { throw0: { break throw0; } log('reached'); })();`,
            ],
            () => [
                'while (false) log("dead");',
                'do { log("once"); } while (false);',
                'for (; false; log("dead"));',
                'for (var once = 0; once < 1; once++);',
                'log(once);',
            ],
            () => [
                `const flag${id} = ${random.pick(['true', 'false', "'on'", '0'])};`,
                `if (flag${id}) { log('flag'); } else if (!flag${id}) { log('no flag'); }`,
                `log(flag${id} ? 'a' : 'b', flag${id} && at('and', 1), flag${id} || at('or', 2));`,
            ],
            () => [
                "switch (1) { case 0: log('zero'); case 1: log('one'); break; default: log('none'); }",
                "switch (at('subject', 'x')) { default: log('default'); case 'y': log('falls'); }",
                "switch (at('only', 1)) {}",
                "switch (2) { case at('compared', 1): case at('compared', 2): log('two'); case at('never', 3): }",
            ],
            () => [
                `if (${effect()}) ; else log('else');`,
                `if (${effect()}) {} `,
                `if (!${effect()}) log('not'); else ;`,
            ],
            () => [
                `(() => { if (${effect()}) return 1; else if (${effect()}) return 2; return; })();`,
                `log((() => { if (${effect()}) { log('a'); return 1; } log('b'); return 2; })());`,
            ],
            () => [
                `log(${effect()} ? ${effect()} ? 1 : 2 : ${effect()} ? 3 : 4);`,
                `log(!(${effect()} && !${effect()}), !!${effect()}, !(1 < NaN), !(NaN >= 1));`,
            ],
            () => [
                `log(${effect()} == null || ${effect()} == undefined, (${effect()} ?? ${effect()}) === null);`,
                `attempt(() => { const n = ${effect()}; return n !== null && n !== void 0 ? n : 'missing'; });`,
            ],
            // Functions.
            () => [
                `function fn${id}(one, two = at('default', 2), ...rest) { arguments[0] = 'changed'; return [one, two, rest, arguments.length, fn${id}.length]; }`,
                `log(fn${id}(), fn${id}(1, undefined, 3, 4));`,
            ],
            () => [
                `const recursive${id} = function self(n) { return n > 0 && tick() ? n * self(n - 1) : typeof self; };`,
                `log(recursive${id}(3));`,
            ],
            () => [`function once${id}() { return at('called once', this === undefined); }`, `log(once${id}());`],
            () => [
                `const thisOf${id} = { m() { return (() => typeof this.m)(); }, f: function () { return this; }, a: () => typeof this };`,
                `log(thisOf${id}.m(), thisOf${id}.f() === thisOf${id}, (0, thisOf${id}.f)() === undefined);`,
            ],
            () => [
                `function Made${id}() { if (!new.target) return 'called'; this.made = 1; }`,
                `Made${id}.prototype.m = 1;`,
                `log(Made${id}(), new Made${id}(), new Made${id}().m, new Made${id} instanceof Made${id});`,
            ],
            () => [
                `function* gen${id}() { try { const got = yield 1; log('got', got); yield* [2, 3]; return 4; } finally { log('closed'); } }`,
                `const it${id} = gen${id}();`,
                `log(it${id}.next('ignored'), it${id}.next('x'), it${id}.return(9), it${id}.next());`,
                `for (const each of gen${id}()) { log(each); break; }`,
            ],
            () => [
                `async function later${id}() { try { return await at('awaited', Promise.reject(1)); } catch (error) { return log('caught', error), await 2; } finally { log('async finally'); } }`,
                `later${id}().then((value) => log('later ${id}', value));`,
                `(async () => { log('a1'); await null; log('a2'); })();`,
            ],
            () => [
                `(async () => { for await (const each of [Promise.resolve(1), 2]) log('for await', each); })();`,
                `(async function* () { yield at('async yield', 1); })().next().then((value) => log(value));`,
            ],
            () => [
                `const closures${id} = [];`,
                `for (let i = 0; i < 2; i++) { closures${id}.push(() => i); i += 0; }`,
                `for (var j${id} = 0; j${id} < 2; j${id}++) closures${id}.push(() => j${id});`,
                `log(closures${id}.map((f) => f()));`,
            ],
            () => [
                `const inlined${id} = (a, b) => a - b;`,
                `log(inlined${id}(at('a', 5), at('b', 3)), inlined${id}(...[1, 2]), inlined${id}(1));`,
                `function id${id}(x) { return x; }`,
                `log(id${id}(at('x', 1)), id${id}());`,
                `function empty${id}() {}`,
                `log(empty${id}(at('passed', 1)));`,
            ],
            () => [
                `let shared${id} = 0;`,
                `const bump${id} = () => { shared${id}++; };`,
                `bump${id}(); bump${id}();`,
                `log(shared${id});`,
            ],
        ])();
    }
}
