/** Loads scripts in workerd, to check that it accepts every script that Node accepts. */
import { Miniflare } from 'miniflare';

/** The globals that programs use, and a handler that imports the scripts in order. */
const MAIN = `
let ticks = 0;
globalThis.log = () => {};
globalThis.tick = () => ++ticks <= 400;
globalThis.attempt = (evaluate) => { try { evaluate(); } catch {} };
export default {
    async fetch(request) {
        const failed = [];
        for (const path of await request.json()) {
            ticks = 0;
            await import(path).catch((error) => failed.push([path, String(error)]));
        }
        return Response.json(failed);
    },
};
`;

/**
 * Returns the errors of loading scripts, by index. The runtime parses all modules of a worker before it starts and stops at
 * the first invalid one; loading each half separately finds it.
 */
export async function loadAll(scripts, indexes = [...scripts.keys()]) {
    const { errors, refused } = await load(scripts, indexes);
    if (refused === undefined) {
        return errors;
    }
    if (indexes.length === 1) {
        return new Map([[indexes[0], refused]]);
    }
    const half = indexes.length >> 1;
    const first = await loadAll(scripts, indexes.slice(0, half));
    return new Map([...first, ...(await loadAll(scripts, indexes.slice(half)))]);
}

async function load(scripts, indexes) {
    const pathOf = (index) => `script-${index}.mjs`;
    const modules = indexes.map((index) => ({ type: 'ESModule', path: pathOf(index), contents: scripts[index] }));
    const output = [];
    const worker = new Miniflare({
        modules: [{ type: 'ESModule', path: 'main.mjs', contents: MAIN }, ...modules],
        compatibilityDate: '2025-05-25',
        compatibilityFlags: ['nodejs_compat'],
        cf: false, // prevents a download
        handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.on('data', (data) => output.push(data))),
    });
    try {
        await worker.ready;
        const body = JSON.stringify(indexes.map((index) => `./${pathOf(index)}`));
        const response = await worker.dispatchFetch('http://localhost/', { method: 'POST', body });
        return {
            errors: new Map(
                (await response.json()).map(([path, error]) => [parseInt(path.match(/\d+/)[0], 10), error]),
            ),
        };
    } catch (error) {
        return { refused: output.join('').match(/\w*Error: .*/)?.[0] ?? String(error) };
    } finally {
        await worker.dispose().catch(() => {}); // fails if the worker has not started
    }
}
