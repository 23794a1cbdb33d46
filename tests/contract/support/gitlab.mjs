/** A fake GitLab REST API on loopback with one project; it records its requests. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export const PROJECT = 42;
export const FORK = 77;
export const MARKER = '<!-- gitbook-deploy:comment -->';

const COMMIT = '1'.repeat(40);
const USER = { id: 7, username: 'project_42_bot', name: 'previews' };

/**
 * @param mergeRequests  by number: the state and the source project of each
 * @param notes          the texts of the notes of the token's user on each merge request
 * @param gone           the deleted branches: every other branch exists, but a list contains only two
 */
export async function startGitLab({ mergeRequests = {}, notes = [], gone = [] } = {}) {
    const world = { mergeRequests, notes: notes.map((body, index) => note(index + 1, body)), gone, requests: [] };
    const server = createServer(async (incoming, response) => {
        const { method, url, headers } = incoming;
        const { pathname, searchParams } = new URL(url, 'http://gitlab');
        const sent = await text(incoming);
        const query = [...searchParams].sort();
        const request = { method, path: pathname, query, body: body(sent, headers['content-type']) };
        world.requests.push({ ...request, token: headers['private-token'], bearer: headers.authorization });

        const [status, answer] = answerTo(world, request, searchParams);
        response.writeHead(status, { 'Content-Type': 'application/json', ...links(answer, url) });
        response.end(status === 204 ? undefined : JSON.stringify(answer));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const host = `http://127.0.0.1:${server.address().port}`;
    const close = () => {
        server.closeAllConnections();
        server.close();
    };
    return { host, requests: world.requests, close };
}

/** The `Link` header of a list with one page. GitLab sends it with every page. */
const links = (answer, url) => (Array.isArray(answer) ? { Link: `<http://gitlab${url}>; rel="first"` } : {});

/** Parses the fields of a body in any format that GitLab accepts; `undefined` without fields. */
function body(sent, type = '') {
    const json = type.startsWith('application/json') && sent !== '';
    const fields = json ? JSON.parse(sent) : Object.fromEntries(new URLSearchParams(sent));
    return Object.keys(fields).length > 0 ? fields : undefined;
}

function answerTo(world, { method, path, body }, query) {
    const [, root, rest = ''] = path.match(/^\/api\/v4(\/projects\/42)?(?:\/(.*))?$/) ?? [];
    const segments = rest.split('/').map(decodeURIComponent);
    switch (`${method} ${root ? '' : '/'}${segments[0]}${segments[2] === 'notes' ? '/notes' : ''}`) {
        case 'GET /user':
            return [200, USER];
        case 'GET /projects':
            return [200, { id: FORK, path_with_namespace: 'mona/integrations', default_branch: 'main' }];
        case 'GET ':
            return [200, { id: PROJECT, path_with_namespace: 'acme/integrations', default_branch: 'main' }];
        case 'GET repository':
            if (segments.length === 2) {
                return [200, ['main', 'fix'].filter((name) => !world.gone.includes(name)).map(branch)];
            }
            if (world.gone.includes(segments[2])) {
                return [404, { message: '404 Branch Not Found' }];
            }
            return [200, branch(segments[2])];
        case 'GET merge_requests':
            return segments[1] ? mergeRequest(world, Number(segments[1])) : [200, listed(world, query)];
        case 'GET merge_requests/notes':
            return [200, world.notes.toReversed()];
        case 'POST merge_requests/notes':
            world.notes.push(note(100 + world.notes.length, body.body));
            return [201, world.notes.at(-1)];
        case 'PUT merge_requests/notes': {
            const changed = world.notes.find(({ id }) => id === Number(segments[3]));
            changed.body = body.body;
            return [200, changed];
        }
        case 'DELETE merge_requests/notes':
            world.notes = world.notes.filter(({ id }) => id !== Number(segments[3]));
            return [204];
        default:
            return [404, { message: '404 Not Found' }];
    }
}

function branch(name) {
    return { name, commit: { id: COMMIT, short_id: COMMIT.slice(0, 8) } };
}

function mergeRequest({ mergeRequests }, iid) {
    const found = mergeRequests[iid];
    return found ? [200, toldOf(iid, found)] : [404, { message: '404 Not found' }];
}

function listed({ mergeRequests }, query) {
    const all = Object.entries(mergeRequests).map(([iid, found]) => toldOf(Number(iid), found));
    const wanted = query.getAll('iids[]').map(Number);
    const of = ({ iid, state }) =>
        (wanted.length === 0 || wanted.includes(iid)) && ['all', state].includes(query.get('state') ?? 'all');
    return all.filter(of);
}

function toldOf(iid, { state = 'opened', project = PROJECT, branch = 'fix' }) {
    return {
        id: 1000 + iid,
        iid,
        state,
        sha: COMMIT,
        source_branch: branch,
        source_project_id: project,
        target_project_id: PROJECT,
    };
}

function note(id, body) {
    return { id, body, author: USER, system: false, noteable_type: 'MergeRequest' };
}
