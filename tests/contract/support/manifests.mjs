/** Generates manifests from a seed: valid ones up to the limits, and variants with one or two changes. */
import fc from 'fast-check';
import { dump } from 'js-yaml';

/** Texts with the minimum, the maximum and a random number of characters. */
function text(max, min = 0) {
    const length = fc.oneof(fc.constant(min), fc.constant(max), fc.integer({ min, max: Math.min(max, min + 40) }));
    const unit = fc.oneof({ weight: 5, arbitrary: fc.constant('grapheme-ascii') }, fc.constant('binary'));
    return fc
        .tuple(length, unit)
        .chain(([length, unit]) => fc.string({ unit, minLength: length, maxLength: length }));
}

const word = fc.string({ unit: fc.constantFrom(...'abcdefghij-_'), minLength: 1, maxLength: 12 });
const optional = (fields, required) => fc.record(fields, { requiredKeys: required });
const fewOf = (value, key = word) => fc.dictionary(key, value, { maxKeys: 3 });
const some = (names, minLength = 0) => fc.uniqueArray(fc.constantFrom(...names), { minLength });

const link = fc.oneof(
    { weight: 8, arbitrary: fc.webUrl({ withQueryParameters: true, withFragments: true }) },
    fc.constantFrom(
        'mailto:someone@example.com',
        'https://example.com/K%C3%B6ln',
        'https://example.com/Köln',
        'https://example.com/a b',
        'https://example.com/{id}',
        ' https://example.com',
        'https://example.com/a[0]',
        'https://a@b@example.com/',
        'https://example.com/100%',
        'https://example.com:99999/',
        'https://',
        'http://[::1]:8080/a?b#c',
        'http://[::1/',
        'docs/page',
        '//example.com',
        `https://example.com/${'a'.repeat(2028)}`,
        `https://example.com/${'a'.repeat(2029)}`,
    ),
);

const block = optional(
    {
        id: word,
        title: text(40, 2),
        description: text(150),
        icon: word,
        urlUnfurl: fc.array(word, { maxLength: 3 }),
        markdown: optional({ codeblock: word, body: word }),
    },
    ['id', 'title'],
);
const component = optional({ componentId: word });
const source = optional(
    { id: word, title: text(40, 2), description: text(150), icon: word, configuration: component },
    ['id', 'title', 'configuration'],
);

const described = { title: text(50, 2), description: text(100) };
const typed = (type, fields, required = []) =>
    optional({ type: fc.constant(type), ...described, ...fields }, ['type', ...required]);
const property = fc.oneof(
    typed('string', { default: word, completion_url: word, enum: fc.array(word) }),
    typed('number', { default: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    typed('boolean', { default: fc.boolean() }),
    typed('button', { callback_url: word, button_text: word }, ['callback_url', 'button_text']),
);
const configuration = fc.oneof(
    component,
    optional({ properties: fewOf(property), required: fc.uniqueArray(word) }, ['properties']),
);

/** Generates a manifest that mostly matches the document, with its known names. */
function right({ scopes, categories, target, visibility, runtime, directives }) {
    const secrets = fewOf(text(30));
    const environment = optional({ organization: word, visibility: fc.constantFrom(...visibility), secrets }, []);
    return optional(
        {
            name: fc.constantFrom('m', 'Manifest', '0'),
            title: text(30, 2),
            organization: word,
            script: fc.constant('../main.js'),
            scopes: some(scopes),
            description: text(100),
            summary: text(2048),
            runtime: fc.constantFrom(...runtime),
            icon: fc.constant('../icon.png'),
            previewImages: fc.array(fc.constant('../icon.png'), { maxLength: 3 }),
            visibility: fc.constantFrom(...visibility),
            target: fc.constantFrom(...target),
            categories: some(categories),
            blocks: fc.array(block, { maxLength: 3 }),
            contentSources: fc.array(source, { maxLength: 3 }),
            externalLinks: fc.array(optional({ label: text(20), url: link }), { maxLength: 5 }),
            configurations: optional({ account: configuration, space: configuration, site: configuration }, []),
            secrets,
            contentSecurityPolicy: fc.oneof(word, fewOf(word, fc.constantFrom(...directives, 'future'))),
            envs: fc.dictionary(fc.constantFrom('default', 'other'), environment, { maxKeys: 2 }),
        },
        ['name', 'title', 'organization', 'script', 'scopes'],
    );
}

/** Replacements for any value. */
const odd = fc.oneof(
    fc.constantFrom(null, true, 0, -1.5, '', 'x', 'no', [], {}, ['x'], [null]),
    fc.constantFrom({ x: 'y' }, { x: 1 }, { componentId: 'x' }),
    fc.constantFrom('x.y', '-x', 'future', 'future:read', '../none.png', '../icon.png'),
    fc.constantFrom(1, 2, 30, 31, 40, 41, 50, 51, 100, 101, 150, 151, 2048, 2049).map((length) => '📖'.repeat(length)),
);
/** Changes on which the programs disagree and which random changes seldom find. */
const PARTINGS = [
    ['name', 'x.y'],
    ['name', 'x_y'],
    ['organization', ''],
    ['target', 'future'],
    ['categories', ['future']],
    ['scopes', ['future:read']],
    ['summary', 'a <!-- gitbook-deploy:preview --> b'],
    ['secrets', { A: 'b ${{ secrets.A }}' }],
    ['contentSecurityPolicy', { future: 1 }],
    ['configurations', { site: { componentId: 'x', properties: [] } }],
    ['configurations', { site: { properties: { x: { type: 'future' } } } }],
    ['envs', { other: { visibility: 'future' } }],
];
const change = fc.oneof(
    fc.record({ how: fc.constant('set'), where: fc.nat(), to: odd }),
    fc.constantFrom(...PARTINGS).map(([key, to]) => ({ how: 'put', key, to })),
    fc.record({ how: fc.constant('remove'), where: fc.nat() }),
    fc.record({ how: fc.constant('repeat'), where: fc.nat(), times: fc.constantFrom(2, 3, 4, 5, 6) }),
    fc.record({
        how: fc.constant('add'),
        where: fc.nat(),
        key: fc.constantFrom('future', 'properties', 'componentId', 'required', 'default', 'constructor'),
        to: odd,
    }),
    fc.record({ how: fc.constant('fill'), where: fc.nat(), count: fc.constantFrom(20, 21) }),
);

export function generated(names, seed, count) {
    const changes = fc.oneof(fc.constant([]), fc.array(change, { minLength: 1, maxLength: 2 }));
    const manifest = fc.tuple(right(names), changes).map(([manifest, changes]) => changes.reduce(changed, manifest));
    const made = JSON.stringify(fc.sample(manifest, { seed, numRuns: count }).map(uniquelyNamed));
    return JSON.parse(made); // as a YAML parser returns them
}

/** Makes names unique: two integrations with the same name in one run are an error. */
function uniquelyNamed(manifest, index) {
    const { name } = manifest;
    return typeof name === 'string' && name !== ''
        ? { ...manifest, name: `${name.replace(/-\d+$/, '')}-${index}` }
        : manifest;
}

function changed(manifest, { how, where, to, key, times, count }) {
    if (how === 'put') {
        return { ...manifest, [key]: to };
    }
    const copy = structuredClone(manifest);
    const places = placesOf(copy).filter(({ value }) => {
        switch (how) {
            case 'repeat':
                return Array.isArray(value) && value.length > 0;
            case 'add':
            case 'fill':
                return isMapping(value);
            default:
                return true;
        }
    });
    if (places.length === 0) {
        return copy;
    }
    const { of, at, value } = places[where % places.length];
    switch (how) {
        case 'set':
            of[at] = to;
            break;
        case 'remove':
            Array.isArray(of) ? of.splice(at, 1) : delete of[at];
            break;
        case 'repeat':
            of[at] = Array.from({ length: times }, () => value[0]);
            break;
        case 'add':
            value[key] = to;
            break;
        case 'fill':
            Array.from({ length: count }, (_, index) => (value[`key-${index}`] = 'x'));
            break;
    }
    return copy;
}

export const isMapping = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Lists all values in a value, each with its parent and key. */
export function placesOf(parent) {
    return Object.entries(parent).flatMap(([at, value]) => {
        const below = value !== null && typeof value === 'object' ? placesOf(value) : [];
        return [{ of: parent, at, value }, ...below];
    });
}

/** Returns all copies of a manifest without one of its parts. */
export function smaller(manifest) {
    const all = placesOf(manifest).map((_, where) => changed(manifest, { how: 'remove', where }));
    return all.map(uniquelyNamed);
}

/** Escapes the characters of JSON that are not valid in YAML. */
const json = (manifest, space) =>
    JSON.stringify(manifest, null, space).replace(
        /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );

// The flow style of js-yaml omits quotes that YAML requires: `{a: b:,c}`.
const STYLES = [
    (manifest) => dump(manifest, { noRefs: true }),
    (manifest) => dump(manifest),
    (manifest) => dump(manifest, { forceQuotes: true }),
    (manifest) => dump(manifest, { lineWidth: 20, quotingType: '"' }),
    (manifest) => json(manifest),
    (manifest) => json(manifest, 1),
];

/** Formats the manifest as YAML in one of several styles. */
export const yaml = (manifest, index) => STYLES[index % STYLES.length](manifest);
