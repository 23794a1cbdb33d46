/** Starts the embedded sandbox API with a Cargo example; the binary does not expose it to other programs. */
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
        throw new Error(`could not start the sandbox: \`cargo ${args.join(' ')}\` printed ${line}`);
    }
    const stop = () => {
        server.stdin.end(); // stops the server
        return ended;
    };
    return { endpoint: line, stop };
}
