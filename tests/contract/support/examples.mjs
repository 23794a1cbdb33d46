/** The integrations of `examples/`: their folders, variables and test requests. */
import { fileURLToPath } from 'node:url';

import { diagram } from '../conversations/diagram.mjs';
import { hello } from '../conversations/hello.mjs';
import { oauth } from '../conversations/oauth.mjs';

export const examples = [hello, diagram, oauth].map((example) => ({
    ...example,
    folder: fileURLToPath(new URL(`../../../examples/${example.name}`, import.meta.url)),
}));

export const exampleNamed = (name) => examples.find((example) => example.name === name);
