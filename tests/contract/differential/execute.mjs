/** Runs the scripts that the parent process sends, each in its own context, and returns all observable results. */
import vm from 'node:vm';

import { describe, describeError } from './describing.mjs';

/** The time limit for a script and for a pending promise. */
const TIME_LIMIT = 2000;

/** The maximum number of loop iterations of a script. */
const MAX_TICKS = 400;

const MAX_LINES = 2000;

process.on('unhandledRejection', () => {}); // for programs with unhandled promises
process.on('message', async ({ id, script }) => process.send({ id, result: await run(script) }));

async function run(script) {
    const lines = [];
    const log = (...values) => {
        if (lines.length < MAX_LINES) {
            lines.push(values.map((value) => describe(value)).join(' '));
        }
    };
    const timers = [];
    const result = await outcome(script, { ...globals(log), setTimeout: (callback) => timers.push(callback) }, timers);
    return { log: lines, ...result };
}

/** Globals that programs use without declaring them. */
function globals(log) {
    let ticks = 0;
    return {
        log,
        tick: () => ++ticks <= MAX_TICKS,
        /** Logs the value of an expression, or its error. */
        attempt(evaluate) {
            try {
                log(evaluate());
            } catch (error) {
                log('throws', error);
            }
        },
        queueMicrotask,
    };
}

async function outcome(script, names, timers) {
    const context = vm.createContext(names);
    // The source text of a function depends on the bundler, and comparisons with strings would read it.
    vm.runInContext("Function.prototype.toString = () => 'function';", context);
    try {
        const module = new vm.SourceTextModule(script, { context });
        await module.link((specifier) => external(specifier, context));
        await limited(module.evaluate({ timeout: TIME_LIMIT }));
        await settled(timers);
        const exports = described(module.namespace);
        const called = await call(module.namespace.default);
        await settled(timers);
        return { exports, called };
    } catch (error) {
        return { error: describeError(error) };
    }
}

function described(namespace) {
    return Object.fromEntries(Object.keys(namespace).map((name) => [name, valueOf(() => namespace[name])]));
}

function valueOf(read) {
    try {
        return describe(read());
    } catch (error) {
        return `throws ${describe(error)}`;
    }
}

/** Calls the default export if it is a function and not a class. */
async function call(exported) {
    if (typeof exported !== 'function' || /^class\b/.test(Function.prototype.toString.call(exported))) {
        return undefined;
    }
    try {
        return describe(await limited(exported()));
    } catch (error) {
        return `throws ${describe(error)}`;
    }
}

/** Runs all timers in order, without their delays, until no timer is left. */
async function settled(timers) {
    do {
        await new Promise((resolve) => setImmediate(resolve));
        try {
            timers.shift()?.();
        } catch {
            // Nothing else observes an error in a timer.
        }
    } while (timers.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
}

async function limited(promise) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('time limit exceeded')), TIME_LIMIT);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

/** Loads a built-in module of Node, which the bundlers leave to the runtime. */
async function external(specifier, context) {
    const real = await import(specifier);
    const names = Object.keys(real);
    const copy = function () {
        names.forEach((name) => this.setExport(name, real[name]));
    };
    return new vm.SyntheticModule(names, copy, { context });
}
