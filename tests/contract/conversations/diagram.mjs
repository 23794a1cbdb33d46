/** Requests to `examples/diagram`, and a fake Kroki server that renders its diagrams. */
import { deflateSync } from 'node:zlib';

import { render, visit } from '../support/events.mjs';
import { oddRequests } from './odd.mjs';

const drawable = deflateSync('flowchart LR; a-->b').toString('base64url');
const withKey = { secrets: { AUTHORIZATION: 'Bearer kroki-key' } };
const block = (options) => render('diagram', 'diagram', options);

export const diagram = {
    name: 'diagram',
    variables: { DIAGRAM_API_KEY: 'production $& key', DIAGRAM_STAGING_API_KEY: 'staging-key' },
    outside: { [`/mermaid/svg/${drawable}`]: { drawn: true } },
    conversation: [
        {
            says: 'a new block, while editing',
            ask: block({ editable: true }),
            status: 200,
            answer: /"syntax":"mermaid"/,
        },
        {
            says: 'a stored block',
            ask: block({ props: { engine: 'graphviz', source: 'digraph { ä -> ✓ }' } }),
            status: 200,
            answer: /\/svg\/graphviz\/[\w=-]+/,
        },
        {
            says: 'a block that shows its source',
            ask: block({ props: { source: 'a -> b' }, configuration: { show_source: true, engine: 'plantuml' } }),
            status: 200,
            answer: /"syntax":"plantuml"/,
        },
        {
            says: 'the action "edit"',
            ask: block({ editable: true, props: { source: 'a' }, action: { action: 'edit' } }),
            status: 200,
            answer: /"editing":true.*"label":"Save"/,
        },
        {
            says: 'the action "save"',
            ask: block({
                editable: true,
                state: { source: 'x', engine: 'plantuml', editing: true },
                action: { action: 'save' },
            }),
            status: 200,
            answer: /"props":\{"source":"x","engine":"plantuml"\}/,
        },
        {
            says: 'a pasted link',
            ask: block({ action: { action: '@link.unfurl', url: `https://kroki.io/mermaid/svg/${drawable}` } }),
            status: 200,
            answer: /"source":"flowchart LR; a-->b"/,
        },
        {
            says: 'an image',
            ask: visit('diagram', 'get', `/svg/mermaid/${drawable}`, withKey),
            status: 200,
            answer: /drawn/,
            calls: /https:\/\/kroki\.io\/mermaid\/svg\/\S+ Bearer kroki-key$/,
        },
        {
            says: 'an image that cannot be rendered',
            ask: visit('diagram', 'get', '/svg/plantuml/abc', withKey),
            status: 502,
            answer: /could not be drawn: nothing here/,
            calls: /plantuml/,
        },
        {
            says: 'an image in an unsupported language',
            ask: visit('diagram', 'get', '/svg/cobol/abc', withKey),
            status: 404,
            answer: /Not found/,
        },
        ...oddRequests('diagram'),
    ],
};
