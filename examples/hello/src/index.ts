/**
 * A GitBook integration without a library: a module with a default export that has a `fetch` method.
 * GitBook calls it with `POST /v1` and a form; its field `event` contains the event as JSON.
 * Most integrations use `@gitbook/runtime` for this part, see ../diagram.
 */

/** The two events that this integration handles; GitBook has about twenty. */
type GitBookEvent =
    | { type: 'ui_render'; componentId: string; props: { name?: string } }
    | { type: 'fetch'; request: { method: string; url: string } };

const greeting = (name = 'reader') => `Hello, ${name}!`;

/** Renders the block `hello` of the manifest with ContentKit. */
function renderBlock(name?: string): Response {
    const element = {
        type: 'block',
        children: [{ type: 'text', style: 'bold', children: greeting(name) }],
    };
    return Response.json({ type: 'element', props: { name }, state: {}, element });
}

/** Responds to a visitor of the public address, by name with `?name=Ada`. */
function answerVisitor(url: string): Response {
    return new Response(greeting(new URL(url).searchParams.get('name') ?? undefined));
}

function handle(event: GitBookEvent): Response {
    switch (event.type) {
        case 'ui_render':
            return event.componentId === 'hello'
                ? renderBlock(event.props.name)
                : failure(404, `no component "${event.componentId}"`);
        case 'fetch':
            return answerVisitor(event.request.url);
        default:
            return failure(406, `no handler for "${(event as { type: string }).type}"`);
    }
}

const failure = (status: number, error: string) => Response.json({ error }, { status });

export default {
    async fetch(request: Request): Promise<Response> {
        if (request.method !== 'POST' || new URL(request.url).pathname !== '/v1') {
            return failure(400, 'expected POST /v1');
        }
        const event = (await request.formData()).get('event');
        if (typeof event !== 'string') {
            return failure(400, 'the form has no field "event"');
        }
        return handle(JSON.parse(event));
    },
};
