/** Skips tests whose requirements are missing on this machine. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative } from 'node:path';

import { ROOT } from './program.mjs';

/** The static C library. */
export const STATIC_LIBRARY = 'libc.a';

/** A system that can start containers: as root, or in a user namespace, but not in a plain chroot. */
export const CONTAINERS = 'a system that can start containers';

const CHECKS = {
    [STATIC_LIBRARY]: () => isAbsolute(output('cc', '-print-file-name=libc.a')),
    [CONTAINERS]: () => {
        // A missing podman is reported separately.
        if (!isInstalled('podman')) return true;
        const inNamespace = process.getuid() === 0 ? ['unshare', '--mount'] : ['podman', 'unshare'];
        const hasGroups = readFileSync('/proc/self/mountinfo', 'utf8').includes(' - cgroup');
        return hasGroups && output(...inNamespace, 'echo', 'yes') === 'yes';
    },
};

/**
 * Returns the options of a test that is skipped if one of these is missing: programs on `PATH`, files by their absolute
 * paths, or one of the constants above.
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

/** Returns the output of a program; empty if it cannot be started. */
const output = (program, ...args) => (spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '').trim();
