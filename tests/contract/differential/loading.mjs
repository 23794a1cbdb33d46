/** Loads scripts in workerd, to see whether it takes what Node takes. */
import { Miniflare } from 'miniflare';

/** Imports each script after the other; with the new registry, one that fails takes no other with it. */
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

/** Returns the errors that scripts end with while they are loaded, by their index. */
export async function loadAll(scripts) {
    const paths = scripts.map((_, index) => `./script-${index}.mjs`);
    const modules = scripts.map((contents, index) => ({ type: 'ESModule', path: paths[index].slice(2), contents }));
    const worker = new Miniflare({
        modules: [{ type: 'ESModule', path: 'main.mjs', contents: MAIN }, ...modules],
        compatibilityDate: '2025-05-25',
        compatibilityFlags: ['nodejs_compat', 'new_module_registry', 'experimental'],
        cf: false, // or it is fetched from the internet
        handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.resume()),
    });
    try {
        const response = await worker.dispatchFetch('http://localhost/', { method: 'POST', body: JSON.stringify(paths) });
        return new Map((await response.json()).map(([path, error]) => [paths.indexOf(path), error]));
    } finally {
        await worker.dispose();
    }
}
