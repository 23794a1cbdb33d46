/**
 * Modules of every kind that import each other in every form: TypeScript, ES modules, CommonJS, packages and JSON; default,
 * namespace and named imports, re-exports, circular and lazy imports.
 *
 * Not generated, because the bundlers differ on purpose: a CommonJS entry that exports a required ES module (its names are
 * also exported), `export *` of CommonJS together with another `export *`, a namespace object of a circular import used
 * before its module ran, a module that throws and is required twice, re-exports in or from packages without side effects,
 * other imports of such packages, `import()` in a `.cjs` file (Node's rules for `default`), and `module.exports = null`
 * (its names are `undefined` only with esbuild).
 */

/** The kinds of modules, each with its language. */
const KINDS = {
    ts: { path: (name) => `${name}.ts`, from: (name) => `./${name}`, esm: true },
    js: { path: (name) => `${name}.js`, from: (name) => `./${name}.js`, esm: true },
    mjs: { path: (name) => `${name}.mjs`, from: (name) => `./${name}.mjs`, esm: true },
    commonjs: { path: (name) => `${name}.js`, from: (name) => `./${name}`, esm: false },
    cjs: { path: (name) => `${name}.cjs`, from: (name) => `./${name}.cjs`, esm: false },
    folder: { path: (name) => `${name}/index.ts`, from: (name) => `./${name}`, up: '../', esm: true },
    'commonjs package': { package: {}, esm: false },
    'module package': { package: { type: 'module' }, esm: true },
    'two-faced package': { package: { main: './main.cjs', module: './index.js' }, esm: true },
    'exporting package': {
        package: { exports: { '.': { import: './index.js', require: './required.cjs', default: './required.cjs' } } },
        esm: true,
    },
    'conditional package': {
        package: { exports: { worker: './index.js', node: './required.cjs', default: './required.cjs' } },
        esm: true,
    },
    'pure package': { package: { sideEffects: false, module: 'index.js' }, esm: true },
    json: { path: (name) => `${name}.json`, from: (name) => `./${name}.json`, json: true },
};

/** The module graph of each area: size, import forms, and probability of circular and lazy imports. */
const SHAPES = {
    imports: { files: [1, 4], forms: ['default', 'named', 'namespace', 'both', 'effect', 'require'] },
    're-exports': { files: [2, 4], again: 0.9, forms: ['named', 'namespace', 'default'] },
    // No lazy imports in cycles: esbuild copies the exports of a CommonJS module before they are assigned.
    'circular imports': { files: [2, 4], back: 0.7, again: 0.3, lazy: 0, forms: ['named', 'namespace', 'default', 'require'] },
    'lazy imports': { files: [2, 4], back: 0.2, lazy: 0.9, forms: ['lazy import', 'lazy require', 'named'] },
};

export const areas = Object.entries(SHAPES).map(([area, shape]) => ({
    area,
    generate: (random) => new Modules(random, shape).program(),
}));

const FILES = ['main', 'first', 'second', 'third', 'fourth', 'fifth'];

/** The names that every module exports, so that each can be imported from any module. */
const EXPORTED = ['one', 'two', 'count', 'increase', 'Thing'];

class Modules {
    constructor(random, shape) {
        Object.assign(this, { random, shape: { back: 0, again: 0.2, lazy: 0.15, ...shape }, locals: 0 });
    }

    program() {
        const { random, shape } = this;
        const entry = random.weighted({ ts: 4, js: 2, mjs: 1, commonjs: 1 });
        const others = random.list(...shape.files, () => random.pick(Object.keys(KINDS)));
        this.modules = [entry, ...others].map((kind, index) => ({ name: FILES[index], kind, ...KINDS[kind] }));
        this.modules.forEach((module, index) => (module.imports = this.importsOf(module, index)));
        const files = Object.assign({}, ...[...this.modules].reverse().map((module) => this.files(module)));
        return { entry: this.pathOf(this.modules[0]), files };
    }

    pathOf({ path, name, package: pack }) {
        return pack ? `node_modules/${name}/index.js` : path(name);
    }

    /** Packages import only packages. */
    specifier(importer, { package: pack, from, name }) {
        return pack ? name : (importer.up ?? './') + from(name).slice(2);
    }

    importsOf(importer, index) {
        const { random, shape } = this;
        if (importer.json) {
            return [];
        }
        const reachable = this.modules.filter((module, other) => {
            const isPackage = module.package && importer.kind !== 'pure package';
            const forwards = other > index && (other === index + 1 || random.chance(0.6));
            const backwards = other < index && random.chance(shape.back);
            return module !== importer && (forwards || backwards) && (isPackage || !importer.package);
        });
        // Every module is imported.
        return reachable.map((module) => {
            const first = this.form(importer, module);
            return { module, forms: random.chance(0.35) ? [first, this.form(importer, module)] : [first] };
        });
    }

    form(importer, module) {
        const { random, shape } = this;
        const lazy = random.chance(shape.lazy);
        if (!importer.esm) {
            const forms = ['lazy require', 'lazy import', 'tried require'].filter(
                (form) => importer.kind !== 'cjs' || form !== 'lazy import',
            );
            return lazy ? random.pick(forms) : 'require';
        }
        if (lazy) {
            return random.pick(['lazy import', 'lazy require', 'lazy import']);
        }
        const isPure = [importer, module].some(({ kind }) => kind === 'pure package');
        if (random.chance(shape.again) && !module.json && !isPure) {
            const form = random.pick([
                'again all',
                'again all',
                'again as',
                'again named',
                'again default',
                'imported and exported',
            ]);
            return form === 'again all' && !this.mayPassOn(module) ? 'again named' : form;
        }
        const form = random.pick(shape.forms);
        if (form === 'require' && importer.kind === 'ts' && random.chance(0.3)) {
            return 'import equals';
        }
        return form;
    }

    /** Returns true if a module may be the source of `export *`: CommonJS is the only source of the program. */
    mayPassOn({ esm }) {
        const may = esm ? this.passedOn !== 'commonjs' : this.passedOn === undefined;
        this.passedOn = may ? (esm ? 'esm' : 'commonjs') : this.passedOn;
        return may;
    }

    files(module) {
        const path = this.pathOf(module);
        if (module.json) {
            return { [path]: this.json() };
        }
        const text = `${(module.esm ? this.esModule(module) : this.commonJs(module)).join('\n')}\n`;
        if (!module.package) {
            return { [path]: text };
        }
        const root = `node_modules/${module.name}`;
        const manifest = { [`${root}/package.json`]: JSON.stringify({ name: module.name, ...module.package }) };
        const others = JSON.stringify(module.package).match(/\w+\.cjs/g) ?? [];
        const required = others.map((name) => [
            `${root}/${name}`,
            `log('${module.name} is required');\nexports.one = 'required one';\nexports.default = 'required default';\n`,
        ]);
        return { ...manifest, [path]: text, ...Object.fromEntries(required) };
    }

    /** Excludes the key `__proto__`, which sets the prototype with esbuild and is an ordinary key with our bundler. */
    json() {
        return this.random.pick([
            '{ "one": 1, "two": [2, null], "default": "the default" }',
            '{ "one": -0, "two": 1e400, "count": 5, "not-a-name": true }',
            '{ "one": { "two": 1 }, "constructor": { "two": 2 } }',
            '[1, "two"]',
            '"text \\u2028 </script>"',
            'null',
        ]);
    }

    local(name = 'local') {
        return `${name}${++this.locals}`;
    }

    // ES modules.

    esModule(module) {
        const { random } = this;
        const heads = [];
        const uses = [];
        for (const { module: other, forms } of module.imports) {
            for (const form of forms) {
                const { head = [], use = [] } = this.write(form, module, other);
                heads.push(...head);
                uses.push(...use);
            }
        }
        const own = this.ownExports(module);
        // A package without side effects logs nothing.
        const start = module.kind === 'pure package' ? '' : `log('${module.name} starts');`;
        return random.chance(0.8) ? [...heads, start, ...own, ...uses] : [start, ...own, ...uses, ...heads];
    }

    ownExports(module) {
        const { random } = this;
        const typed = ['ts', 'folder'].includes(module.kind);
        const text = (what) => `'${module.name} ${what}'`;
        const all = {
            one: [`export const one = ${text('one')};`],
            two: [`const inner = ${text('two')};`, 'export { inner as two };'],
            count: ['export let count = 0;'],
            increase: [`export function increase() { ${'count += 1; '}return log(${text('increased')}), count; }`],
            Thing: [`export class Thing { static of = ${text('thing')}; }`],
            default: random.pick([
                [`export default ${text('default')};`],
                [`export default function () { return ${text('function')}; }`],
                [`export default function named() { return typeof named; }`],
                [`export default class { static of = ${text('class')}; }`],
                ['let changed = 1;', 'export { changed as default };', 'changed = 2;'],
                ['let late = 1;', 'export default late;', 'late = 2;'],
                [`export default { one: ${text('default one')}, get two() { return log('get two'), 2; } };`],
                ['export default [1];'],
            ]),
        };
        if (!random.chance(0.9)) {
            all.count = ['export let count = 5;', 'count = 6;'];
        }
        const types = typed
            ? random.some(
                  [
                      'export type Only = string;',
                      'export interface Shape { a: 1; }',
                      'type Hidden = Only2; type Only2 = 1; export type { Hidden };',
                      'export declare const never: 1;',
                  ],
                  2,
              )
            : [];
        const pure = module.kind !== 'pure package' && random.chance(0.3)
            ? random.some(
                  [
                      `/* @__PURE__ */ log(${text('pure')});`,
                      `const unused = /* @__PURE__ */ (() => log(${text('pure')}))();`,
                      `const kept = log(${text('kept')});`,
                      `const { a: destructured } = { get a() { return log(${text('getter')}); } };`,
                      `class Unused { static x = log(${text('static of an unused class')}); }`,
                  ],
                  2,
              )
            : [];
        const cjsUse = module.kind !== 'pure package' && random.chance(0.15) ? ['log(typeof module, typeof exports, typeof this);'] : [];
        return [...random.shuffled(Object.values(all)).flat(), ...types, ...pure, ...cjsUse];
    }

    /** Picks a name to import; only a CommonJS module may lack it. */
    wanted(other) {
        const names = other.json ? ['default', 'one'] : ['default', ...EXPORTED];
        return this.random.pick(names);
    }

    write(form, importer, other) {
        const { random } = this;
        const from = `'${this.specifier(importer, other)}'`;
        const typed = ['ts', 'folder'].includes(importer.kind);
        const local = this.local();
        switch (form) {
            case 'default':
                return { head: [`import ${local} from ${from};`], use: this.use(local, other) };
            case 'named': {
                const names = other.json ? [] : random.some([...EXPORTED, 'default'], random.between(1, 3));
                const list = names.map((name) => ({ name, local: this.local(name === 'default' ? 'def' : name) }));
                const clauses = list.map((each) => `${each.name} as ${each.local}`);
                const extra = typed && random.chance(0.3) && !other.json ? [`type Only as ${this.local('Type')}`] : [];
                return {
                    head: [`import { ${[...clauses, ...extra].join(', ')} } from ${from};`],
                    use: list.flatMap((each) => this.use(each.local, other, each.name)),
                };
            }
            case 'namespace':
                return { head: [`import * as ${local} from ${from};`], use: this.useNamespace(local, other, importer) };
            case 'both': {
                const second = this.local('all');
                return {
                    head: [`import ${local}, * as ${second} from ${from};`],
                    use: [...this.use(local, other), ...this.useNamespace(second, other, importer)],
                };
            }
            case 'effect':
                return { head: [`import ${from};`] };
            case 'import equals':
                return { head: [`import ${local} = require(${from});`], use: [`log(${local});`] };
            case 'require':
                return {
                    use: [
                        `${random.pick(['const', 'var'])} ${local} = require(${from});`,
                        `log('${local}', ${local});`,
                    ],
                };
            case 'tried require':
                return {
                    use: [
                        random.chance(0.3)
                            ? // The message depends on the bundler.
                              "try { log('tried', require('./missing-file')); } catch { log('failed'); }"
                            : `try { log('tried', require(${from})); } catch (error) { log('failed', error); }`,
                    ],
                };
            case 'lazy require':
                return this.lazyRequire(from, local);
            case 'lazy import':
                return this.lazyImport(from, local);
            default:
                return this.again(form, from, other, importer);
        }
    }

    lazyRequire(from, local) {
        return {
            use: [
                `const ${local} = () => require(${from})${this.random.pick(['', '.one', '.default', '.increase?.()'])};`,
                `log('not yet');`,
                ...this.random.pick([
                    [`attempt(() => ${local}());`, `attempt(() => ${local}());`],
                    [`setTimeout(() => attempt(() => ${local}()), 0);`],
                    [`Promise.resolve().then(() => attempt(() => ${local}()));`],
                    [`if (${this.random.pick(['true', 'log.length > 5'])}) attempt(() => ${local}());`],
                ]),
            ],
        };
    }

    lazyImport(from, local) {
        return {
            use: this.random.pick([
                [
                    `const ${local} = import(${from});`,
                    `log('asked', typeof ${local}.then);`,
                    `${local}.then((all) => log('${local}', all), (error) => log('failed', error));`,
                ],
                [
                    `(async () => { const { default: def, one } = await import(${from}); log('${local}', def, one); })();`,
                ],
                [
                    `const ${local} = async () => (await import(${from})).increase?.();`,
                    `${local}().then((value) => log('increased', value));`,
                ],
                [`Promise.all([import(${from}), import(${from})]).then(([one, two]) => log('same', one === two));`],
            ]),
        };
    }

    again(form, from, other, importer) {
        const { random } = this;
        const local = this.local();
        switch (form) {
            case 'again all':
                return { head: [`export * from ${from};`] };
            case 'again as':
                return { head: [`export * as ${this.local('space')} from ${from};`] };
            case 'again default':
                return { head: [`export { default as ${this.local('def')} } from ${from};`] };
            case 'again named': {
                const names = random.some([...EXPORTED, 'default'], random.between(1, 3));
                return {
                    head: [
                        `export { ${names.map((name) => `${name} as ${this.local(name === 'default' ? 'def' : name)}`).join(', ')} } from ${from};`,
                    ],
                };
            }
            default: {
                const name = this.wanted(other);
                return {
                    head: [`import { ${name} as ${local} } from ${from};`],
                    use: [`export { ${local} };`, `export const ${this.local('copy')} = () => ${local};`],
                };
            }
        }
    }

    use(local, other, name = 'default') {
        const { random } = this;
        const read = `attempt(() => ${local});`;
        if (name === 'increase' && random.chance(0.7)) {
            return [`attempt(() => ${local}());`];
        }
        return random.pick([
            [read],
            [read],
            [`log('${local}', typeof ${local});`],
            [`attempt(() => ${local}.one);`, `attempt(() => Object.keys(${local}));`],
            [`attempt(() => ${local}());`],
            [`Promise.resolve().then(() => attempt(() => ${local}));`],
            [`attempt(() => ({ ${local} }));`],
        ]);
    }

    /** Writes code that uses a namespace object. If the imported module also imports this one, it waits until all modules have run. */
    useNamespace(local, other, importer) {
        const { random } = this;
        const uses = random.some(
            [
                `log('${local}', ${local});`,
                `attempt(() => Object.keys(${local}).sort());`,
                `attempt(() => ${local}.default);`,
                `attempt(() => ${local}['o' + 'ne']);`,
                `attempt(() => 'two' in ${local});`,
                `attempt(() => [${local}.count, ${local}.increase?.(), ${local}.count]);`,
                `attempt(() => ${local}.default?.one);`,
                `attempt(() => { const { one, ...rest } = ${local}; return rest; });`,
                `attempt(() => ${local}.missing);`,
                `for (const name in ${local}) log(name);`,
                `attempt(() => new ${local}.Thing());`,
                `attempt(() => ${local}.__esModule);`,
                `attempt(() => typeof ${local}.default);`,
            ].filter((line) => other.esm === false || other.json || !line.includes('missing')),
            random.between(2, 5),
        );
        const isEarly = this.modules.indexOf(other) < this.modules.indexOf(importer);
        return isEarly ? ['Promise.resolve().then(() => {', ...uses, '});'] : uses;
    }

    // CommonJS.

    commonJs(module) {
        const { random } = this;
        const uses = module.imports.flatMap(({ module: other, forms }) =>
            forms.flatMap((form) => this.write(form, module, other).use ?? []),
        );
        const exported = this.commonJsExports(module);
        const start = `log('${module.name} starts');`;
        const strict = random.chance(0.2) ? ["'use strict';"] : [];
        const odd = random.chance(0.25)
            ? [
                  random.pick([
                      'log(this === module.exports, this === exports);',
                      'log(typeof require, typeof module, typeof exports);',
                      'log(require.main === module);',
                      'var exports2 = exports; log(exports2 === module.exports);',
                      'attempt(() => typeof __filename);',
                  ]),
              ]
            : [];
        return random.chance(0.6)
            ? [...strict, start, ...uses, ...exported, ...odd]
            : [...strict, start, ...exported, ...odd, ...uses];
    }

    commonJsExports({ name, imports }) {
        const { random } = this;
        const isEntry = name === FILES[0];
        const text = (what) => `'${name} ${what}'`;
        const required =
            imports.length > 0 && !(isEntry && imports[0].module.esm)
                ? `require('${this.specifier({ package: undefined, ...this.modules.find((module) => module.name === name) }, imports[0].module)}')`
                : `{ copied: ${text('copied')} }`;
        const marked = random.pick([
            [],
            ['exports.__esModule = true;'],
            ["Object.defineProperty(exports, '__esModule', { value: true });"],
        ]);
        return random.pick([
            [
                ...marked,
                `exports.one = ${text('one')};`,
                'exports.count = 0;',
                'exports.increase = () => (exports.count += 1);',
                `exports.default = ${text('default')};`,
            ],
            [...marked, `exports.one = ${text('one')};`, `exports.two = ${text('two')};`],
            [
                `module.exports = { one: ${text('one')}, two: ${text('two')}, default: ${text('default')}${random.pick(['', ', __esModule: true'])} };`,
            ],
            [
                `module.exports = function () { return ${text('function')}; };`,
                `module.exports.one = ${text('one')};`,
                'module.exports.default = module.exports;',
            ],
            [`class Thing { static of = ${text('thing')}; }`, 'module.exports = Thing;', 'Thing.Thing = Thing;'],
            [
                `module.exports = ${random.pick(["'text'", '5', '[1, 2]', '() => 1', "Symbol.for('s')", 'false'])};`,
            ],
            [`Object.assign(exports, { one: ${text('one')}, two: ${text('two')} });`],
            [
                `Object.defineProperty(exports, 'one', { enumerable: true, get: () => (log('get one'), ${text('one')}) });`,
                ...marked,
            ],
            [`this.one = ${text('one')};`, "this['two'] = 2;"],
            [`exports = module.exports = { one: ${text('one')} };`, `exports.two = ${text('two')};`],
            [`module.exports = ${required};`],
            [
                "Object.defineProperty(exports, '__esModule', { value: true });",
                'exports.one = exports.default = void 0;',
                `exports.one = ${text('one')};`,
                `exports.default = ${text('default')};`,
            ],
            [
                "Object.defineProperty(exports, '__esModule', { value: true });",
                `const all = ${required};`,
                "Object.keys(all).forEach(function (key) { if (key === 'default' || key === '__esModule') return; Object.defineProperty(exports, key, { enumerable: true, get: function () { return all[key]; } }); });",
            ],
            [`module.exports = Object.create({ one: ${text('inherited')} });`, `module.exports.two = ${text('two')};`],
            [`exports.one = ${text('one')};`, `throw new Error(${text('fails')});`],
            [
                `(function (root, make) { typeof exports === 'object' && typeof module !== 'undefined' ? make(exports) : make((root.lib = {})); })(this, function (exports) { exports.one = ${text('umd')}; });`,
            ],
            [`exports.one = ${text('one')};`, "exports['default'] = { one: 'nested' };", `exports.hasOwnProperty = 1;`],
            ['// Exports nothing.'],
        ]);
    }
}
