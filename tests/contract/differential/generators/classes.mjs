/**
 * Classes with members of every kind, derived from each other and from other classes.
 *
 * Not generated, because esbuild 0.17 compiles it incorrectly: a private member as a destructuring target or after `?.` in a
 * longer chain; a call of `super` inside an expression in a class with fields. It also evaluates the defaults of constructor
 * parameters before defined fields, and drops the value of a parameter property if a defined field has the same name, which
 * TypeScript rejects. `.cts` files with `import` or `export`, and `this` in a computed key of a class inside another class,
 * are exceptions: see `exceptions.mjs`.
 */
import { indent, withoutDuplicates } from './files.mjs';

export const areas = [
    { area: 'class members', generate: (random) => new Classes(random, { members: [4, 9] }).program() },
    { area: 'inheritance', generate: (random) => new Classes(random, { members: [1, 4], derived: [1, 3] }).program() },
];

/** Settings that select whether a field is defined or assigned. */
const SETTINGS = [
    undefined,
    {},
    { useDefineForClassFields: true },
    { useDefineForClassFields: false },
    { target: 'es2022' },
    { target: 'es2017' },
    { target: 'esnext', useDefineForClassFields: false },
];

/** A computed field key is an exception in a class with parameter properties and defined fields. */
const hasComputedKey = ([line]) => /^\[.*\](;| =)/.test(line);

/** Members that add no code to a constructor. */
const WITHOUT_FIELDS = new Set([
    'staticField',
    'privateStatic',
    'method',
    'accessor',
    'staticMethod',
    'staticBlock',
    'generator',
]);

export class Classes {
    constructor(random, { members, derived = [0, 1] }) {
        Object.assign(this, { random, members, derived, count: 0 });
        this.kind = random.weighted({ ts: 3, js: 1, mjs: 0.3 });
        this.typed = this.kind.endsWith('ts');
        this.settings = random.pick(SETTINGS);
        const { useDefineForClassFields, target } = this.settings ?? {};
        this.defines = !this.typed || (useDefineForClassFields ?? /es(next|2022)/.test(target));
    }

    program() {
        const { random } = this;
        const names = ['Base', 'Middle', 'Last', 'Most'].slice(0, 1 + random.between(...this.derived));
        const lines = ['const at = (what, value) => (log(what), value);', "const key = Symbol('key');"];
        let above;
        for (const name of names) {
            const heritage = above ?? this.firstHeritage();
            this.isArray ||= heritage?.name === 'Array';
            lines.push(...this.class(name, heritage), ...this.uses(name));
            above = { name, own: true };
        }
        const file = `main.${this.kind}`;
        const last = names.at(-1);
        const exported = random.pick([
            `export default ${last};`,
            `export { ${last} as default };`,
            `export default () => new ${last}(7);`,
        ]);
        const files = { [file]: `${[...lines, exported].join('\n')}\n` };
        return { entry: file, files: { ...files, ...this.settingsFile() } };
    }

    settingsFile() {
        return this.settings ? { 'tsconfig.json': JSON.stringify({ compilerOptions: this.settings }) } : {};
    }

    next(what) {
        return `${what}${++this.count}`;
    }

    /** Picks a base class that is not generated; usually none. */
    firstHeritage() {
        const { random } = this;
        return random.pick([
            undefined,
            undefined,
            undefined,
            { name: 'Object', setup: [] },
            { name: 'Map', setup: [] },
            { name: 'Array', setup: [] },
            { name: 'Error', setup: [] },
            { name: 'null', setup: [], own: 'null' },
            {
                name: "at('heritage', class { a = at('anonymous', this.constructor !== undefined); m() { return 'above'; } })",
            },
            { name: 'Old', setup: this.oldClass() },
        ]);
    }

    /** A class as a constructor function, which may return another object. */
    oldClass() {
        const returned = this.random.chance(0.5) ? ' return { returned: true };' : '';
        return [
            `function Old(${this.typed ? 'this: any' : ''}) { this.old = at('old', 1);${returned} }`,
            "Object.defineProperty(Old.prototype, 'a', { configurable: true, get() { return log('get a'), 'old a'; }, set(value) { log('set a', value); } });",
            "Old.prototype.m = function () { return 'old m'; };",
            "Old.s = 'old s';",
        ];
    }

    class(name, heritage) {
        const { random } = this;
        this.context = { name, heritage, derived: heritage !== undefined, privates: [], used: new Set() };
        const members = withoutDuplicates(
            random,
            random.list(...this.members, () => this.member()),
            this.typed,
        );
        const constructor = this.constructorOf(heritage, members);
        const abstract = this.typed && random.chance(0.15) ? this.abstract(members) : [];
        members.splice(random.below(members.length + 1), 0, constructor);
        this.context.abstract = abstract.length > 0;
        const heritageText = heritage ? ` extends ${this.heritage(heritage)}` : '';
        const types = this.typed && random.chance(0.2) ? ['<T = any>', ' implements Object'] : ['', ''];
        const body = indent([...members.flat(), ...abstract]);
        const setup = heritage?.setup ?? [];
        const typedHeritage = this.typed ? heritageText.replace('extends Old', 'extends (Old as any)') : heritageText;
        if (abstract.length > 0) {
            return [...setup, `abstract class ${name}${types[0]}${typedHeritage} {`, ...body, '}'];
        }
        return [
            ...setup,
            ...random.pick([
                [`class ${name}${types[0]}${typedHeritage}${types[1]} {`, ...body, '}'],
                [`class ${name}${types[0]}${typedHeritage}${types[1]} {`, ...body, '}'],
                [`const ${name} = class${typedHeritage} {`, ...body, '};'],
                [`const ${name} = class Inner${typedHeritage} {`, ...body, '    static inner = () => Inner;', '};'],
                [`let ${name}${this.typed ? ': any' : ''} = class ${name}${typedHeritage} {`, ...body, '};'],
            ]),
        ];
    }

    heritage({ name, own }) {
        const mixin = this.typed
            ? '((above: any) => class extends above { mixed = 1; })'
            : '((above) => class extends above { mixed = 1; })';
        return own === true
            ? this.random.pick([name, name, name, `(at('heritage of', 0), ${name})`, `${mixin}(${name})`])
            : name;
    }

    constructorOf(heritage, members) {
        const { random } = this;
        if (heritage?.own === 'null' && !this.context.initializes) {
            return ['constructor() { return Object.create(new.target.prototype); }'];
        }
        if (random.chance(0.3)) {
            return [];
        }
        // Defined and private fields are initialized before parameter defaults, except with esbuild.
        const isEarly = this.defines || this.context.privates.length > 0;
        const early = !heritage && this.context.initializes && isEarly;
        const value = (what, literal) => (early ? literal : `at('${what}', ${literal})`);
        const params = [];
        if (this.typed && random.chance(0.5) && !(this.defines && members.some(hasComputedKey))) {
            params.push(
                ...random.some(
                    [
                        `public p = ${value('p', 1)}`,
                        `private readonly q: any = ${value('q', 2)}`,
                        // No accessor or field of this class or of a derived class may have the name of the parameter property.
                        this.defines || members.some((lines) => /\ba\b/.test(lines.join(' '))) ? 'protected z?: any' : 'protected a?: any',
                        'readonly r = 3',
                    ],
                    2,
                ),
            );
        } else {
            params.push(
                random.pick([
                    `one = ${value('one', 1)}`,
                    '...rest',
                    this.typed ? 'one?: any, two = one' : 'one, two = one',
                ]),
            );
        }
        const statements = random.list(0, 2, () => this.statement());
        if (!heritage) {
            return [`constructor(${params.join(', ')}) {`, ...indent(statements.flat()), '}'];
        }
        const superCall = this.superCall(params);
        return [`constructor(${params.join(', ')}) {`, ...indent([...superCall, ...statements.flat()]), '}'];
    }

    /** Writes the call of `super`. TypeScript requires a separate statement for it in a class with fields; our bundler does not. */
    superCall(params) {
        const { random } = this;
        const hasProperties = params.some((param) => /^(public|private|protected|readonly)/.test(param));
        const plain = [`super(${random.pick(['', '1', "at('argument', 2)"])});`];
        if (hasProperties) {
            return random.chance(0.3) ? ["log('before super');", ...plain] : plain;
        }
        const simple = [plain, plain, ["log('before super');", ...plain]];
        if (this.context.initializes) {
            return random.pick(simple);
        }
        return random.pick([
            ...simple,
            ['const call = () => super(3);', 'call();'],
            ["if (at('condition', true)) super(4);", 'else super(5);'],
            ["try { log(this); } catch (error) { log('early this', error); }", ...plain],
            [...plain, "try { super(); } catch (error) { log('twice', error); }"],
            ['log(new.target !== undefined, super() === this);'],
            ["try { super(); } finally { log('finally'); }"],
        ]);
    }

    statement() {
        const { derived } = this.context;
        return this.random.pick([
            ["log('keys', Object.keys(this));"],
            ['attempt(() => this.a);'],
            ["this.a = at('assigned', 'a');"],
            ['log(typeof this.m, this instanceof Object);'],
            ['log(new.target === this.constructor);'],
            derived ? ['attempt(() => super.m?.());'] : ['attempt(() => this.m());'],
            derived ? ["super.added = at('through super', 1);"] : ["this.added = at('added', 1);"],
        ]);
    }

    // Members.

    member() {
        const { random } = this;
        const kind = random.weighted({
            field: 6,
            bare: 3,
            staticField: 4,
            computed: 2,
            privateField: 4,
            privateMethod: 2,
            privateStatic: 2,
            method: 5,
            accessor: 4,
            staticMethod: 2,
            staticBlock: 3,
            generator: 1,
            async: 1,
            symbol: 1,
            arrow: 2,
            superMember: this.context.derived ? 4 : 0,
            typeOnly: this.typed ? 3 : 0,
        });
        this.context.initializes ||= !WITHOUT_FIELDS.has(kind);
        return this[kind]();
    }

    name() {
        // Node's error for a field `length` of an array differs from the specification.
        const length = this.isArray ? 'size' : 'length';
        return this.random.pick([
            'a',
            'b',
            'm',
            'a',
            'b',
            "'quoted name'",
            '70',
            '1e3',
            "'-0'",
            'get',
            'set',
            'static',
            'async',
            length,
            '__proto__x',
            'if',
        ]);
    }

    value() {
        const { random, context } = this;
        const value = random.pick([
            '1',
            "'text'",
            '-0',
            '[]',
            'null',
            'undefined',
            '(() => this)',
            'this.a',
            'this.b',
            'typeof this',
            'new.target',
            'typeof this.m',
            'key',
            'class { static own = 1; }',
            'function () { return this; }',
            'arguments0',
            `typeof ${context.name}`,
        ]);
        const safe = value === 'arguments0' || value === 'new.target' ? '2' : value;
        return random.chance(0.8) ? `at('${this.next('field ')}', ${safe})` : safe;
    }

    field() {
        const modifier = this.typed ? this.random.pick(['', '', 'public ', 'readonly ', 'private ', 'protected ']) : '';
        const type = this.typed && this.random.chance(0.4) ? ': any' : '';
        return [`${modifier}${this.name()}${type} = ${this.value()};`];
    }

    /** Writes a field without a value. Whether the field exists at runtime depends on the settings. */
    bare() {
        const name = this.name();
        return [
            this.typed
                ? this.random.pick([`${name}: any;`, `${name}?: any;`, `${name}!: any;`, `public ${name};`])
                : `${name};`,
        ];
    }

    staticField() {
        const name = this.random.pick(['s', 'a', 'name', 'length', 's', 't', "'quoted'", '7', 'm', 'call']);
        return [
            this.random.chance(0.15)
                ? `static ${name};`
                : `static ${name} = ${this.value().replace('(() => this)', '(() => typeof this)')};`,
        ];
    }

    computed() {
        const { random } = this;
        const made = `[at('${this.next('key ')}', ${random.pick(["'a'", "'computed'", 'key', '0', 'Symbol.toStringTag', "'c' + 1", 'null'])})]`;
        return [
            random.pick([
                `${made} = ${this.value()};`,
                `static ${made} = ${this.value()};`,
                `${made}() { return 'computed'; }`,
                `get ${made}() { return 'computed'; }`,
                `static async ${made}() { return 'computed'; }`,
                `${made};`,
            ]),
        ];
    }

    private() {
        const name = this.next('#p');
        this.context.privates.push(name);
        return name;
    }

    privateField() {
        const { random } = this;
        const name = this.private();
        const target = this.typed ? '(other: any)' : '(other)';
        return [
            `${name} = ${random.pick(['1', "at('private', 2)", "'text'", '-0', '[1, 2]'])};`,
            random.pick([
                `read${name.slice(1)}() { return this.${name}; }`,
                `add${name.slice(1)}() { return [this.${name}++, this.${name} += 2, --this.${name}]; }`,
                `set${name.slice(1)}() { this.${name} ??= 5; this.${name} ||= 6; return (this.${name} &&= 7); }`,
                `has${name.slice(1)}${target} { return ${name} in other; }`,
                `other${name.slice(1)}${target} { return other.${name}; }`,
                `write${name.slice(1)}${target} { other.${name} = at('written', 3); return other; }`,
                `template${name.slice(1)}() { return \`\${this.${name}}\` + typeof this.${name}; }`,
                `power${name.slice(1)}() { return this.${name} **= 2; }`,
                `optional${name.slice(1)}${target} { return other?.${name}; }`,
                `call${name.slice(1)}() { return this.${name}.toString(); }`,
                `closure${name.slice(1)}() { return [1].map(() => this.${name}); }`,
            ]),
        ];
    }

    privateMethod() {
        const { random } = this;
        const name = this.private();
        const id = name.slice(1);
        return random.pick([
            [`${name}(one = 1) { return [this instanceof Object, one]; }`, `call${id}() { return this.${name}(2); }`],
            [`get ${name}() { return log('private get'), 1; }`, `get${id}() { return this.${name}; }`],
            [
                `get ${name}() { return log('private get'), this.b ?? 1; }`,
                `set ${name}(value) { log('private set', value); this.b = value; }`,
                `both${id}() { this.${name} = 5; return [this.${name} += 1, this.${name}++]; }`,
            ],
            [`*${name}() { yield 1; yield this.a; }`, `spread${id}() { return [...this.${name}()]; }`],
            [`async ${name}() { return await 3; }`, `async later${id}() { return (await this.${name}()) + 1; }`],
            [`${name}() {}`, `refer${id}() { return this.${name} === this.${name}; }`],
        ]);
    }

    privateStatic() {
        const { random, context } = this;
        const name = this.private();
        const id = name.slice(1);
        return random.pick([
            [`static ${name} = at('private static', 1);`, `static read${id}() { return this.${name}; }`],
            [
                `static ${name} = at('private static', 1);`,
                `static bump${id}() { return [${context.name}.${name}++, ${context.name}.${name}]; }`,
            ],
            [`static ${name}() { return typeof this; }`, `static call${id}() { return this.${name}(); }`],
            [`static get ${name}() { return 4; }`, `static get${id} = this.${name};`],
            [`static ${name} = 1;`, `static { log('block reads', this.${name}); }`],
            [
                `static ${name} = 1;`,
                `static has${id}(${this.typed ? 'other: any' : 'other'}) { return ${name} in other; }`,
            ],
        ]);
    }

    method() {
        const name = this.name();
        const params = this.random.pick(['', 'one', 'one, two = 2', '...rest', '{ one } = { one: 1 }']);
        const typed = this.typed ? params.replace(/^one/, 'one?: any') : params;
        const overloads =
            this.typed && /^\w+$/.test(name) && this.random.chance(0.2)
                ? [`${name}(${typed ? 'a: any' : ''}): any;`]
                : [];
        const body = this.random.pick([
            "return 'm';",
            'return [arguments.length, typeof this];',
            'return this.a;',
            "log('called'); return () => this.b;",
        ]);
        return [...overloads, `${name}(${typed}) { ${body} }`];
    }

    accessor() {
        const { random } = this;
        const name = this.name();
        const prefix = random.chance(0.2) ? 'static ' : '';
        const getter = `${prefix}get ${name}() { return at('${this.next('get ')}', 1); }`;
        const setter = `${prefix}set ${name}(value) { log('${this.next('set ')}', value); }`;
        return random.pick([[getter], [setter], [getter, setter]]);
    }

    staticMethod() {
        return [
            `static ${this.random.pick(['s', 'm', 'make'])}() { return [this === ${this.context.name}, typeof this.s]; }`,
        ];
    }

    staticBlock() {
        const { random, context } = this;
        return [
            'static {',
            ...indent(
                random.some(
                    [
                        `log('${this.next('block ')}', typeof this, Object.keys(this));`,
                        `log(this === ${context.name});`,
                        'this.fromBlock = 1;',
                        'var local = 1; { let local = 2; log(local); } log(local);',
                        `try { throw ${random.pick(['1', 'new Error("block")'])}; } catch (error) { log(error); }`,
                        'for (const one of [1, 2]) this.sum = (this.sum ?? 0) + one;',
                        'function inBlock() { return 1; } log(inBlock());',
                        'const arrow = () => this; log(arrow() === this);',
                        'attempt(() => new this(8));',
                    ],
                    2,
                ),
            ),
            '}',
        ];
    }

    generator() {
        return [
            this.random.pick([
                '*many() { yield 1; yield* [this.a, 2]; }',
                'async *many() { yield 1; yield await this.a; }',
                '*[Symbol.iterator]() { yield this.b; }',
            ]),
        ];
    }

    async() {
        return [
            this.random.pick([
                'async later() { return await this.a; }',
                "async later() { try { await null; return this.m(); } finally { log('later'); } }",
                'later = async () => (await 1, this.b);',
            ]),
        ];
    }

    symbol() {
        return [
            this.random.pick(
                [
                    "get [Symbol.toStringTag]() { return 'Tag'; }",
                    '[key] = 1;',
                    "[Symbol.toPrimitive](hint) { return 'primitive ' + hint; }",
                    'static [Symbol.hasInstance](value) { return value === 5; }',
                ].map((text) =>
                    this.typed ? text.replace('(hint)', '(hint: any)').replace('(value)', '(value: any)') : text,
                ),
            ),
        ];
    }

    arrow() {
        return [
            this.random.pick([
                'arrow = () => this.a;',
                'arrow = () => () => [this, new.target].length;',
                'arrow = async () => this;',
                'arrow = (one = this.b) => one;',
                'static arrow = () => typeof this;',
                'nested = { inner: () => this.a, get own() { return this.inner; } };',
            ]),
        ];
    }

    superMember() {
        return this.random.pick([
            ["m() { return ['over', super.m?.()]; }"],
            ['get a() { return [super.a]; }'],
            ['set b(value) { super.b = value; }'],
            ["above = at('super in a field', super.m);"],
            ['above = () => super.m?.();'],
            ["static above = at('static super', super.s);"],
            ['static { log("super in a block", super.s, typeof super.make); }'],
            ['static s() { return [super.s]; }'],
            ['async later() { await 1; return super.m?.(); }'],
            ['*many() { yield super.a; yield* [super.m].slice(1); }'],
            ["named() { return super['m'] === undefined; }"],
            ["written() { super.w = 1; return Object.keys(this).includes('w'); }"],
            ["['computed' + super.toString.length]() { return 1; }"].map(
                () => "object() { return { __proto__: { m: () => 'proto' }, m() { return super.m(); } }.m(); }",
            ),
            ['nestedArrow() { return (() => (() => super.m?.())())(); }'],
            ['static counter = (super.s, 1);'],
            ["m() { return super.m?.call(this) ?? 'none'; }"],
        ]);
    }

    /** Members that compile to nothing, except for the side effects of their keys. */
    typeOnly() {
        return [
            this.random.pick([
                'declare d: number;',
                'declare static e: number;',
                '[index: string]: any;',
                'optional?(): void;',
                "declare readonly f: 'text';",
                'private declare g;',
                'static [index: number]: string;',
                'm(one: string): void; m(...all: any[]): any { return all.length; }',
            ]),
        ];
    }

    /** An abstract member, unless another member has the same name. */
    abstract(members) {
        const member = this.random.pick([
            ['abstract b: any;'],
            ['abstract m(): any;'],
            ['abstract get x(): any;', 'abstract set x(value: any);'],
            ['protected abstract readonly y: number;'],
        ]);
        return withoutDuplicates(this.random, [...members, member], true).includes(member) ? member : [];
    }

    // Uses.

    uses(name) {
        const { random, context } = this;
        const any = this.typed ? ': any' : '';
        const made = context.abstract
            ? `new (class extends ${name} {${this.typed ? ' override' : ''} b = 'made'; })(1)`
            : `new ${name}(${random.pick(['', '1', "'x', undefined"])})`;
        const calls =
            context.privates.length > 0
                ? [
                      `for (const each of Object.getOwnPropertyNames(${name}.prototype ?? {})) if (/\\dp?\\d*$/.test(each) || each.includes('p')) attempt(() => made[each](made));`,
                  ]
                : [];
        return [
            `{`,
            ...indent([
                `let made${any};`,
                `attempt(() => (made = ${made}));`,
                'if (made) {',
                ...indent([
                    'log(Object.keys(made), made);',
                    ...random.some(
                        [
                            'attempt(() => made.a);',
                            "attempt(() => { made.a = 'later'; return made.a; });",
                            'attempt(() => made.m(1));',
                            'attempt(() => [...made.many()]);',
                            'attempt(() => `${made}`);',
                            'attempt(() => made.arrow());',
                            'attempt(() => made.b?.());',
                            `attempt(() => made instanceof ${name});`,
                            'attempt(() => made.later().then((value) => log("later", value)));',
                            'attempt(() => made.above?.());',
                            'attempt(() => made.object());',
                            'attempt(() => made.written());',
                        ],
                        5,
                    ),
                    ...calls,
                ]),
                '}',
                `log(${name});`,
                ...(context.privates.length > 0
                    ? [
                          `for (const each of Object.getOwnPropertyNames(${name})) if (/p\\d+$/.test(each)) attempt(() => (${name}${this.typed ? ' as any' : ''})[each](${random.pick(['made', name, '{}'])}));`,
                      ]
                    : []),
                ...(random.chance(0.5) ? [`attempt(() => (${name}${this.typed ? ' as any' : ''}).s());`] : []),
            ]),
            '}',
        ];
    }
}
