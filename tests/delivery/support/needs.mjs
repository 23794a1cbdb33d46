/** Skips tests that need what this machine does not have. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative } from 'node:path';

import { ROOT } from './program.mjs';

/** The C library, to link programs to it statically. */
export const STATIC_LIBRARY = 'libc.a';

/** A system that lets containers be started: by root, or by others in a user namespace, but not in a plain chroot. */
export const CONTAINERS = 'a system that lets containers be started';

const CHECKS = {
    [STATIC_LIBRARY]: () => isAbsolute(output('cc', '-print-file-name=libc.a')),
    [CONTAINERS]: () => {
        // Its own absence is another matter.
        if (!isInstalled('podman')) return true;
        const inNamespace = process.getuid() === 0 ? ['unshare', '--mount'] : ['podman', 'unshare'];
        const hasGroups = readFileSync('/proc/self/mountinfo', 'utf8').includes(' - cgroup');
        return hasGroups && output(...inNamespace, 'echo', 'yes') === 'yes';
    },
};

/**
 * Returns the options of a test that is skipped where one of these is missing: programs on `PATH`, files by their absolute
 * paths, or one of the above.
 */
export function needs(...names) {
    const missing = names.filter((name) => !(CHECKS[name] ?? isInstalled)(name));
    const shown = missing.map((name) => (name.startsWith(ROOT) ? relative(ROOT, name) : name));
    return { skip: missing.length > 0 && `missing: ${shown.join(', ')}` };
}

const isInstalled = (name) =>
    isAbsolute(name)
        ? canAccess(name, constants.R_OK)
        : process.env.PATH.split(delimiter).some((folder) => canAccess(join(folder, name), constants.X_OK));

function canAccess(path, mode) {
    try {
        accessSync(path, mode);
        return true;
    } catch {
        return false;
    }
}

/** What a program writes; nothing where it can't be started. */
const output = (program, ...args) => (spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '').trim();
