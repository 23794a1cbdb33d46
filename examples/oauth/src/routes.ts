/** The routes of the public address. */
import { createOAuthHandler } from '@gitbook/runtime';
import { error, IttyRouter, json, type IRequest } from 'itty-router';

import { isSigned } from './signature';
import { issue, oauthConfig, publicEndpoint, type TrackerContext } from './tracker';

export function routes(context: TrackerContext) {
    const base = new URL(publicEndpoint(context)).pathname;

    return IttyRouter<IRequest, [TrackerContext]>({ base })
        .get('/oauth', (request, context) => createOAuthHandler(oauthConfig(context))(request, context))
        .get('/issues/:id', async ({ params }, context) => json(await issue(params.id, context)))
        .post('/webhook', receiveWebhook)
        .all('*', () => error(404, 'Not found'));
}

/** Receives a change of an issue from Tracker, and rejects it without a valid signature. */
async function receiveWebhook(request: IRequest, { environment }: TrackerContext): Promise<Response> {
    const body = await request.text();
    const signature = request.headers.get('X-Tracker-Signature') ?? '';
    if (!(await isSigned(body, signature, environment.secrets.WEBHOOK_SECRET))) {
        return error(401, 'The signature does not match');
    }
    const { issue } = JSON.parse(body) as { issue?: string };
    return issue ? json({ refreshed: issue }) : error(422, 'No issue is named');
}
