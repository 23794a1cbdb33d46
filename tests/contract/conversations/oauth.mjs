/** Requests to `examples/oauth`, and the responses of Tracker and GitBook's API. */
import { createHmac } from 'node:crypto';

import { event, visit } from '../support/events.mjs';
import { oddRequests } from './odd.mjs';

const secrets = { CLIENT_ID: 'client', CLIENT_SECRET: 'secret', WEBHOOK_SECRET: 'hook' };
const connected = { secrets, configuration: { oauth_credentials: { access_token: 'access' } } };
const state = encodeURIComponent(JSON.stringify({ installationId: 'installation' }));

const webhook = (sent, written = sent) => {
    const signature = createHmac('sha256', secrets.WEBHOOK_SECRET).update(written).digest('hex');
    return visit('tracker', 'post', '/webhook', { secrets, body: sent, headers: { 'x-tracker-signature': signature } });
};
const siteScript = (options) => event('tracker', { type: 'fetch_published_script', siteId: 'site' }, options);

export const oauth = {
    name: 'oauth',
    variables: { TRACKER_CLIENT_ID: 'id-1', TRACKER_CLIENT_SECRET: 'a"b\\c', TRACKER_WEBHOOK_SECRET: 'ünïcode ✓' },
    outside: {
        '/oauth/token': { access_token: 'fresh', expires_in: 3600 },
        '/api/issues/7': { state: 'open' },
        '/v1/integrations/tracker/installations/installation': { id: 'installation' },
    },
    conversation: [
        {
            says: 'a request to connect an account',
            ask: visit('tracker', 'get', '/oauth', { secrets }),
            status: 302,
            location: /^https:\/\/tracker\.example\.com\/oauth\/authorize\?client_id=client&/,
        },
        {
            says: "the provider's authorization code",
            ask: visit('tracker', 'get', `/oauth?code=c0de&state=${state}`, { secrets }),
            status: 200,
            answer: /close this window/,
            calls: /client_secret=secret&code=c0de[^]*"access_token":"fresh"/,
        },
        {
            says: 'an issue',
            ask: visit('tracker', 'get', '/issues/7', connected),
            status: 200,
            answer: /"state":"open"/,
            calls: /Bearer access/,
        },
        {
            says: 'an issue that does not exist',
            ask: visit('tracker', 'get', '/issues/8', connected),
            status: 502,
            answer: /Tracker answered 404/,
            calls: /issues\/8/,
        },
        {
            says: 'an issue, before an account is connected',
            ask: visit('tracker', 'get', '/issues/7', { secrets }),
            status: 409,
            answer: /Connect a Tracker account/,
        },
        {
            says: 'a signed webhook',
            ask: webhook('{"issue":"7"}'),
            status: 200,
            answer: /"refreshed":"7"/,
        },
        {
            says: 'a webhook with an invalid signature',
            ask: webhook('{"issue":"8"}', '{"issue":"7"}'),
            status: 401,
            answer: /signature does not match/,
        },
        {
            says: 'an unknown route',
            ask: visit('tracker', 'put', '/issues/7', connected),
            status: 404,
            answer: /Not found/,
        },
        {
            says: "the site's script",
            ask: siteScript(connected),
            status: 200,
            answer: /The file is imported as text[^]*endpoint = 'https:\/\/[^']*\/installed'/,
        },
        {
            says: "the site's script, before an account is connected",
            ask: siteScript({ secrets }),
            status: 200,
            answer: /no-op/,
        },
        ...oddRequests('tracker'),
    ],
};
