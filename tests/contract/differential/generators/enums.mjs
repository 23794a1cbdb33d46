/**
 * Enums: members of every kind, merged, in every scope, imported, and as objects.
 *
 * esbuild 0.17 adds a reverse mapping for members that it does not consider strings, and unlike TypeScript it considers some
 * expressions strings. They are not generated as the value of a member: `typeof`, `as any`, conditional expressions,
 * templates with substitutions, and `||`.
 */
import { TYPESCRIPT_SETTINGS, indent, settingsFile, text } from './files.mjs';

export const areas = [{ area: 'enums', generate: (random) => new Enums(random).program() }];

class Enums {
    constructor(random) {
        Object.assign(this, { random, known: [] });
    }

    program() {
        const { random } = this;
        const shared = random.chance(0.6) ? this.enum('Shared', 'export ') : undefined;
        const head = shared
            ? [
                  random.pick([
                      "import { Shared } from './shared';",
                      "import * as all from './shared';\nconst { Shared } = all;",
                      "import { Shared as Given } from './passed';\nimport Shared = Given;",
                  ]),
              ]
            : [];
        // A constant enum has no object unless it is exported.
        const useful = shared?.[0].includes('const enum') ? head.map(() => "import { Shared } from './shared';") : head;
        const lines = [
            ...useful,
            'const outer = 7;',
            ...(shared ? ['log(Shared.A, Shared);'] : []),
            ...random.list(1, 3, (index) => this.declareAndUse(`E${index}`)).flat(),
        ];
        const exported = ['export { E0 };', 'export default () => E0.A;'];
        const files = { 'main.ts': text([...lines, ...exported]), ...settingsFile(random.pick(TYPESCRIPT_SETTINGS)) };
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
            lines.push(
                lines[0],
                ...indent(['More = 100,', `Again = ${random.pick([`${name}.A`, `${name}.A`, "'again'", '1 + 2'])},`]),
                '}',
            );
        }
        if (random.chance(0.25) && !lines[0].startsWith('const')) {
            lines.push(
                `namespace ${name} {`,
                ...indent([`export const read = () => ${name}.A;`, 'export function extra() { return 1; }']),
                '}',
                `log(${name}.read());`,
            );
        }
        const scope = random.pick(['top', 'top', 'function', 'block']);
        const used = this.uses(name);
        const nested = name !== 'E0' && !lines.some((line) => line.startsWith('namespace'));
        if (scope === 'function' && nested) {
            // In a function expression, esbuild 0.17 fails at the next arrow function.
            return [`function with${name}() {`, ...indent([...lines, ...used]), '}', `with${name}();`];
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
            lines.push(`${this.member(name, members, lines, kind)},`);
        }
        return [`${prefix}${kind} ${name} {`, ...indent(lines), '}'];
    }

    first() {
        return this.random.pick(['A,', 'A = 1,', "A = 'a',", 'A = -0,', 'A = 1 << 4,', "A = 'x'.length,", 'A = 5,']);
    }

    member(name, members, lines, kind) {
        const { random } = this;
        const previous = lines.at(-1);
        const all = [
            'B',
            'C',
            'D',
            "'quoted name'",
            "'-0'",
            'E',
            'F',
            "'then'",
            'toString',
            'outer',
            "'a-b'",
            '__proto__x',
            'constructor',
            'G',
        ];
        const free = all.filter((member) => !members.includes(member));
        const own = random.pick(free);
        const plain = members.filter((member) => /^\w+$/.test(member));
        const earlier = random.pick(plain);
        members.push(own);
        const constant = [
            '1',
            '-1',
            '0.5',
            '1e21',
            '0xff',
            '1 / 0',
            '-1 / 0',
            '0 / 0',
            '-0',
            "'text'",
            '`template`',
            "'a' + 'b'",
            '1 + 2 * 3',
            '2 ** 10',
            '~5',
            '-7 % 3',
            '1 << 31',
            '-1 >>> 0',
            '1 | 6 & 3 ^ 9',
            "'\\u2028'",
            earlier,
            `${name}.${earlier}`,
            `${earlier} + 1`,
            /['`]/.test(lines.join()) ? '4' : `${earlier} | 8`,
            `${name}['${earlier}']`,
            // tsc rejects operators other than `+` with members that are strings.
            /['`]/.test(lines.join()) ? '3' : `-${earlier}`,
            `(${earlier})`,
        ];
        const computed = [
            "'abc'.length",
            "log('computed')",
            'Math.max(1, 2)',
            'outer',
            `parseInt('${members.length}')`,
            '[1].length',
        ];
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
