/**
 * JSX: texts, attributes, spreads, keys, fragments, and the settings for the functions that create elements.
 *
 * Every element is used: the creation of an unused one depends on the bundler, the setting and the place. Not generated: the
 * pragma `@jsxRuntime automatic`, because TypeScript uses another package for it than for the setting, and expressions with
 * a comma, which are a syntax error in JSX but not with esbuild 0.17.
 */
import { indent } from './files.mjs';

export const areas = [{ area: 'JSX', generate: (random) => new Jsx(random).program() }];

const MAX_DEPTH = 3;

const runtime = (name) => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({
        name,
        exports: { '.': './index.js', './jsx-runtime': './jsx.js', './jsx-dev-runtime': './jsx.js' },
    }),
    [`node_modules/${name}/jsx.js`]: `
export const Fragment = '${name} fragment';
export const jsx = (type, props, ...more) => (log('jsx', type, props, ...more), { made: '${name} jsx', type, props, more });
export const jsxs = (type, props, ...more) => (log('jsxs', type, props, ...more), { made: '${name} jsxs', type, props, more });
`,
    [`node_modules/${name}/index.js`]: `
export const Fragment = '${name} fragment of the root';
export const createElement = (type, props, ...more) => (log('createElement', type, props, more), { made: '${name} element', type, props, more });
`,
});

const SETTINGS = [
    undefined,
    undefined,
    undefined,
    {},
    { jsx: 'react-jsx' },
    { jsx: 'react-jsx', jsxImportSource: 'other-runtime' },
    { jsx: 'react' },
    { jsx: 'react', jsxFactory: 'make' },
    { jsx: 'react', jsxFactory: 'space.make', jsxFragmentFactory: 'space.Part' },
    { jsxImportSource: 'other-runtime' },
];

const PRAGMAS = [
    '/** @jsx make */',
    '/* @jsx space.make @jsxFrag space.Part */',
    '/** @jsxImportSource other-runtime */',
    '/** @jsxRuntime classic */',
    '// @jsx make',
];

class Jsx {
    constructor(random) {
        Object.assign(this, { random, count: 0 });
    }

    program() {
        const { random } = this;
        const entry = random.pick(['main.tsx', 'main.tsx', 'main.jsx']);
        this.typed = entry.endsWith('.tsx');
        const elements = random.list(3, 7, () => this.use(this.element(0)));
        const lines = [
            ...(random.chance(0.2) ? [random.pick(PRAGMAS)] : []),
            ...(random.chance(0.3) ? ["import Part, { Shown } from './part';"] : []),
            `const at = (value${this.typed ? ': any' : ''}) => (log('at', value), value);`,
            `const make = (type, props, ...more) => (log('make', type, props, more), { type, props, more });`,
            "const space = { make, Part: 'part of the space', deep: { Inner: 'inner' } };",
            "const React = { createElement: make, Fragment: 'React fragment' };",
            `const Shape = (${this.typed ? 'props: any' : 'props'}) => props;`,
            "const spread = { s: 1, key: 'spread key', g: 2 };",
            'const list = [1, 2];',
            'const $ = Shape, _x = Shape, é = Shape;',
            ...elements.flat(),
            this.component(),
            'export default () => <Last one={1}>{at(2)}</Last>;',
        ];
        const files = { [entry]: `${lines.join('\n')}\n`, ...runtime('@gitbook/runtime'), ...runtime('other-runtime') };
        if (lines.some((line) => line.includes("'./part'"))) {
            files[entry] += 'attempt(() => <Part a={at(1)}><Shown /></Part>);\n';
            files['part.tsx'] =
                "const make = (...all: any[]) => all, space = { make, Part: 1 }, React = { createElement: make, Fragment: 2 };\nexport default function Part(props: any) { return <>{props.children}<b key='x' /></>; }\nexport const Shown = () => <div class='a b' />;\nlog(<Part>text</Part>);\n";
        }
        const settings = random.pick(SETTINGS);
        if (settings) {
            files['tsconfig.json'] = JSON.stringify({ compilerOptions: settings });
        }
        return { entry, files };
    }

    component() {
        const param = this.typed ? '{ children, ...props }: any' : '{ children, ...props }';
        return `function Last(${param}) { return <Shape {...props}>{children}</Shape>; }`;
    }

    use(lines) {
        const { random } = this;
        const [first, ...rest] = lines;
        const wrap = (before, after) =>
            rest.length > 0 ? [before + first, ...rest.slice(0, -1), rest.at(-1) + after] : [before + first + after];
        return random.pick([
            () => wrap('attempt(() => ', ');'),
            () => wrap('attempt(() => ', ');'),
            () => wrap(`log(at(1) && `, ');'),
            () => {
                const kept = `kept${++this.count}`;
                return [...wrap(`const ${kept} = `, ';'), `log(${kept});`];
            },
            () => wrap('attempt(() => list.map((one' + (this.typed ? ': any' : '') + ') => ', '));'),
            () => wrap('log(', ');'),
            () => wrap('attempt(() => { if (list) return ', '; });'),
        ])();
    }

    tag() {
        return this.random.pick([
            'div',
            'my-tag',
            'Shape',
            'space.Part',
            'space.deep.Inner',
            'Shape',
            'b',
            '$',
            '_x',
            'é',
            'svg:rect',
            'i',
            'space.make',
            'block',
            'data',
        ]);
    }

    element(depth) {
        const { random } = this;
        if (random.chance(0.15)) {
            return this.children('<>', '</>', depth);
        }
        const tag = this.tag();
        const typeArguments = this.typed && tag === 'Shape' && random.chance(0.2) ? '<string>' : '';
        const all = random.list(0, 4, () => this.attribute(depth));
        // tsc accepts only one `key`.
        const isFirstKey = (one, index) => !one.startsWith('key=') || all.findIndex((other) => other.startsWith('key=')) === index;
        const attributes = all.filter(isFirstKey).join(random.pick([' ', ' ', '\n  ']));
        const open = `<${tag}${typeArguments}${attributes && ` ${attributes}`}`;
        return depth >= MAX_DEPTH || random.chance(0.3)
            ? [`${open}${random.pick([' ', ''])}/>`]
            : this.children(`${open}>`, `</${tag}>`, depth);
    }

    children(open, close, depth) {
        const { random } = this;
        const all = random.list(0, 4, () => this.child(depth));
        return random.chance(0.5)
            ? [open, ...indent(all.flat()), close]
            : [`${open}${all.map((lines) => lines.join('\n')).join(random.pick(['', ' ']))}${close}`];
    }

    child(depth) {
        const { random } = this;
        const inline = () => this.element(depth + 1).join('\n');
        return random.pick([
            () => this.element(depth + 1),
            () => this.element(depth + 1),
            () => [
                random.pick([
                    'text',
                    '  spaces  inside  ',
                    'two',
                    'a &amp; b',
                    '&nbsp;',
                    '&lt;&#65;&#x42;&unknown;',
                    '"quotes" \'single\'',
                    'back\\slash \\n',
                    'ünï cödé 😀',
                    '// no comment',
                    '/* none */',
                    '&copy;&#x1F600;',
                    'trailing ',
                    '\ttab\t',
                    '`$`',
                    ', . ; :',
                    '&quot;&apos;&#39;',
                    'a\n\n   b',
                    '  \n  ',
                    '0',
                ]),
            ],
            () => [
                `{${random.pick(["at('child')", '1', "'text'", 'null', 'false', 'list', '-0', '[]', '`t`', 'list', '/* comment */', "' '", 'void 0', '({ a: 1 }).a', '() => 1', '12'])}}`,
            ],
            () => [`{at(0) ? ${inline()} : ${inline()}}`],
            () => [`{list.map((each) => <li key={each}>{each}</li>)}`],
            () => [`{/* only a comment */}`],
            () => ['{}'],
        ])();
    }

    attribute(depth) {
        const { random } = this;
        const id = ++this.count;
        const name = random.pick([
            'a',
            'data-x',
            'className',
            'xlink:href',
            `p${id}`,
            'aria-label',
            '_u',
            '$d',
            'if',
            'class',
            'constructor',
            'onClick',
            'ref',
            'children',
            '__proto__x',
            'a',
        ]);
        const value = random.pick([
            `"text"`,
            `'single "quotes"'`,
            `"&amp;&lt;&#65;&nbsp;&unknown"`,
            `"back\\slash"`,
            `"two\n   lines"`,
            '{1}',
            `{at('attribute ${id}')}`,
            '{{ a: 1 }}',
            '{list}',
            '{() => 1}',
            '{-0}',
            `{\`t\${1}\`}`,
            '{true}',
            '{null}',
            '""',
            `'é😀'`,
            "{'<'}",
        ]);
        return random.pick([
            () => name,
            () => `${name}=${value}`,
            () => `${name}=${value}`,
            () => `${name} = ${value}`,
            () => `{...spread}`,
            () => `{...at({ s${id}: 1 })}`,
            () => `{...{ a: at('inner'), b: 2 }}`,
            () => `key={at('key ${id}')}`,
            () => `key="k${id}"`,
            () => (depth < 2 ? `${name}={${this.element(depth + 2).join('\n')}}` : name),
            () => `/* comment */ ${name}`,
        ])();
    }
}
