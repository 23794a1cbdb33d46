/**
 * The vendor's CLI, in this process: how it reads a manifest, how it bundles, and the names that it knows. A process
 * takes 0.3 s.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../node_modules/@gitbook/cli/dist/cli.js', import.meta.url));

/** Where the bundle stops to define things and does what the command line says. */
const START = '(0, import_check_node_version.default)(';

const WANTED = [
    'readIntegrationManifest',
    'validateIntegrationManifest',
    'withEnvironment',
    'buildScriptFromManifest',
    'IntegrationScope',
    'IntegrationCategory',
    'IntegrationTarget',
];

/** Ends a build before it begins, with the options that the CLI has chosen. */
class Asked extends Error {
    constructor(options) {
        super('the bundler was asked');
        this.options = options;
    }
}

const build = (options) => Promise.reject(new Asked(options));

function load() {
    const [definitions, ...rest] = readFileSync(FILE, 'utf8').split(START);
    assert.equal(rest.length, 1, "the CLI's bundle is built in another way now");
    const cli = new Module(FILE);
    const { require } = Module.prototype;
    cli.paths = Module._nodeModulePaths(dirname(FILE));
    cli.require = (id) => (id === 'esbuild' ? { build } : require.call(cli, id));
    cli._compile(`${definitions}\nmodule.exports = { ${WANTED.join(', ')} };`, FILE);
    return cli.exports;
}

const { readIntegrationManifest, validateIntegrationManifest, withEnvironment, buildScriptFromManifest, ...names } =
    load();

/** What the CLI says against the manifest in a file; nothing for one that it takes. */
export const cliRefuses = (file) => complaint(() => withEnvironment(undefined, () => readIntegrationManifest(file)));

/** The same of a manifest that was read already. */
export const cliRefusesManifest = (manifest) => complaint(() => validateIntegrationManifest(manifest));

/** Returns the options that the CLI gives to esbuild for the script of a manifest. */
export async function cliBundlerOptions(file) {
    try {
        await withEnvironment(undefined, () => buildScriptFromManifest(file));
    } catch (error) {
        if (error instanceof Asked) {
            return error.options;
        }
        throw error;
    }
    throw new Error('the CLI no longer bundles with the `build` of esbuild');
}

/** The names that the CLI knows, which are fewer than the API's. */
export const cliNames = {
    scopes: Object.values(names.IntegrationScope),
    categories: Object.values(names.IntegrationCategory),
    target: Object.values(names.IntegrationTarget),
};

async function complaint(read) {
    try {
        await read();
        return undefined;
    } catch (error) {
        return error.message;
    }
}
