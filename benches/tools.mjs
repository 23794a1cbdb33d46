// Runs both programs with the same environment.

import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'tests/contract/node_modules/@gitbook/cli/cli.js');

/** The path of the binary: `GITBOOK_DEPLOY`, by default the release binary. */
const binary = process.env.GITBOOK_DEPLOY ?? join(root, 'target/release/gitbook-deploy');

/** Runs a command in a folder and returns `{ wall, peak }` in seconds and KiB. Throws an error with the log on failure. */
async function measured(command, cwd, variables) {
    const { PATH } = process.env;
    const env = { PATH, HOME: tmpdir(), GITBOOK_TOKEN: 'token', DIAGRAM_API_KEY: 'a-key-of-kroki', ...variables };
    const log = join(tmpdir(), `gitbook-deploy-bench-${process.pid}.log`);
    const arguments_ = [join(root, 'benches/measure.py'), log, ...command];
    const { stdout } = await promisify(execFile)('python3', arguments_, { cwd, env });
    const result = JSON.parse(stdout);
    if (result.code !== 0) throw new Error(`${command.join(' ')} ended with ${result.code}:\n${readFileSync(log, 'utf8')}`);
    return result;
}

/** Publishes one integration with `@gitbook/cli`. */
export const withCli = (folder, url) => measured([process.execPath, cli, 'publish', folder], folder, { GITBOOK_ENDPOINT: url });

/** Publishes everything below a folder with this program. */
export const withOurs = (folder, url, variables = {}) =>
    measured([binary], folder, { GITBOOK_ENDPOINT: url, GITBOOK_MODE: 'publish', GITBOOK_LOG_FORMAT: 'text', ...variables });

/** Returns the versions of both programs and the processor, as one line. */
export async function machine() {
    const { stdout } = await promisify(execFile)(binary, ['--version']);
    const version = JSON.parse(readFileSync(join(root, 'tests/contract/node_modules/@gitbook/cli/package.json'))).version;
    const model = readFileSync('/proc/cpuinfo', 'utf8').match(/model name\s*: (.*)/)?.[1] ?? 'unknown processor';
    const { cpus } = await import('node:os');
    return `${stdout.trim()} (${statSync(binary).size} bytes), @gitbook/cli ${version} on Node ${process.version}, ${cpus().length} × ${model}`;
}

export function median(values) {
    const sorted = [...values].sort((one, other) => one - other);
    return sorted[sorted.length >> 1];
}

/** A Markdown table. */
export function table(head, rows) {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [line(head), line(head.map((_, column) => (column ? '--:' : '---'))), ...rows.map(line)].join('\n');
}
