/** A fake of GitBook's publish API on loopback that records its requests. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

export async function startRecorder() {
    const requests = [];
    const server = createServer(async (incoming, response) => {
        const { method, url: path, headers } = incoming;
        const body = method === 'POST' ? await json(incoming) : undefined;
        requests.push({ method, path, headers, body });

        const [status, answer] = answerTo(method, path, body);
        response.writeHead(status, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(answer));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');

    return {
        endpoint: `http://127.0.0.1:${server.address().port}`,
        requests,
        close: () => {
            server.closeAllConnections();
            server.close();
        },
    };
}

function answerTo(method, path, body) {
    const name = path.match(/^\/v1\/integrations\/([^/]+)$/)?.[1];
    return method === 'POST' && name
        ? [200, integration(name, body)]
        : [404, { error: { code: 404, message: 'Not found' } }];
}

/** Returns the integration as the API describes it after a publish. */
function integration(name, sent) {
    const { title, description, summary, visibility = 'private', target = 'all', scopes, organization } = sent;
    const root = 'https://api.gitbook.example/v1';
    return {
        object: 'integration',
        name,
        version: 1,
        title,
        description,
        summary,
        visibility,
        target,
        scopes,
        verified: false,
        categories: [],
        previewImages: [],
        externalLinks: [],
        owner: { object: 'organization', id: organization, title: organization },
        urls: {
            location: `${root}/integrations/${name}`,
            app: `https://app.gitbook.example/integrations/${name}`,
            publicEndpoint: `${root}/integrations/${name}/integration/`,
        },
    };
}
