/** Requests to `examples/hello`. */
import { render, visit } from '../support/events.mjs';
import { oddRequests } from './odd.mjs';

export const hello = {
    name: 'hello',
    conversation: [
        {
            says: 'a block',
            ask: render('hello', 'hello'),
            status: 200,
            answer: /Hello, reader!/,
        },
        {
            says: 'a block with a name',
            ask: render('hello', 'hello', { props: { name: 'Ada' } }),
            status: 200,
            answer: /Hello, Ada!/,
        },
        {
            says: 'a visit',
            ask: visit('hello', 'get', '/?name=Grace'),
            status: 200,
            answer: /^Hello, Grace!$/,
        },
        {
            says: 'a form without an event',
            ask: { form: new FormData() },
            status: 400,
            answer: /no field/,
        },
        ...oddRequests('hello'),
    ],
};
