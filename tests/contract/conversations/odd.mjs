/** What no integration answers with success. */
import { event, render } from '../support/events.mjs';

export const oddRequests = (name) => [
    {
        says: 'an event that nobody handles',
        ask: event(name, { type: 'space_content_updated' }),
        status: 406,
        answer: /space_content_updated/,
    },
    {
        says: 'a component that nobody has',
        ask: render(name, 'no-such-component'),
        status: 404,
        answer: /no-such-component/,
    },
    {
        says: 'a visit to another path than the one of the events',
        ask: { method: 'GET', path: '/no/such/path' },
        status: 400,
        answer: /v1|no\/such\/path/,
    },
];
