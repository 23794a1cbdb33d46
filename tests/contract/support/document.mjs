/** GitBook's OpenAPI document, reduced to the operations that we use, and a validator for it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import addFormats from 'ajv-formats';
import { OpenAPIBackend } from 'openapi-backend';

const FILE = new URL('../node_modules/@gitbook/api/spec/openapi.json', import.meta.url);

/** The paths that we use; all their operations are kept. */
const PATHS = ['/integrations/{integrationName}', '/orgs', '/orgs/{organizationId}/integrations'];

/**
 * Error statuses that the API and the sandbox can return for every operation, although the document does not list them.
 */
const UNLISTED = { 400: 'BadRequestError', 401: 'UnauthorizedError', 404: 'NotFoundError' };

/** Reduces the document to the used paths and their references. Loading the whole document takes minutes. */
function cut(whole) {
    const components = {};
    const kept = (part) => {
        if (Array.isArray(part)) {
            return part.map(kept);
        }
        if (part === null || typeof part !== 'object') {
            return part;
        }
        if (typeof part.$ref !== 'string') {
            return Object.fromEntries(Object.entries(part).map(([name, below]) => [name, kept(below)]));
        }
        const { $ref, description, ...more } = part;
        assert.deepEqual(more, {}, `fields beside the reference to ${$ref} would be lost`);
        const [, , kind, name] = $ref.split('/');
        components[kind] ??= {};
        if (!(name in components[kind])) {
            components[kind][name] = {}; // for recursive references
            components[kind][name] = kept(whole.components[kind][name]);
        }
        return { $ref };
    };
    const paths = kept(Object.fromEntries(PATHS.map((path) => [path, withErrors(whole.paths[path])])));
    return { openapi: whole.openapi, info: whole.info, paths, components };
}

function withErrors(path) {
    const methods = Object.entries(path).map(([method, operation]) => {
        const listed = operation.responses;
        const unlisted = Object.entries(UNLISTED).filter(([status]) => !(status in listed));
        const errors = unlisted.map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]);
        return [method, { ...operation, responses: { ...listed, ...Object.fromEntries(errors) } }];
    });
    return Object.fromEntries(methods);
}

export async function openDocument() {
    const definition = cut(JSON.parse(readFileSync(FILE, 'utf8')));
    const { schemas } = definition.components;
    const names = {
        scopes: schemas.IntegrationScope.enum,
        categories: schemas.IntegrationCategory.enum,
        target: schemas.IntegrationTarget.enum,
        visibility: schemas.IntegrationVisibility.enum,
        runtime: schemas.PublishIntegration.properties.runtime.enum,
        directives: Object.keys(schemas.IntegrationContentSecurityPolicy.oneOf[1].properties),
    };
    const fields = Object.keys(schemas.PublishIntegration.properties);
    const validator = new OpenAPIBackend({
        definition,
        apiRoot: '/v1',
        strict: true,
        ajvOpts: { strict: false, allErrors: true },
        customizeAjv: (ajv) => addFormats(ajv),
    });
    await validator.init();
    return {
        /** The fields of a publish request. */
        fields,
        /** The known names by field. */
        names,
        requestProblems: (request) => requestProblems(validator, request),
        answerProblems: (request, answer) => answerProblems(validator, request, answer),
    };
}

/** Returns the problems of a request; empty if it matches the document. */
function requestProblems(validator, request) {
    const operation = validator.matchOperation(request);
    if (!operation) {
        return [`${request.method} ${request.path} is not an operation of the document`];
    }
    const { authorization = '', 'content-type': type } = request.headers;
    const token = /^Bearer \S+$/.test(authorization) ? [] : ['missing token'];
    // The validator only checks bodies of known content types.
    const wrongType = operation.requestBody && type !== 'application/json' ? [`wrong content type: ${type}`] : [];
    return [...token, ...wrongType, ...told(validator.validateRequest(request, operation))];
}

/** Returns the problems of a response; empty if it matches the document. */
function answerProblems(validator, request, { status, headers, body }) {
    const operation = validator.matchOperation(request);
    const response = operation?.responses[status];
    if (!response) {
        return [`${request.method} ${request.path} has no status ${status} in the document`];
    }
    if (!response.content) {
        return body === undefined ? [] : [`unexpected body with the status ${status}`];
    }
    const type = headers['content-type'];
    const wrongType = type === 'application/json' ? [] : [`wrong content type: ${type}`];
    return [...wrongType, ...told(validator.validateResponse(body, operation, status))];
}

const told = ({ errors }) =>
    (errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
