/** The client of Tracker: OAuth and issues. */
import {
    ExposableError,
    getOAuthToken,
    type OAuthConfig,
    type OAuthConfiguration,
    type RuntimeContext,
    type RuntimeEnvironment,
} from '@gitbook/runtime';

const TRACKER = 'https://tracker.example.com';

export type TrackerContext = RuntimeContext<RuntimeEnvironment<{ oauth_credentials?: OAuthConfiguration }>>;

/** Returns the public address of the site installation, the installation or the integration. */
export function publicEndpoint({ environment }: TrackerContext): string {
    const { urls } = environment.siteInstallation ?? environment.installation ?? environment.integration;
    return urls.publicEndpoint.replace(/\/$/, '');
}

export function oauthConfig({ environment }: TrackerContext): OAuthConfig {
    return {
        clientId: environment.secrets.CLIENT_ID,
        clientSecret: environment.secrets.CLIENT_SECRET,
        // All installations share one address, because providers require its registration.
        redirectURL: `${environment.integration.urls.publicEndpoint.replace(/\/$/, '')}/oauth`,
        authorizeURL: `${TRACKER}/oauth/authorize`,
        accessTokenURL: `${TRACKER}/oauth/token`,
        scopes: ['issues:read'],
    };
}

export async function issue(id: string, context: TrackerContext): Promise<{ id: string; state: string }> {
    const credentials = context.environment.installation?.configuration.oauth_credentials;
    if (!credentials) {
        throw new ExposableError('Connect a Tracker account first', 409);
    }
    const token = await getOAuthToken(credentials, oauthConfig(context), context);
    const response = await fetch(`${TRACKER}/api/issues/${encodeURIComponent(id)}`, {
        headers: { Authorization: `Bearer ${token}` },
    });
    if (!response.ok) {
        throw new ExposableError(`Tracker answered ${response.status}`, 502);
    }
    const { state } = (await response.json()) as { state: string };
    return { id, state };
}
