/**
 * Where we judge a manifest otherwise than the document or the CLI does, on purpose. Each is a rewriting: gives the
 * manifest that the other one is to judge instead, or REFUSED where we refuse what it takes.
 */
import { cliNames } from './cli.mjs';
import { isMapping, placesOf } from './manifests.mjs';

export const REFUSED = Symbol('refused');

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/i;

/** Puts a known name in the place of every other: the vendor adds names without notice, and the API decides. */
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

/** All properties of all configurations. */
function properties({ configurations }) {
    const mappings = (value) => (isMapping(value) ? Object.values(value).filter(isMapping) : []);
    const all = mappings(configurations).flatMap(({ properties }) => mappings(properties));
    return all.filter((property) => 'type' in property);
}

const configurationsOf = ({ configurations }) =>
    isMapping(configurations) ? ['account', 'space', 'site'].map((of) => configurations[of]).filter(isMapping) : [];
const linksOf = ({ externalLinks }) => (Array.isArray(externalLinks) ? externalLinks.filter(isMapping) : []);
const refusedIf = (holds) => (manifest) => (holds(manifest) ? REFUSED : manifest);

/** Of the document. Those of `sandbox` are the sandbox's, too. */
export const ofTheDocument = (names) => [
    {
        what: 'a scope, category, target or type of property that nobody knows yet is sent on',
        rewrite: known(names),
    },
    {
        what: "a name is what the CLI takes, which is less than the API's",
        rewrite: refusedIf(({ name }) => !NAME.test(name)),
    },
    {
        what: 'an organization has a name',
        rewrite: refusedIf(({ organization }) => organization === ''),
        sandbox: true,
    },
    {
        what: 'a link is what a URL parser takes, too, as with the CLI',
        rewrite: refusedIf((manifest) => linksOf(manifest).some(({ url }) => !URL.canParse(url))),
        sandbox: true,
    },
    {
        what: 'a configuration is not half one thing and half another',
        rewrite: refusedIf((manifest) =>
            configurationsOf(manifest).some((one) => 'componentId' in one && 'properties' in one)),
        sandbox: true,
    },
    {
        what: 'a directive that nobody knows is text, too, as with the CLI',
        rewrite: refusedIf(({ contentSecurityPolicy: policy }) =>
            isMapping(policy) && Object.values(policy).some((value) => typeof value !== 'string')),
        sandbox: true,
    },
    {
        what: 'a secret does not hold what nobody has filled in',
        rewrite: refusedIf(({ secrets }) =>
            isMapping(secrets) && Object.values(secrets).some((value) => String(value).includes('${{'))),
    },
    {
        what: 'a summary does not hold the mark that says whose a preview is',
        rewrite: refusedIf(({ summary }) => String(summary).includes('<!-- gitbook-deploy:')),
    },
];

/** Of the CLI: what it refuses, and we publish, since the document takes it. */
export const ofTheCli = [
    {
        what: 'an entry of `envs` that is not used is not looked at, and replaces what it replaces whatever that was',
        rewrite: ({ envs, ...manifest }) => ({ ...manifest, ...(isMapping(envs) ? envs.default : {}) }),
    },
    { what: 'a scope, category, target or type of property that it does not know', rewrite: known(cliNames) },
    {
        what: 'a property of a configuration may have a title of more than 30 characters',
        rewrite: (manifest) => {
            const copy = structuredClone(manifest);
            properties(copy).forEach((property) => (property.title = property.title?.slice(0, 30)));
            return copy;
        },
    },
    {
        what: 'a character is one, and not the two halves that JavaScript makes of some',
        rewrite: (manifest) => {
            const copy = structuredClone({ manifest });
            for (const { of, at, value } of placesOf(copy)) {
                of[at] = typeof value === 'string' ? value.replace(/[\u{10000}-\u{10FFFF}]/gu, 'x') : value;
            }
            return copy.manifest;
        },
    },
];

/** Applies them one after another, and says which changed anything. */
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
