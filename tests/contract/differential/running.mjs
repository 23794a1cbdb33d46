/** Runs each script in its own context in a child process, so that an endless loop does not affect other scripts. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const EXECUTE = fileURLToPath(new URL('execute.mjs', import.meta.url));
const PROCESSES = 2;

/** The time without output after which a child process counts as hanging. */
const SILENCE = 10_000;

/** Runs scripts and returns a result for each: `{ log, exports, called }` or `{ log, error }`. */
export async function runAll(scripts) {
    const results = new Array(scripts.length);
    const left = [...scripts.keys()].reverse();
    await Promise.all(Array.from({ length: PROCESSES }, () => runSome(scripts, left, results)));
    return results;
}

/** Runs the next scripts until none are left. */
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
        const timer = setTimeout(() => finish({ gone: true, error: 'does not end' }), SILENCE);
        child.on('message', ({ result }) => finish(result));
        child.on('exit', (code, signal) => finish({ gone: true, error: `process exited with ${code ?? signal}` }));
        child.send({ id, script });
    });
}
