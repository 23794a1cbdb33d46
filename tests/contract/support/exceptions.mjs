/**
 * Intended differences from the document and the CLI. Each `rewrite` returns the manifest that the document or the CLI
 * must check instead, or REFUSED if only we reject the manifest.
 */
import { cliNames } from './cli.mjs';
import { isMapping, placesOf } from './manifests.mjs';

export const REFUSED = Symbol('refused');

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/i;

/** Replaces unknown names by known ones: GitBook adds names without notice, and the API checks them. */
function known(names) {
    return (manifest) => {
        const known = (list, name) => (typeof name !== 'string' || list.includes(name) ? name : list[0]);
        const lists = { scopes: names.scopes, categories: names.categories };
        const copy = structuredClone(manifest);
        for (const [field, list] of Object.entries(lists)) {
            if (Array.isArray(copy[field])) {
                copy[field] = copy[field].map((name) => known(list, name));
            }
        }
        if ('target' in copy) {
            copy.target = known(names.target, copy.target);
        }
        for (const property of properties(copy)) {
            property.type = known(['string', 'number', 'boolean', 'button'], property.type);
        }
        return copy;
    };
}

/** Returns all properties of all configurations. */
function properties({ configurations }) {
    const mappings = (value) => (isMapping(value) ? Object.values(value).filter(isMapping) : []);
    const all = mappings(configurations).flatMap(({ properties }) => mappings(properties));
    return all.filter((property) => 'type' in property);
}

const configurationsOf = ({ configurations }) =>
    isMapping(configurations) ? ['account', 'space', 'site'].map((of) => configurations[of]).filter(isMapping) : [];
const linksOf = ({ externalLinks }) => (Array.isArray(externalLinks) ? externalLinks.filter(isMapping) : []);
const refusedIf = (holds) => (manifest) => (holds(manifest) ? REFUSED : manifest);

/** Differences from the document. Those with `sandbox` also apply to the sandbox. */
export const ofTheDocument = (names) => [
    {
        what: 'we send unknown scopes, categories, targets and property types',
        rewrite: known(names),
    },
    {
        what: 'we accept only the names that the CLI accepts; the API accepts more',
        rewrite: refusedIf(({ name }) => !NAME.test(name)),
    },
    {
        what: 'we reject an empty organization',
        rewrite: refusedIf(({ organization }) => organization === ''),
        sandbox: true,
    },
    {
        what: 'we reject a link that is not a valid URL, like the CLI',
        rewrite: refusedIf((manifest) => linksOf(manifest).some(({ url }) => !URL.canParse(url))),
        sandbox: true,
    },
    {
        what: 'we reject a configuration with both `componentId` and `properties`',
        rewrite: refusedIf((manifest) =>
            configurationsOf(manifest).some((one) => 'componentId' in one && 'properties' in one)),
        sandbox: true,
    },
    {
        what: 'we accept only text in an unknown directive, like the CLI',
        rewrite: refusedIf(({ contentSecurityPolicy: policy }) =>
            isMapping(policy) && Object.values(policy).some((value) => typeof value !== 'string')),
        sandbox: true,
    },
    {
        what: 'we reject a secret with an unsupported expression',
        rewrite: refusedIf(({ secrets }) =>
            isMapping(secrets) && Object.values(secrets).some((value) => String(value).includes('${{'))),
    },
    {
        what: 'we reject a summary with the ownership marker of a preview',
        rewrite: refusedIf(({ summary }) => String(summary).includes('<!-- gitbook-deploy:')),
    },
];

/** Differences from the CLI: manifests that it rejects and we publish, because the document accepts them. */
export const ofTheCli = [
    {
        what: 'we ignore unused entries of `envs`, and fields that an entry replaces',
        rewrite: ({ envs, ...manifest }) => ({ ...manifest, ...(isMapping(envs) ? envs.default : {}) }),
    },
    { what: 'we accept unknown scopes, categories, targets and property types', rewrite: known(cliNames) },
    {
        what: 'we accept a property title of more than 30 characters',
        rewrite: (manifest) => {
            const copy = structuredClone(manifest);
            properties(copy).forEach((property) => (property.title = property.title?.slice(0, 30)));
            return copy;
        },
    },
    {
        what: 'we count Unicode characters, not UTF-16 code units',
        rewrite: (manifest) => {
            const copy = structuredClone({ manifest });
            for (const { of, at, value } of placesOf(copy)) {
                of[at] = typeof value === 'string' ? value.replace(/[\u{10000}-\u{10FFFF}]/gu, 'x') : value;
            }
            return copy.manifest;
        },
    },
];

/** Applies exceptions in order and returns the result and the exceptions that changed it. */
export function rewritten(manifest, exceptions) {
    const used = [];
    for (const { what, rewrite } of exceptions) {
        const before = JSON.stringify(manifest);
        manifest = rewrite(manifest);
        if (manifest === REFUSED || JSON.stringify(manifest) !== before) {
            used.push(what);
        }
        if (manifest === REFUSED) {
            break;
        }
    }
    return { manifest, used };
}
