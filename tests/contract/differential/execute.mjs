/** Runs scripts that its parent sends, each in a context of its own, and answers with all that can be seen of a run. */
import vm from 'node:vm';

import { describe, describeError } from './describing.mjs';

/** A script that still runs then is cut off, and so is a promise that is not settled. */
const TIME_LIMIT = 2000;

/** Loops ask whether they may go on; so many answers are yes. */
const MAX_TICKS = 400;

const MAX_LINES = 2000;

process.on('unhandledRejection', () => {}); // of programs that forget a promise
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

/** The names that programs use and do not declare. */
function globals(log) {
    let ticks = 0;
    return {
        log,
        tick: () => ++ticks <= MAX_TICKS,
        /** Logs the value of an expression, or how it fails. */
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
    // A function's text is the bundler's, and comparisons read it.
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

/** Calls the default export, where it is a function that is no class. */
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

/** Waits until nothing is left to do; timers go off one after the other, whatever their time. */
async function settled(timers) {
    do {
        await new Promise((resolve) => setImmediate(resolve));
        try {
            timers.shift()?.();
        } catch {
            // As nobody would see it.
        }
    } while (timers.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
}

async function limited(promise) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('the time limit is over')), TIME_LIMIT);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

/** A module of Node's own, as `external` leaves it to the runtime. */
async function external(specifier, context) {
    const real = await import(specifier);
    const names = Object.keys(real);
    const copy = function () {
        names.forEach((name) => this.setExport(name, real[name]));
    };
    return new vm.SyntheticModule(names, copy, { context });
}
