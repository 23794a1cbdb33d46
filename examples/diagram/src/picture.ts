/** Draws diagrams with the configured Kroki server and its key. Browsers may cache the pictures. */
import type { FetchEventCallback } from '@gitbook/runtime';

import { encode } from './encoding';
import { configuration, isEngine, publicEndpoint, type DiagramContext, type Engine } from './environment';

/** Returns the address of a picture in this integration. */
export async function pictureUrl(context: DiagramContext, engine: Engine, source: string): Promise<string> {
    return `${publicEndpoint(context)}/svg/${engine}/${await encode(source)}`;
}

export const drawPicture: FetchEventCallback<DiagramContext> = async (request, context) => {
    const base = new URL(publicEndpoint(context)).pathname;
    const path = new URL(request.url).pathname.slice(base.length);
    const [, engine, encoded] = /^\/svg\/(\w+)\/([\w=-]+)$/.exec(path) ?? [];
    if (!isEngine(engine)) {
        return new Response('Not found', { status: 404 });
    }

    const { server, max_age } = configuration(context);
    const { AUTHORIZATION } = context.environment.secrets;
    const drawn = await fetch(`${server}/${engine}/svg/${encoded}`, { headers: { AUTHORIZATION } });
    if (!drawn.ok) {
        return new Response(`The diagram could not be drawn: ${await drawn.text()}`, { status: 502 });
    }
    return new Response(drawn.body, {
        headers: { 'Content-Type': 'image/svg+xml', 'Cache-Control': `max-age=${max_age}` },
    });
};
