/**
 * Decorators of every member and parameter, in evaluation order. Decorators of assigned fields with a quoted or computed key
 * are exceptions (see `exceptions.mjs`). With defined fields, so are decorators of static members before those of instance
 * members, and decorators of parameter properties.
 */
import { indent, settingsFile, text, withoutDuplicates } from './files.mjs';

export const areas = [{ area: 'decorators', generate: (random) => new Decorators(random).program() }];

/** esbuild 0.17 supports only the decorators of TypeScript's `experimentalDecorators`, and accepts them with any settings. */
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
        this.defines = settings?.useDefineForClassFields ?? settings?.target === 'es2022';
        const lines = [...this.helpers(), ...random.list(1, 2, (index) => this.class(`C${index}`)).flat()];
        const files = { 'main.ts': text(lines), ...settingsFile(settings) };
        if (random.chance(0.3)) {
            files['main.ts'] =
                `import { Service, type Shape } from './service';\n${files['main.ts']}@dec('with a type') class Uses { constructor(@param('p') readonly service: Service, shape?: Shape) {} @dec('method') m(one: Service): void {} @dec('typed') field: Service = null as any; }\nlog(new Uses(null as any));\n`;
            files['service.ts'] =
                "log('service');\nexport class Service { static loaded = log('Service'); }\nexport interface Shape {}\n";
        }
        return { entry: 'main.ts', files };
    }

    helpers() {
        return [
            ...(this.random.chance(0.3)
                ? ["(Reflect as any).metadata = (key: any, value: any) => (log('metadata', key), () => {});"]
                : []),
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
            'const at = (what: any, value?: any): any => (log(what), value);',
        ];
    }

    decorator() {
        const id = ++this.count;
        return this.random.pick([
            `@dec('d${id}')`,
            `@dec('d${id}')`,
            '@plain',
            `@space.dec('s${id}')`,
            '@space.nested.plain',
            `@(at('expression ${id}', plain))`,
            `@dec('d${id}', () => C0)`,
            `@dec('a${id}') @dec('b${id}')`,
        ]);
    }

    class(name) {
        const { random } = this;
        const decorated = random.chance(0.6);
        const heads = decorated
            ? [random.pick([this.decorator(), '@replace', `${this.decorator()} @replace`, this.decorator()])]
            : [];
        const members = withoutDuplicates(
            random,
            random.list(2, 6, () => this.member(name)),
            true,
        );
        const params = random.some(
            [
                `@param('c1') one: any`,
                this.defines ? `@dec('c2') two = 2` : `@dec('c2') public two = 2`,
                'three?: any',
                `@param('c3') @dec('c4') ${this.defines ? '' : 'private '}four?: string`,
            ],
            random.between(0, 3),
        );
        const parent = random.pick([
            '',
            '',
            '',
            name === 'C1' ? ' extends C0' : " extends (at('heritage', class { m() { return 'above'; } }) as any)",
        ]);
        params.sort((one, other) => one.includes('?') - other.includes('?'));
        const constructor = random.chance(0.5)
            ? [[`constructor(${params.join(', ')}) { ${parent ? 'super(); ' : ''}log('made'); }`]]
            : [];
        const prefix = random.pick(['', '', 'export ', name === 'C0' ? 'export default ' : '']);
        const all = random.shuffled([...members, ...constructor]);
        const isLast = (lines) => this.defines && /@.* static /.test(lines[0]);
        const body = [...all.filter((lines) => !isLast(lines)), ...all.filter(isLast)].flat();
        return [
            ...heads,
            `${prefix}class ${name}${parent} {`,
            ...indent(body),
            '}',
            `log(${name});`,
            `attempt(() => { const made: any = new (${name} as any)(1); return [made, made.m?.(1), made.a, Object.keys(made)]; });`,
            ...(random.chance(0.5)
                ? [
                      `attempt(() => { const made: any = new (${name} as any)(); made.a = 'assigned'; return [made.a, made]; });`,
                  ]
                : []),
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
            [`plain${id} = at('not decorated', ${id});`],
            [`static block${id} = at('static', typeof ${name});`],
            [`static { log('block', typeof ${name}); }`],
            [`${dec} ${random.chance(0.5) ? 'declare ' : ''}d${id}: any;`],
            [`#private${id} = 1;`, `${dec} read${id}() { return this.#private${id}; }`],
            [`${dec} 'quoted${id}' = 1;`],
            [`${dec} 'with spaces'() { return 'method'; }`],
            [`${dec} ${id}() { return 'numeric'; }`],
            [`${dec} *many${id}() { yield this; }`],
            [`${dec} arrow${id} = () => this;`],
            ...(random.chance(0.1) ? [['@fails fails() {}']] : []),
            ...(this.defines
                ? [
                      [`${dec} [at('key ${id}', 'computed${id}')] = at('computed value', 1);`],
                      [`${dec} 'quoted ${id}' = 1;`],
                  ]
                : []),
        ]);
    }
}
