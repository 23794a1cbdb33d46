// GitBook's API, as far as publishing to it goes: takes everything at once, so that what is measured is the client.

import { createServer } from 'node:http';

/** Starts it on loopback. `script` is the last script that was published, `requests` how many there were. */
export async function startServer() {
    const seen = { requests: 0, bytes: 0, script: '' };
    const server = createServer(async (request, response) => {
        const parts = [];
        for await (const part of request) parts.push(part);
        const text = Buffer.concat(parts);
        const body = request.method === 'POST' ? JSON.parse(text) : {};
        seen.requests += 1;
        seen.bytes += text.length;
        seen.script = body.script ?? seen.script;
        const name = decodeURIComponent(request.url.split('/').pop());
        const { title, visibility, target, scopes } = body;
        const answer = { name, title, visibility, target, scopes, version: 1, urls: { app: `https://app.gitbook.com/integrations/${name}` } };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${server.address().port}`;
    return { url, seen, close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}
