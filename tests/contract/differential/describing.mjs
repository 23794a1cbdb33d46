/** Describes values for comparison: shapes, keys and kinds, but not names that a minifier may change. */

const MAX_DEPTH = 6;

/** Describes any value; distinguishes -0 from 0, and functions by kind and arity. */
export function describe(value, above = []) {
    switch (typeof value) {
        case 'string':
            return JSON.stringify(value);
        case 'number':
            return Object.is(value, -0) ? '-0' : String(value);
        case 'bigint':
            return `${value}n`;
        case 'function':
            return describeFunction(value, above);
        case 'object':
            return value === null ? 'null' : describeObject(value, above);
        default:
            return String(value);
    }
}

function describeObject(value, above) {
    if (above.includes(value)) {
        return '(circular)';
    }
    if (above.length >= MAX_DEPTH) {
        return '(deep)';
    }
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    if (tag === 'Error') {
        return describeError(value);
    }
    if (tag === 'RegExp' || tag === 'Date') {
        return String(value);
    }
    const own = describeOwn(
        value,
        Reflect.ownKeys(value).filter((key) => key !== 'stack'),
        [...above, value],
    );
    if (Array.isArray(value)) {
        return `[${own.filter((text) => !text.startsWith('~length')).join(', ')}]`;
    }
    return `${tag === 'Object' ? '' : tag}{${own.join(', ')}}`;
}

/** Describes a function or class, including static members and members of the prototype. */
function describeFunction(value, above) {
    if (above.includes(value) || above.length >= MAX_DEPTH) {
        return '(function)';
    }
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
    const below = [...above, value];
    const own = Reflect.ownKeys(value).filter((key) => !ofEveryFunction.has(key));
    const parts = describeOwn(value, own, below);
    // The prototype of a class cannot be replaced. The prototypes of generators have no relevant members.
    if (prototype?.writable === false) {
        const members = Reflect.ownKeys(prototype.value).filter((key) => key !== 'constructor');
        parts.push(...describeOwn(prototype.value, members, below).map((text) => `#${text}`));
    }
    const name = prototype?.writable === false ? 'class' : kind;
    return `(${name}/${describe(value.length, below)}${parts.length > 0 ? ` ${parts.join(', ')}` : ''})`;
}

const ofEveryFunction = new Set(['length', 'name', 'prototype', 'arguments', 'caller']);

function describeOwn(value, keys, above) {
    return keys.map((key) => {
        const { enumerable, get, set } = Object.getOwnPropertyDescriptor(value, key);
        // An enumerable accessor, as in namespaces, is described by its value.
        const accessor = (get || set) && !enumerable;
        const content = accessor ? [get && 'get', set && 'set'].filter(Boolean).join('/') : read(value, key, above);
        return `${enumerable ? '' : '~'}${String(key)}: ${content}`;
    });
}

function read(value, key, above) {
    try {
        return describe(value[key], above);
    } catch (error) {
        return `throws ${describe(error, above)}`;
    }
}

/** Describes a thrown value. */
export function describeError(error) {
    if (Object.prototype.toString.call(error) !== '[object Error]') {
        return describe(error);
    }
    const { name, message } = error;
    return `${typeof name === 'string' ? name : describe(name)}: ${WORDINGS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), String(message))}`;
}

/** Removes source text from the engine's messages, because minifiers change names and expressions. */
const WORDINGS = [
    // esbuild compiles private members to weak maps, which have other messages.
    [
        /^(Cannot (read|write|access|initialize|add) .*private .*|.* (private|brand).*|member\.\w+ is not a function)$/s,
        'a private member',
    ],
    [
        /^.* (is not (a function|a constructor|iterable|an object|a function or its return value is not iterable))\b.*$/s,
        '… $1',
    ],
    [/^Cannot access '.*' before initialization$/s, "Cannot access '…' before initialization"],
    [/^Cannot use (the "in"|'in') operator .*$/s, 'Cannot use `in`'],
    [/^Class constructor(s| \S*) cannot/, 'Class constructor … cannot'],
    [/^Class extends value .* is not/s, 'Class extends value … is not'],
    [/^(Cannot destructure( property)?) (?:('[^']*') of )?'.*' as it is (undefined|null)\.$/s, '$1 $3 as it is $4'],
    [/#<.*>/s, '#<…>'],
    [/ of function '.*'$/s, ' of function …'],
    [/^Right-hand side of '(\w+)' is not .*$/s, "Right-hand side of '$1' is wrong"],
];
