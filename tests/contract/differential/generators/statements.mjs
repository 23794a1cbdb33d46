/**
 * Randomly nested statements with few names: hoisting, shadowing, `switch`, `try` and labels. All areas have every statement,
 * and each prefers its own.
 */
import { indent, moduleAround } from './files.mjs';

/** Few names, so that they shadow each other; minifiers choose these names first. */
const NAMES = ['a', 'b', 'c', 'e', 't', 'n'];
const LABELS = ['one', 'two', 'a', 'e'];
const MAX_DEPTH = 4;

const COMMON = {
    log: 18,
    assign: 7,
    variable: 5,
    branch: 6,
    shortCircuit: 3,
    loop: 5,
    block: 2,
    switch: 2,
    try: 2,
    label: 2,
    jump: 4,
    closure: 3,
    destructure: 2,
    dead: 1,
    innerClass: 1,
    arguments: 1,
    empty: 1,
};

const program = (area, weights, shape = {}) => ({
    area,
    generate: (random) => new Statements(random, { ...COMMON, ...weights }, shape).program(),
});

export const areas = [
    program('hoisting', { variable: 14, dead: 6, functionInBlock: 12, block: 6, arguments: 2 }, { functions: 3 }),
    program('shadowing', { block: 8, closure: 8, destructure: 4, innerClass: 4, try: 4, variable: 2 }, { lexical: 3 }),
    program('switch', { switch: 16, jump: 10, functionInBlock: 2 }),
    program('try', { try: 16, jump: 10, throw: 8 }),
    program('labels', { label: 16, loop: 10, jump: 16 }),
];

class Statements {
    constructor(random, weights, { functions = 1, lexical = 1 }) {
        Object.assign(this, { random, weights, functions, lexical, lines: 0 });
        // Only CommonJS can be sloppy code, which hoists functions in blocks as variables.
        this.kind = random.pick(['ts', 'js', 'commonjs', 'commonjs', 'strict commonjs']);
        this.sloppy = this.kind === 'commonjs';
    }

    program() {
        const { random } = this;
        const top = this.scope(null, { isFunction: true, top: true });
        const body = random.chance(0.5) ? this.body(top, random.between(10, 18)) : this.functionAndCall(top);
        const lines = ['const later = [];', ...body, "later.forEach((read) => log('later', read()));"];
        return moduleAround(random, this.kind, lines);
    }

    functionAndCall(top) {
        const name = 'main';
        return [...this.functionNamed(name, top, 16), `attempt(() => ${name}(1, 'two'));`, `attempt(() => ${name}());`];
    }

    // Scopes. Lexical names are chosen before a block is written, so that most uses come after the declaration, and so
    // that a `var` is never hoisted through a block that declares its name.

    scope(above, { isFunction = false, params = [], ...more } = {}) {
        const { random } = this;
        const inherited = isFunction ? { loops: [], labels: [], inSwitch: false, safe: false } : above;
        const { loops, labels, inSwitch, safe } = inherited;
        const lexical = new Map();
        const depth = above ? above.depth + 1 : 0;
        const scope = {
            above,
            isFunction,
            lexical,
            loops,
            labels,
            inSwitch,
            safe,
            depth,
            functions: new Map(),
            ...more,
        };
        scope.owner = isFunction ? scope : above.owner;
        if (isFunction) {
            scope.params = params;
            scope.vars = new Set(random.some(NAMES, random.between(1, 3)));
            scope.written = new Set();
        }
        for (const name of random.some(NAMES, random.between(0, this.lexical))) {
            const taken = isFunction && (scope.vars.has(name) || params.includes(name));
            if (!taken && !more.taken?.includes(name)) {
                lexical.set(name, random.pick(['let', 'let', 'const']));
            }
        }
        return scope;
    }

    /** Returns true if a scope may contain a `var`: no scope between it and its function declares the name. */
    mayDeclare(name, scope) {
        for (let each = scope; each; each = each.above) {
            const declared = each.lexical.has(name) || (each.taken?.includes(name) && !each.simple);
            if (declared || (each.functions.has(name) && !each.isFunction)) {
                return false;
            }
            if (each.isFunction) {
                return each.vars.has(name) && !(each.functions.has(name) && each.top && !this.sloppy);
            }
        }
        return false;
    }

    /** Returns the usable names, with the kind of each. */
    visible(scope) {
        const found = new Map();
        for (let each = scope; each; each = each.above) {
            const own = [
                ...[...each.lexical].filter(([name]) => each.declared?.has(name)),
                ...each.functions,
                ...(each.taken ?? []).map((name) => [name, 'let']),
                ...(each.isFunction ? [...each.vars, ...each.params].map((name) => [name, 'var']) : []),
            ];
            const hidden = [...each.lexical.keys()].filter((name) => !each.declared?.has(name));
            own.filter(([name]) => !found.has(name)).forEach(([name, kind]) => found.set(name, kind));
            hidden.filter((name) => !found.has(name)).forEach((name) => found.set(name, undefined));
        }
        return [...found].filter(([, kind]) => kind);
    }

    name(scope, fits = () => true) {
        const names = this.visible(scope).filter(([, kind]) => fits(kind));
        return names.length > 0 ? this.random.pick(names)[0] : undefined;
    }

    // Expressions that do not make a value much longer, because loops repeat them.

    value(scope, depth = 0) {
        const { random } = this;
        const name = this.name(scope);
        const simple = () =>
            random.pick(['0', '1', '2', "''", "'x'", 'true', 'false', 'null', 'undefined', '-0', 'NaN']);
        if (name === undefined || depth > 2) {
            return simple();
        }
        const below = () => this.value(scope, depth + 1);
        const written = this.name(scope, (kind) => kind !== 'const' && kind !== 'function');
        return random.pick([
            simple,
            () => name,
            () => name,
            () => `typeof ${name}`,
            () => `(${name} ${random.pick(['===', '!=', '==', '<', '>='])} ${below()})`,
            () => `(${name} ? ${below()} : ${below()})`,
            () => `(${name} ${random.pick(['&&', '||', '??'])} ${below()})`,
            () => `(log('seen', ${name}), ${below()})`,
            () => `!${name}`,
            () => `[${name}, ${below()}].length`,
            () => this.called(name),
            () => (written ? `(${written} = ${below()})` : name),
            () => (written ? `${written}${random.pick(['++', '--'])}` : name),
        ])();
    }

    called(name) {
        return `(typeof ${name} === 'function' && tick() ? ${name}(${this.random.pick(['', '1', "'x', 2"])}) : 3)`;
    }

    // Statements.

    /** Writes statements with the declarations `functions` among them. */
    body(scope, count, functions = []) {
        const { random } = this;
        scope.declared = new Set();
        functions.push(...random.list(0, scope.isFunction ? this.functions : 0, () => this.functionDeclaration(scope)));
        const pending = [...scope.lexical];
        const statements = random.list(1, Math.max(1, count), () => {
            const [next] = pending;
            if (next && random.chance(0.6)) {
                pending.shift();
                return this.declaration(next, scope);
            }
            return this.statement(scope);
        });
        const rest = pending.map((next) => this.declaration(next, scope));
        // Functions are hoisted from any position.
        const all = [...statements, ...rest, [`log(${this.names(scope)});`]];
        const missing = [...(scope.vars ?? [])].filter(
            (name) => !scope.written.has(name) && !scope.functions.has(name),
        );
        const hoisted = [...functions, ...missing.map((name) => [`var ${name};`])];
        hoisted.forEach((lines) => all.splice(random.below(all.length + 1), 0, lines));
        return all.flat();
    }

    names(scope) {
        const names = this.random.some(this.visible(scope), 3).map(([name]) => name);
        return [`'${this.next()}'`, ...names].join(', ');
    }

    next() {
        return `s${++this.lines}`;
    }

    declaration([name, kind], scope) {
        const early = this.random.chance(0.15) ? [`attempt(() => ${name});`] : [];
        const value = this.value(scope);
        scope.declared.add(name);
        return [...early, kind === 'let' && this.random.chance(0.2) ? `let ${name};` : `${kind} ${name} = ${value};`];
    }

    statement(scope) {
        const { random } = this;
        const deep = scope.depth >= MAX_DEPTH || this.lines > 80;
        for (;;) {
            const kind = random.weighted(this.weights);
            if (deep && NESTED.has(kind)) {
                continue;
            }
            const lines = this[kind](scope);
            if (lines) {
                return lines;
            }
        }
    }

    block(scope, more) {
        const inner = this.scope(scope, more);
        return ['{', ...indent(this.body(inner, this.random.between(1, 3))), '}'];
    }

    /** Writes a block after a head such as `if (a)` or `else`; sometimes a single statement without braces. */
    headed(head, scope, more = {}) {
        if (this.random.chance(0.3)) {
            const [only, ...rest] = this[this.random.pick(['log', 'assign', 'jump'])](this.bare(scope, more)) ?? ['{}'];
            return rest.length > 0 ? [head, ...indent([only, ...rest])] : [`${head} ${only}`];
        }
        const [open, ...rest] = this.block(scope, more);
        return [`${head} ${open}`, ...rest];
    }

    /** Returns a scope that declares nothing, for a statement without a block. */
    bare(scope, more) {
        const inner = this.scope(scope, more);
        inner.lexical = new Map();
        return inner;
    }

    log(scope) {
        return [`log(${this.names(scope)}, ${this.value(scope)});`];
    }

    assign(scope) {
        const name = this.name(scope, (kind) => kind === 'var' || kind === 'let');
        const operator = this.random.pick(['=', '=', '=', '&&=', '||=', '??=']);
        return name && [`${name} ${operator} ${this.value(scope)};`];
    }

    variable(scope) {
        const names = [...scope.owner.vars].filter((name) => this.mayDeclare(name, scope));
        if (names.length === 0) {
            return undefined;
        }
        const name = this.random.pick(names);
        scope.owner.written.add(name);
        return [this.random.chance(0.25) ? `var ${name};` : `var ${name} = ${this.value(scope)};`];
    }

    branch(scope) {
        const lines = this.headed(`if (${this.value(scope)})`, scope);
        if (!this.random.chance(0.5)) {
            return lines;
        }
        const head = this.random.chance(0.3) ? `else if (${this.value(scope)})` : 'else';
        return [...lines, ...this.headed(head, scope)];
    }

    shortCircuit(scope) {
        const operator = this.random.pick(['&&', '||', '??']);
        return [`${this.value(scope)} ${operator} log(${this.names(scope)});`];
    }

    loop(scope, label) {
        const { random } = this;
        const id = label ?? Symbol('loop');
        const inner = { loops: [...scope.loops, id], inSwitch: false };
        const [counter] = random.some(NAMES, 1);
        const kind = this.mayDeclare(counter, scope) && random.chance(0.4) ? 'var' : 'let';
        const taken = kind === 'let' ? [counter] : [];
        const more = { ...inner, taken };
        // The minifier drops a `let` that is read before its declaration.
        const element = kind === 'let' ? 'null' : this.value(scope);
        return random.pick([
            () => this.headed(`for (${kind} ${counter} = 0; tick() && ${counter} < 3; ${counter}++)`, scope, more),
            () => this.headed(`for (${kind} ${counter} of [1, 'x', ${element}])`, scope, more),
            () => this.headed(`for (${kind} ${counter} in { p: 1, q: 2 })`, scope, more),
            () => this.headed(`for (${kind} [${counter} = 5] of [[1], []])`, scope, more),
            () => this.headed(`while (tick() && ${this.value(scope)})`, scope, inner),
            () => this.doLoop(scope, inner),
        ])();
    }

    doLoop(scope, inner) {
        const [open, ...rest] = this.block(scope, inner);
        const lines = [`do ${open}`, ...rest];
        lines.push(`${lines.pop()} while (tick() && ${this.value(scope)});`);
        return lines;
    }

    switch(scope) {
        const { random } = this;
        const inner = this.scope(scope, { inSwitch: true });
        inner.declared = new Set();
        inner.lexical = new Map([...inner.lexical].slice(0, 1));
        const subject = this.value(scope);
        const values = random.some(['0', '1', '2', "'x'", 'null', 'undefined', this.value(inner), 'NaN'], 3);
        const clauses = random.shuffled([
            ...values.map((value) => `case ${value}:`),
            random.pick(['default:', 'case -0:']),
        ]);
        const [declared] = inner.lexical;
        const lines = clauses.flatMap((clause, index) => {
            const own = index === 0 && declared ? this.declaration(declared, inner) : [];
            const statements = random.list(0, 2, () => this.statement(inner)).flat();
            const end = random.chance(0.4) ? ['break;'] : [];
            // A `case` that skips a declaration of the `switch` cannot use its name.
            inner.declared = new Set();
            return [clause, ...indent([...own, ...statements, ...end])];
        });
        return [`switch (${subject}) {`, ...indent(lines), '}'];
    }

    try(scope) {
        const { random } = this;
        const [opening, ...body] = this.block(scope, { safe: true });
        const lines = [`try ${opening}`, ...body];
        const [caught] = random.some(NAMES, 1);
        // A `var` may have the name of the `catch` parameter if that is not a pattern.
        const [head, more] = random.pick([
            ['catch', {}],
            [`catch (${caught})`, { taken: [caught], simple: true }],
            [`catch ({ name: ${caught} = 'none' })`, { taken: [caught] }],
        ]);
        const parts = random.pick([['catch'], ['catch'], ['catch', 'finally'], ['finally']]);
        if (parts.includes('catch')) {
            const [open, ...rest] = this.block(scope, more);
            lines.push(`${lines.pop()} ${head} ${open}`, ...rest);
        }
        if (parts.includes('finally')) {
            const [open, ...rest] = this.block(scope);
            lines.push(`${lines.pop()} finally ${open}`, ...rest);
        }
        return lines;
    }

    label(scope) {
        const { random } = this;
        const free = LABELS.filter((label) => !scope.labels.includes(label));
        if (free.length === 0) {
            return undefined;
        }
        const label = random.pick(free);
        const labelled = { labels: [...scope.labels, label] };
        const inner = { ...scope, ...labelled };
        const lines = random.pick([
            () => this.loop(inner, label),
            () => this.loop(inner, label),
            () => this.block(inner, labelled),
            () => this.switch(inner),
            () => this.branch(inner),
            () => this.try(inner),
        ])();
        return [`${label}: ${lines[0]}`, ...lines.slice(1)];
    }

    jump(scope) {
        const { loops, labels, inSwitch, owner, safe } = scope;
        const loopLabels = loops.filter((loop) => typeof loop === 'string');
        const jumps = [
            ...(loops.length > 0 || inSwitch ? ['break;'] : []),
            ...(loops.length > 0 ? ['continue;'] : []),
            ...labels.flatMap((label) => [`break ${label};`, `break ${label};`]),
            ...loopLabels.flatMap((label) => [`continue ${label};`, `continue ${label};`]),
            ...(owner.top ? [] : [`return ${this.value(scope)};`]),
            ...(safe ? [`throw ${this.thrown(scope)};`] : []),
        ];
        if (jumps.length === 0) {
            return undefined;
        }
        const jump = this.random.pick(jumps);
        return scope.isFunction || this.random.chance(0.6) ? [`if (${this.value(scope)}) ${jump}`] : [jump];
    }

    throw(scope) {
        return scope.safe ? [`throw ${this.thrown(scope)};`] : undefined;
    }

    thrown(scope) {
        return this.random.pick([this.value(scope), `new Error('${this.next()}')`, '{ message: undefined }']);
    }

    closure(scope) {
        const name = this.name(scope);
        // A minifier may drop a default that reads its own parameter and throws.
        const value = this.value(scope);
        const other = value.match(/\w+/g)?.includes(name) ? '1' : value;
        return (
            name && [
                this.random.pick([
                    `later.push(() => ${name});`,
                    `later.push(function () { return typeof ${name}; });`,
                    `later.push((${name} = ${other}) => ${name});`,
                    `log((function ${name}() { return typeof ${name}; })());`,
                    `log(((${name}) => ${name})(${this.value(scope)}));`,
                ]),
            ]
        );
    }

    destructure(scope) {
        const [one, two] = this.random.some(
            this.visible(scope).filter(([, kind]) => kind !== 'const'),
            2,
        );
        if (!two) {
            return undefined;
        }
        const [first, second] = [one[0], two[0]];
        return [
            this.random.pick([
                `[${first}, ${second}] = [${second}, ${first}];`,
                `({ p: ${first} = ${this.value(scope)}, ...${second} } = { p: undefined, q: 1 });`,
                `[${first} = ${this.value(scope)}, ...${second}] = [];`,
            ]),
        ];
    }

    /** Writes code that never runs. It can still declare variables, except in modules, where esbuild 0.17 drops them. */
    dead(scope) {
        if (scope.owner.top) {
            return undefined;
        }
        const [open, ...rest] = this.block(this.bare(scope, {}));
        return [`if (${this.random.pick(['false', '0', "''", "typeof log === 'number'"])}) ${open}`, ...rest];
    }

    innerClass(scope) {
        const [name] = this.random.some(NAMES, 1);
        const used = this.name(scope) ?? '1';
        return [
            `log(class ${name} { static read() { return [typeof ${name}, ${used === name ? 0 : used}]; } }.read());`,
        ];
    }

    arguments({ owner }) {
        return owner.top ? undefined : ['log(arguments.length, arguments[0]);'];
    }

    empty() {
        return [this.random.pick([';', '{}', "'text';", '0;'])];
    }

    // Functions.

    functionDeclaration(scope) {
        const free = NAMES.filter((name) => !scope.lexical.has(name) && !scope.functions.has(name));
        // A function and a variable or parameter with the same name are one variable. TypeScript and the top level of a module
        // reject this.
        const [name] = this.random.some(free, 1);
        const taken = scope.vars.has(name) || scope.params.includes(name);
        if (!name || (taken && (this.kind === 'ts' || (scope.top && !this.sloppy)))) {
            return [];
        }
        scope.functions.set(name, 'function');
        return this.functionNamed(name, scope, 3);
    }

    /**
     * A function in a block. Sloppy code can also use it outside, except under the name of an outer `catch` parameter or a
     * function parameter: esbuild assigns the function to that variable.
     */
    functionInBlock(scope) {
        const [name] = this.random.some(
            NAMES.filter((each) => !this.isCaught(each, scope)),
            1,
        );
        const inner = this.scope(scope, {});
        inner.lexical.delete(name);
        inner.functions.set(name, 'function');
        const body = this.body(inner, 2, [this.functionNamed(name, inner, 2)]);
        const outside = this.sloppy ? [`attempt(() => typeof ${name});`] : [];
        return ['{', ...indent(body), '}', ...outside];
    }

    isCaught(name, scope) {
        const caught = (scope.simple && scope.taken.includes(name)) || scope.params?.includes(name);
        return caught || (!scope.isFunction && this.isCaught(name, scope.above));
    }

    functionNamed(name, scope, count) {
        const { random } = this;
        const params = random.some(NAMES, random.between(0, 2));
        const inner = this.scope(scope, { isFunction: true, params });
        const head = params.map((param, index) =>
            index > 0 && random.chance(0.4) ? `${param} = ${random.pick(['1', params[0]])}` : param,
        );
        if (this.lines > 80 || inner.depth > MAX_DEPTH) {
            return [`function ${name}(${head.join(', ')}) { log('${this.next()}'); return ${params[0] ?? 1}; }`];
        }
        const types = this.kind === 'ts' ? head.map((param) => param.replace(/^\w+/, (text) => `${text}: any`)) : head;
        const optional =
            this.kind === 'ts' ? types.map((param) => (param.includes('=') ? param : param.replace(':', '?:'))) : types;
        return [`function ${name}(${optional.join(', ')}) {`, ...indent(this.body(inner, count)), '}'];
    }
}

const NESTED = new Set(['branch', 'loop', 'block', 'switch', 'try', 'label', 'dead', 'functionInBlock']);
