/** The embedded API from a folder, served by the project's own example: the binary has it for itself alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export async function startSandbox(folder) {
    const args = ['run', '--locked', '--quiet', '--example', 'sandbox', '--', folder];
    const server = spawn('cargo', args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(server, 'close');
    const [line] = await Promise.race([once(createInterface(server.stdout), 'line'), ended]);
    if (typeof line !== 'string') {
        throw new Error(`the sandbox did not start: \`cargo ${args.join(' ')}\` ended with ${line}`);
    }
    const stop = () => {
        server.stdin.end(); // which ends it
        return ended;
    };
    return { endpoint: line, stop };
}
