/** The events that GitBook sends to an integration, as the form fields of a `POST /v1`. */

const PUBLIC = 'https://integrations.gitbook.example/v1';

/** A request to the integration's public URL. */
export function visit(name, method, path, { body, headers = {}, ...environment } = {}) {
    const request = { method, url: `${PUBLIC}/${name}/installed${path}`, headers };
    return event(name, { type: 'fetch', request }, environment, body);
}

/** A request to render a block or, with `action`, an action in it. */
export function render(name, componentId, { props = {}, state, action, editable = false, ...environment } = {}) {
    const context = { type: 'document', spaceId: 'space', editable, theme: 'light' };
    return event(name, { type: 'ui_render', componentId, props, state, action, context }, environment);
}

/** Any other event. */
export function event(name, fields, { secrets = {}, configuration = {} } = {}, body) {
    const form = new FormData();
    form.set('event', JSON.stringify({ eventId: 'event', installationId: 'installation', ...fields }));
    form.set('environment', JSON.stringify(environment(name, secrets, configuration)));
    if (body !== undefined) {
        form.set('fetch-body', body);
    }
    return { form };
}

function environment(name, secrets, configuration) {
    const urls = (place) => ({ publicEndpoint: `${PUBLIC}/${name}/${place}/` });
    return {
        apiEndpoint: 'https://api.gitbook.example',
        apiTokens: { integration: 'integration-token', installation: 'installation-token' },
        signingSecrets: { integration: 'signing' },
        secrets,
        integration: { name, version: 1, urls: urls('integration') },
        installation: { id: 'installation', configuration, urls: urls('installed') },
    };
}
