/** Connects an account of Tracker, a fictional issue tracker, and shows its issues in a site. */
import { createIntegration, type FetchPublishScriptEventCallback } from '@gitbook/runtime';

import badge from './badge.raw.js';
import { routes } from './routes';
import { publicEndpoint, type TrackerContext } from './tracker';

/** The script that GitBook adds to every page of the published site. */
const publishedScript: FetchPublishScriptEventCallback<TrackerContext> = async (_event, context) => {
    if (!context.environment.installation?.configuration.oauth_credentials) {
        return undefined; // Without a connected account, GitBook gets an empty script.
    }
    return new Response(badge.replace('__ENDPOINT__', publicEndpoint(context)), {
        headers: { 'Content-Type': 'application/javascript', 'Cache-Control': 'max-age=604800' },
    });
};

export default createIntegration<TrackerContext>({
    fetch: (request, context) => routes(context).fetch(request, context),
    fetch_published_script: publishedScript,
});
