/**
 * Runs parts of GitBook's CLI in this process: manifest checks, bundler options and known names. Starting a process would
 * take 0.3 s.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../node_modules/@gitbook/cli/dist/cli.js', import.meta.url));

/** A text in the CLI's bundle: definitions are before it, and the code after it runs the command line. */
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

/** An error that stops a build before it starts. It contains the options that the CLI passed to esbuild. */
class BuildOptions extends Error {
    constructor(options) {
        super('the bundler was asked');
        this.options = options;
    }
}

const build = (options) => Promise.reject(new BuildOptions(options));

function load() {
    const [definitions, ...rest] = readFileSync(FILE, 'utf8').split(START);
    assert.equal(rest.length, 1, "the format of the CLI's bundle has changed");
    const cli = new Module(FILE);
    const { require } = Module.prototype;
    cli.paths = Module._nodeModulePaths(dirname(FILE));
    cli.require = (id) => (id === 'esbuild' ? { build } : require.call(cli, id));
    cli._compile(`${definitions}\nmodule.exports = { ${WANTED.join(', ')} };`, FILE);
    return cli.exports;
}

const { readIntegrationManifest, validateIntegrationManifest, withEnvironment, buildScriptFromManifest, ...names } =
    load();

/** Returns the CLI's error for a manifest file; `undefined` if it accepts the manifest. */
export const cliRefuses = (file) => complaint(() => withEnvironment(undefined, () => readIntegrationManifest(file)));

/** Returns the CLI's error for a parsed manifest. */
export const cliRefusesManifest = (manifest) => complaint(() => validateIntegrationManifest(manifest));

/** Returns the options that the CLI gives to esbuild for the script of a manifest. */
export async function cliBundlerOptions(file) {
    try {
        await withEnvironment(undefined, () => buildScriptFromManifest(file));
    } catch (error) {
        if (error instanceof BuildOptions) {
            return error.options;
        }
        throw error;
    }
    throw new Error('expected the CLI to call `build` of esbuild');
}

/** The names that the CLI knows; the API knows more. */
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
