/** Requests that every integration must reject. */
import { event, render } from '../support/events.mjs';

export const oddRequests = (name) => [
    {
        says: 'an unhandled event',
        ask: event(name, { type: 'space_content_updated' }),
        status: 406,
        answer: /space_content_updated/,
    },
    {
        says: 'an unknown component',
        ask: render(name, 'no-such-component'),
        status: 404,
        answer: /no-such-component/,
    },
    {
        says: 'a request to another path than that of the events',
        ask: { method: 'GET', path: '/no/such/path' },
        status: 400,
        answer: /v1|no\/such\/path/,
    },
];
