#!/usr/bin/env node
/**
 * A fake of `docker run --rm -v FOLDER:/repo -w /repo --user ID -e NAME… IMAGE [COMMAND…]`. It runs the binary instead of this
 * project's image, and the command itself instead of the Node image, in FOLDER and with only the passed variables.
 */
import { spawnSync } from 'node:child_process';

const [word, ...args] = process.argv.slice(2);
const given = { volumes: [], names: [] };
let image;
while (image === undefined && args.length > 0) {
    const option = args.shift();
    if (option === '--rm') continue;
    else if (option === '-v') given.volumes.push(args.shift());
    else if (option === '-w') given.folder = args.shift();
    else if (option === '-e') given.names.push(args.shift());
    else if (option === '--user') given.user = args.shift();
    else if (option.startsWith('-')) throw new Error(`docker: unsupported option ${option}`);
    else image = option;
}
const [volume] = given.volumes;
if (word !== 'run' || given.volumes.length !== 1 || !volume.endsWith(`:${given.folder}`)) {
    throw new Error(`docker: the checkout must be the only volume, mounted at the working directory: ${process.argv.slice(2).join(' ')}`);
}
const cwd = volume.slice(0, -`:${given.folder}`.length);
if (given.user && !/^\d+:\d+$/.test(given.user)) throw new Error(`docker: invalid user ${given.user}`);
const split = given.names.map((name) => name.split(/=(.*)/s));
const passed = split.map(([name, value]) => [name, value ?? process.env[name]]).filter(([, value]) => value !== undefined);
const images = JSON.parse(process.env.IMAGES);
const { program, env } = images[image.replace(/:[\d.]+$/, '')];
const [command, ...rest] = program ? [program, ...args] : args;
const { status, error } = spawnSync(command, rest, { cwd, env: { ...env, ...Object.fromEntries(passed) }, stdio: 'inherit' });
if (error) throw error;
process.exitCode = status ?? 1;
