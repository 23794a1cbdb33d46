/** The vendor's CLI, in this process: how it reads a manifest, and the names that it knows. A process takes 0.3 s. */
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
    'IntegrationScope',
    'IntegrationCategory',
    'IntegrationTarget',
];

function load() {
    const [definitions, ...rest] = readFileSync(FILE, 'utf8').split(START);
    assert.equal(rest.length, 1, "the CLI's bundle is built in another way now");
    const cli = new Module(FILE);
    cli.paths = Module._nodeModulePaths(dirname(FILE));
    cli._compile(`${definitions}\nmodule.exports = { ${WANTED.join(', ')} };`, FILE);
    return cli.exports;
}

const { readIntegrationManifest, validateIntegrationManifest, withEnvironment, ...names } = load();

/** What the CLI says against the manifest in a file; nothing for one that it takes. */
export const cliRefuses = (file) => complaint(() => withEnvironment(undefined, () => readIntegrationManifest(file)));

/** The same of a manifest that was read already. */
export const cliRefusesManifest = (manifest) => complaint(() => validateIntegrationManifest(manifest));

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
