/** Publishes a folder with the CLI or our program to a new recorder, and returns the requests. */
import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startRecorder } from './recorder.mjs';

const CLI = fileURLToPath(new URL('../node_modules/@gitbook/cli/cli.js', import.meta.url));
const TOKEN = 'gb_api_contract';

/**
 * @param folder   the folder of the manifest
 * @param options  `environment`: the manifest's `envs` entry; `variables`: more environment variables;
 *                 `programs`: a folder to put first in `PATH`; `within`: the working directory
 */
export function publishWithCli(folder, options = {}) {
    const environment = options.environment ? ['--env', options.environment] : [];
    return publish(process.execPath, [CLI, 'publish', folder, ...environment], options);
}

export async function publishWithOurs(folder, options = {}) {
    const variables = {
        ...options.variables,
        GITBOOK_INTEGRATIONS: folder,
        GITBOOK_MODE: 'publish',
        ...(options.environment && { GITBOOK_ENV: options.environment }),
    };
    return publish(await ourBinary(), [], { ...options, variables });
}

/** Publishes with both programs and returns their requests; both must succeed. */
export async function publishWithBoth(folder, options) {
    const runs = await Promise.all([publishWithCli(folder, options), publishWithOurs(folder, options)]);
    for (const run of runs) {
        if (run.code !== 0 || run.requests.length !== 1) {
            const count = run.requests.length;
            throw new Error(`\`${run.program}\` exited with ${run.code} and sent ${count} requests, expected exit code 0 and 1 request:\n${run.output}`);
        }
    }
    const [cli, ours] = runs.map((run) => run.requests[0]);
    return { cli, ours };
}

export async function ourBinary() {
    const path = process.env.GITBOOK_DEPLOY;
    if (!path || !isAbsolute(path)) {
        throw new Error('`GITBOOK_DEPLOY` is not an absolute path: set it to the path of the binary under test');
    }
    await access(path, constants.X_OK).catch(() => {
        throw new Error(`\`GITBOOK_DEPLOY\` is ${path}, which is not executable: build the binary first`);
    });
    return path;
}

async function publish(program, args, { variables, programs, within }) {
    const recorder = await startRecorder();
    try {
        const result = await runAlone(program, args, { GITBOOK_ENDPOINT: recorder.endpoint, ...variables }, { programs, folder: within });
        // Only our program reads the integration before it publishes.
        const requests = recorder.requests.filter(({ method }) => method !== 'GET');
        return { program: args[0] ?? program, requests, ...result };
    } finally {
        recorder.close();
    }
}

/** Runs our binary with these variables, which include the endpoint. */
export async function runOurs(variables, options) {
    return runAlone(await ourBinary(), [], variables, options);
}

/** Runs a program with only `PATH` of the caller's environment: no home, no configuration, no CI variables. */
async function runAlone(program, args, variables, { programs, folder } = {}) {
    const home = await mkdtemp(join(tmpdir(), 'gitbook-contract-'));
    const env = {
        PATH: [programs, process.env.PATH].filter(Boolean).join(delimiter),
        HOME: home,
        TMPDIR: home,
        GITBOOK_TOKEN: TOKEN,
        ...variables,
    };
    try {
        return await run(program, args, { cwd: folder ?? home, env, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 });
    } finally {
        await rm(home, { recursive: true });
    }
}

function run(program, args, options) {
    return new Promise((resolve) => {
        execFile(program, args, options, (error, stdout, stderr) => {
            const code = error ? (error.code ?? error.signal) : 0;
            resolve({ code, output: stdout + stderr });
        });
    });
}
