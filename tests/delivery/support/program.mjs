/** Locates the parts under test and runs programs in a clean environment. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The statically linked binary that `scripts/test` builds. */
export const BINARY = fromRoot(process.env.GITBOOK_DEPLOY, 'GITBOOK_DEPLOY');

/** A program of `scripts/requirements.txt`. */
export const tool = (name) => join(fromRoot(process.env.PYTHON_TOOLS, 'PYTHON_TOOLS'), name);

function fromRoot(path, variable) {
    if (!path) {
        throw new Error(`\`${variable}\` is not set: run scripts/test, or set it like scripts/test`);
    }
    return isAbsolute(path) ? path : resolve(ROOT, path);
}

/**
 * Runs a program with only `PATH`, `HOME` and the given variables; kills it after `seconds`.
 * `stop` receives the running process and can send it a signal.
 */
export async function run(program, args, { cwd = ROOT, env = {}, seconds = 120, stop } = {}) {
    const { PATH, HOME } = process.env;
    const child = spawn(program, args, { cwd, env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
        child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    stop?.(child, output);
    try {
        const [code, signal] = await new Promise((done, failed) => {
            child.on('error', failed).on('close', (...ended) => done(ended));
        });
        return { code, signal, ...output, text: output.stdout + output.stderr };
    } finally {
        clearTimeout(timer);
    }
}

/** Runs a program that must succeed and returns its stdout. */
export async function succeed(program, args, options) {
    const { code, signal, stdout, text } = await run(program, args, options);
    if (code !== 0) {
        throw new Error(`\`${program} ${args.join(' ')}\` exited with ${code ?? signal}:\n${text}`);
    }
    return stdout;
}

/** Creates a folder for the duration of a test `t`, with copies of repository files: `{ 'name in it': 'path' }`. */
export async function workspace(t, copies = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'delivery-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    for (const [name, path] of Object.entries(copies)) {
        await cp(join(ROOT, path), join(folder, name), { recursive: true });
    }
    return folder;
}
