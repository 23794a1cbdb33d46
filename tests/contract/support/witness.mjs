/** A proxy on loopback that checks all requests and responses against GitBook's document. */
import { once } from 'node:events';
import { Agent, createServer, request as ask } from 'node:http';
import { buffer } from 'node:stream/consumers';

/**
 * @param endpoint  the URL of the server
 * @param document  of ./document.mjs
 * @returns `seen`: each request with its response and the problems of both, in the order of the responses
 */
export async function startWitness(endpoint, document) {
    const seen = [];
    const agent = new Agent({ keepAlive: true });
    const server = createServer(async (incoming, response) => {
        const sent = await buffer(incoming);
        const answer = await forward(endpoint, agent, incoming, sent);
        const request = described(incoming, sent);
        seen.push({
            request,
            status: answer.status,
            body: answer.body,
            wrongRequest: document.requestProblems(request),
            wrongAnswer: document.answerProblems(request, answer),
        });
        response.writeHead(answer.status, answer.headers);
        response.end(answer.bytes);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');

    return {
        endpoint: `http://127.0.0.1:${server.address().port}`,
        seen,
        close: () => {
            agent.destroy();
            server.closeAllConnections();
            server.close();
        },
    };
}

async function forward(endpoint, agent, { method, url, headers }, sent) {
    const outgoing = ask(new URL(endpoint).origin + url, { method, headers, agent });
    outgoing.end(sent);
    const [answer] = await once(outgoing, 'response');
    const bytes = await buffer(answer);
    return { status: answer.statusCode, headers: answer.headers, bytes, body: json(bytes) };
}

function described({ method, url, headers }, sent) {
    const { pathname: path, searchParams } = new URL(url, 'http://witness');
    return { method, path, query: Object.fromEntries(searchParams), headers, body: json(sent) };
}

/** Parses JSON; other text stays a string, which no schema of the document accepts as an object. */
function json(bytes) {
    const text = bytes.toString();
    try {
        return text === '' ? undefined : JSON.parse(text);
    } catch {
        return text;
    }
}
