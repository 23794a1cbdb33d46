/** Loads a published script in the Workers runtime, sends it requests, and returns its responses and calls. */
import { Miniflare, Response } from 'miniflare';

/**
 * @param requests  of ./events.mjs, or `{ method, path }`
 * @param outside   the responses of other servers: JSON by path
 * @returns `{ status, contentType, location, body, calls }` for each request
 */
export async function converse(script, requests, outside = {}) {
    const calls = [];
    const worker = new Miniflare({
        modules: [{ type: 'ESModule', path: 'script.mjs', contents: script }],
        compatibilityDate: '2025-05-25',
        compatibilityFlags: ['nodejs_compat'],
        cf: false, // prevents a download
        outboundService: async (request) => {
            calls.push(await describeCall(request));
            const answer = outside[new URL(request.url).pathname];
            return answer ? Response.json(answer) : new Response('nothing here', { status: 404 });
        },
        handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.resume()),
    });
    try {
        const answers = [];
        for (const request of requests) {
            const response = await send(worker, request);
            answers.push({ ...(await describeAnswer(response)), calls: calls.splice(0) });
        }
        return answers;
    } finally {
        await worker.dispose();
    }
}

/** Encodes forms like GitBook, with the boundary chosen by `Request`. */
async function send(worker, { method = 'POST', path = '/v1', form }) {
    const init = { method, redirect: 'manual' };
    if (form) {
        const encoded = new Request('http://localhost', { method, body: form });
        init.headers = { 'Content-Type': encoded.headers.get('content-type') };
        init.body = await encoded.arrayBuffer();
    }
    return worker.dispatchFetch(`http://localhost${path}`, init);
}

async function describeAnswer(response) {
    const [contentType, location] = ['content-type', 'location'].map((name) => response.headers.get(name));
    return { status: response.status, contentType, location, body: await response.text() };
}

/** Removes times from a call, because they differ between runs. */
async function describeCall(request) {
    const body = (await request.text()).replace(/\b\d{13}\b/g, 'NOW');
    return [request.method, request.url, request.headers.get('authorization'), body].join(' ').trim();
}
