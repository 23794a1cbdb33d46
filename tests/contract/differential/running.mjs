/** Runs scripts in child processes, each script in a context of its own; one that never ends takes no other with it. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const EXECUTE = fileURLToPath(new URL('execute.mjs', import.meta.url));
const PROCESSES = 2;

/** A child that is silent for so long hangs in a loop. */
const SILENCE = 10_000;

/** Runs scripts and returns a result for each: `{ log, exports, called }` or `{ log, error }`. */
export async function runAll(scripts) {
    const results = new Array(scripts.length);
    const left = [...scripts.keys()].reverse();
    await Promise.all(Array.from({ length: PROCESSES }, () => runSome(scripts, left, results)));
    return results;
}

/** Takes from what is left until nothing is. */
async function runSome(scripts, left, results) {
    let child;
    try {
        for (let id = left.pop(); id !== undefined; id = left.pop()) {
            child ??= start();
            results[id] = await runIn(child, id, scripts[id]);
            if (results[id].gone) {
                child.kill('SIGKILL');
                child = undefined;
            }
        }
    } finally {
        child?.kill();
    }
}

const start = () => fork(EXECUTE, { execArgv: ['--experimental-vm-modules', '--no-warnings'], stdio: 'inherit' });

function runIn(child, id, script) {
    return new Promise((resolve) => {
        const finish = (result) => {
            clearTimeout(timer);
            child.removeAllListeners();
            resolve(result);
        };
        const timer = setTimeout(() => finish({ gone: true, error: 'never ends' }), SILENCE);
        child.on('message', ({ result }) => finish(result));
        child.on('exit', (code, signal) => finish({ gone: true, error: `ended its process: ${code ?? signal}` }));
        child.send({ id, script });
    });
}
