/**
 * Modules with declarations that read each other, before and after initialization; the log shows the order. No module imports
 * the namespace of a module that runs later, because our bundler creates that object only then.
 */
import { Classes } from './classes.mjs';

export const areas = [{ area: 'initialization order', generate: (random) => new Order(random).program() }];

class Order extends Classes {
    constructor(random) {
        super(random, { members: [1, 3] });
        this.typed = this.kind.endsWith('ts');
    }

    program() {
        const { random } = this;
        const files = {};
        const others = random.list(1, 2, (index) => `part${index}`);
        for (const name of others) {
            const specifiers = others.filter((other) => other > name || random.chance(0.3));
            files[`${name}.${this.kind}`] = this.module(
                specifiers.filter((other) => other !== name),
                [name],
            );
        }
        const entry = `main.${this.kind}`;
        files[entry] = this.module(others, ['main']) + 'export default () => [value, late];\n';
        return { entry, files: { ...files, ...this.settingsFile() } };
    }

    module(imported, [name]) {
        const { random } = this;
        const imports = imported.map(
            (other) =>
                `import ${random.pick([`{ value as ${other}Value, read as ${other} }`, ...(other > name || name === 'main' ? [`* as ${other}`] : [])])} from './${other}${this.kind === 'ts' ? '' : `.${this.kind}`}';`,
        );
        const parts = random
            .some(
                [
                    ...imported.map((other) => [
                        `attempt(() => typeof ${other});`,
                        `attempt(() => ${other}.read ? ${other}.read() : ${other}());`,
                    ]),
                    ['attempt(() => new Late().field);'],
                    ['attempt(() => early());'],
                    ['attempt(() => constant);'],
                    ["const constant = at('constant', 1);", 'attempt(() => constant + 1);'],
                    ["var early = () => at('early', later?.());"],
                    ["function later() { return at('later', typeof constant0); }"],
                    ["let state = at('state', 0);", 'state += 1;'],
                    [
                        "class Late extends at('heritage', Object) {",
                        "    field = at('field', 1);",
                        "    static { log('static block'); }",
                        "    static [at('key', 'k')] = at('static field', 2);",
                        "    [at('second key', 'l')]() {}",
                        "    static last = at('last', Object.keys(this));",
                        '}',
                    ],
                    [
                        "const { p = at('default p', 1), ...others } = at('destructured', { q: 2, get r() { return at('get r', 3); } });",
                        'log(p, others);',
                    ],
                    [
                        "const [first = at('first', 1), second = at('second', first), ...more] = at('array', [undefined]);",
                        'log(first, second, more);',
                    ],
                    [
                        "attempt(() => { const inner = at('before', uses()); function uses() { return typeof inner; } });",
                    ],
                    ["attempt(((one = at('one', 1), two = at('two', one)) => [one, two]));"],
                    [
                        "const object = { [at('a', 'a')]: at('b', 1), [at('c', 'c')]: at('d', 2), ...at('spread', { e: 3 }) };",
                        'log(object);',
                    ],
                    [
                        "log(at('left', 1) + at('right', 2) * at('third', 3), at('x', 0) || at('y', 1), at('z', null)?.[at('never', 1)]);",
                    ],
                    ["at('object', object0)[at('index', 'f')] = at('assigned', 4);"],
                    ["at('target', { f() { return 1; } }).f(at('argument', 1), ...at('spread argument', [2]));"],
                    ["export const late0 = at('exported', typeof early);"],
                    [
                        'for (const each of [() => Second.name2, () => Second.other]) attempt(each);',
                        "class Second { static name2 = at('name2', Second); static other = Second.name2 === Second; }",
                    ],
                    [
                        "const tag = (parts, ...values) => at('tag', [parts.raw.length, values]);",
                        "tag`a${at('1', 1)}b${at('2', 2)}`;",
                    ],
                    [
                        "attempt(() => { label: { at('in a label', 1); if (at('leaves', true)) break label; at('not', 1); } });",
                    ],
                    ["delete at('deleted', { a: 1 })[at('deleted key', 'a')];"],
                    ["attempt(() => new (at('class', class { constructor(one) { log(one); } }))(at('passed', 1)));"],
                    [
                        "(async () => { log('async start'); await null; log('async end'); })();",
                        "Promise.resolve().then(() => log('then'));",
                        "queueMicrotask(() => log('microtask'));",
                    ],
                ],
                random.between(6, 12),
            )
            .flat();
        return [
            ...imports,
            `log('${name} starts');`,
            'const object0 = {};',
            'var constant0;',
            ...(parts.some((line) => line.includes('at('))
                ? ['function at(what, value) { return log(what), value; }']
                : []),
            ...parts,
            // The order matters: the minifier infers the type of an earlier variable before it has a value.
            'export function read() { return [typeof value, typeof late]; }',
            `export let value = '${name}';`,
            "export const late = 'late';",
            '',
        ].join('\n');
    }
}
