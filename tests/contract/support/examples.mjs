/** The integrations of `examples/`: where they are, the variables that they need, and what is said to them. */
import { fileURLToPath } from 'node:url';

import { diagram } from '../conversations/diagram.mjs';
import { hello } from '../conversations/hello.mjs';
import { oauth } from '../conversations/oauth.mjs';

export const examples = [hello, diagram, oauth].map((example) => ({
    ...example,
    folder: fileURLToPath(new URL(`../../../examples/${example.name}`, import.meta.url)),
}));

export const exampleNamed = (name) => examples.find((example) => example.name === name);
