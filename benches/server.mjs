// A server that accepts every publish at once, so that benchmarks measure the client only.

import { createServer } from 'node:http';

/** Starts the server on loopback. `seen` counts requests and body bytes; `seen.latest` is the body of the last request. */
export async function startServer() {
    const seen = { requests: 0, bytes: 0, latest: '' };
    const server = createServer(async (request, response) => {
        const parts = [];
        for await (const part of request) parts.push(part);
        const text = Buffer.concat(parts);
        const name = decodeURIComponent(request.url.split('/').pop());
        const answer = { name, version: 1, urls: { app: `https://app.gitbook.com/integrations/${name}` } };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
        seen.requests += 1;
        seen.bytes += text.length;
        seen.latest = text;
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${server.address().port}`;
    return { url, seen, close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}
