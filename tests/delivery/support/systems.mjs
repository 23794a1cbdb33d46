/**
 * Simulates how CI systems run a template: the steps for these variables, their shell, and the effect of a failing command.
 * Each function returns steps as `{ name, env, lines, shell }`, or `{ name, env, image }` for an image without commands;
 * `runAll` of `support/steps.mjs` runs them.
 */
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { ROOT, run, succeed } from './program.mjs';

const EXIT_ON_ERROR = ['bash', '-e', '-c'];

async function document(template) {
    return parse(await readFile(join(ROOT, 'examples/ci', template), 'utf8'), { merge: true });
}

/** Returns the steps for Bitbucket: all lines of a script run in one shell, which exits at the first failure. */
export async function bitbucket({ variables, secrets, custom }) {
    const { pipelines } = await document('bitbucket/bitbucket-pipelines.yml');
    const ofBranch = pipelines.branches[variables.BITBUCKET_BRANCH] ?? pipelines.default;
    const pipeline = custom ? pipelines.custom[custom.name] : ofBranch;
    const asked = pipeline.flatMap((item) => item.variables ?? []);
    const given = Object.fromEntries(asked.map(({ name, default: value }) => [name, custom?.variables[name] ?? value]));
    const steps = pipeline.flatMap((item) => item.step ?? []);
    return steps.map(({ name, script, deployment }) => ({
        name: deployment ?? name,
        env: { ...variables, GITBOOK_TOKEN: secrets[deployment ?? 'repository'], ...given },
        lines: script,
        shell: EXIT_ON_ERROR,
    }));
}

/** Returns the steps for CircleCI: each `run` has its own shell, and the first failure ends the job. */
export async function circleci({ variables, secrets, parameters = {} }) {
    const { parameters: declared, jobs, workflows } = await document('circleci/.circleci/config.yml');
    const value = (name) => parameters[name] ?? declared[name].default;
    const filled = (text) => String(text).replace(/<< pipeline\.parameters\.(\w+) >>/g, (_, name) => value(name));
    const holds = ({ equal }) => equal.every((one) => filled(one) === filled(equal[0]));
    const started = Object.values(workflows).filter((flow) => (flow.when ? holds(flow.when) : !holds(flow.unless)));
    const here = ({ filters }) => {
        const { only, ignore } = filters?.branches ?? {};
        return (only ?? variables.CIRCLE_BRANCH) === variables.CIRCLE_BRANCH && ignore !== variables.CIRCLE_BRANCH;
    };
    const used = started.flatMap((flow) => flow.jobs.flatMap(Object.entries)).filter(([, job]) => here(job));
    return used.flatMap(([name, { context }]) => {
        const { environment, steps } = jobs[name];
        const own = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(value)]));
        return steps.flatMap((step) => step.run ?? []).map(({ command, name }) => ({
            name: `${context}: ${name}`,
            env: { ...variables, ...secrets[context], ...own },
            lines: [command],
            shell: ['bash', '-eo', 'pipefail', '-c'],
        }));
    });
}

/**
 * Returns the steps for Azure Pipelines: a script continues after a failing line. After a failed step, only steps with a
 * matching condition run.
 */
export async function azure({ variables, secrets }) {
    const { variables: own, steps } = await document('azure/azure-pipelines.yml');
    const all = { ...own, ...variables };
    const dotted = { 'Build.SourceBranch': all.BUILD_SOURCEBRANCH, 'Build.Reason': all.BUILD_REASON, ...all };
    const words = {
        and: (...all) => all.every(Boolean),
        or: (...all) => all.some(Boolean),
        eq: (one, other) => (one ?? '').toLowerCase() === other.toLowerCase(),
        ne: (one, other) => !words.eq(one, other),
        succeeded: () => true,
        variables: dotted,
    };
    const holds = (condition) => new Function(...Object.keys(words), `return ${condition}`)(...Object.values(words));
    // Azure leaves unknown variables unchanged.
    const filled = (value) => value.replace(/\$\(([\w.]+)\)/g, (whole, name) => secrets[name] ?? all[name] ?? whole);
    return steps.filter(({ condition }) => !condition || holds(condition)).map(({ displayName, bash, env = {} }) => ({
        name: displayName,
        env: { ...all, ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)])) },
        lines: [filled(bash)],
        shell: ['bash', '-c'],
    }));
}

/** Returns the steps for Travis CI: `script` continues after a failing line; in earlier phases, the first failure ends the job. */
export async function travis({ variables, secrets }) {
    const { if: condition, env, install, before_script, script } = await document('travis/.travis.yml');
    const isFork = variables.TRAVIS_PULL_REQUEST_SLUG && variables.TRAVIS_PULL_REQUEST_SLUG !== variables.TRAVIS_REPO_SLUG;
    const facts = { type: variables.TRAVIS_EVENT_TYPE, fork: String(Boolean(isFork)) };
    const holds = ([, name, operator, value]) => (facts[name] === value) === (operator === '=');
    if (!condition.split(' OR ').some((part) => holds(part.match(/^(\w+) (!?=) (\w+)$/)))) return [];
    const exports = env.global.map((line) => `export ${line}`);
    const { PRODUCTION_TOKEN, ...everywhere } = secrets;
    const base = { env: { ...variables, ...everywhere, ...(variables.TRAVIS_BRANCH === 'main' && { PRODUCTION_TOKEN }) } };
    const before = [install, ...before_script].map((line) => ({ ...base, name: 'before', lines: [...exports, line] }));
    const steps = [...before, { ...base, name: 'script', lines: [...exports, ...[script].flat()] }];
    return steps.map((step) => ({ ...step, shell: ['bash', '-c'] }));
}

/** Returns the steps for Buildkite: the upload replaces `$NAME` by its value and `$$` by `$`. */
export async function buildkite({ variables, secrets }) {
    const { env, steps } = await document('buildkite/.buildkite/pipeline.yml');
    const uploaded = (line) => line.replace(/\$\$|\$\{?(\w+)\}?/g, (_, name) => (name ? (variables[name] ?? '') : '$'));
    const number = variables.BUILDKITE_PULL_REQUEST === 'false' ? null : variables.BUILDKITE_PULL_REQUEST;
    const { BUILDKITE_BRANCH: branch, BUILDKITE_SOURCE: source } = variables;
    const build = { branch, source, pull_request: { id: number } };
    const pipeline = { default_branch: variables.BUILDKITE_PIPELINE_DEFAULT_BRANCH };
    const holds = (condition) => new Function('build', 'pipeline', `return ${condition}`)(build, pipeline);
    return steps.filter((step) => holds(step.if)).map((step) => ({
        name: step.label,
        env: { ...variables, ...env, ...chosen(step.secrets, (name) => secrets[name]) },
        lines: step.commands.map(uploaded),
        shell: EXIT_ON_ERROR,
    }));
}

/** Runs a step with commands in a shell; a step without commands runs its image with the same variables. */
function containers({ steps, applies, variables, secrets }) {
    return steps.filter(({ when }) => !when || applies(when)).map(({ name, image, commands, environment = {} }) => ({
        name,
        image,
        env: { ...variables, ...chosen(environment, (value) => (value.from_secret ? secrets[value.from_secret] : value)) },
        lines: commands,
        shell: EXIT_ON_ERROR,
    }));
}

const chosen = (from, choose) => Object.fromEntries(Object.entries(from).map(([name, value]) => [name, choose(value)]));

const list = (value) => (value === undefined ? undefined : [value].flat());

/** Returns true if the `when` of a step matches the event and the branch. */
function matches({ event, branch }, happened, on) {
    const only = branch?.exclude ? undefined : list(branch);
    const isHere = (only?.includes(on) ?? true) && !list(branch?.exclude)?.includes(on);
    return list(event).includes(happened) && isHere;
}

export async function drone({ variables, secrets }) {
    const { trigger, steps } = await document('drone/.drone.yml');
    const { DRONE_BUILD_EVENT: event, DRONE_BRANCH: branch } = variables;
    const applies = (when) => matches(when, event, branch);
    return applies(trigger) ? containers({ steps, applies, variables, secrets }) : [];
}

/** Reads the events of each secret from the comments of a template; "the same" means the events of the previous secret. */
async function eventsOfSecrets(template) {
    const text = await readFile(join(ROOT, 'examples/ci', template), 'utf8');
    const events = {};
    let before;
    for (const [, name, told] of text.matchAll(/^# - (\w+), for ([^:,]*(?:, `[^:]*)?)/gm)) {
        const named = [...told.matchAll(/`(\w+)`/g)].map(([, event]) => event);
        events[name] = before = named.length > 0 ? named : before;
    }
    return events;
}

/** Returns the steps for Woodpecker: like Drone's, but a step that reads a secret of another event fails the run. A closed pull
 * request counts as a pull request. */
export async function woodpecker({ variables, secrets }) {
    const template = 'woodpecker/.woodpecker.yml';
    const { when, steps } = await document(template);
    const { CI_PIPELINE_EVENT: event, CI_COMMIT_BRANCH: branch } = variables;
    const applies = (when) => matches(when, event, branch);
    const events = await eventsOfSecrets(template);
    const asked = steps.filter(({ when }) => !when || applies(when)).flatMap(({ environment = {} }) => Object.values(environment));
    for (const name of asked.flatMap((value) => value.from_secret ?? [])) {
        if (!events[name]?.includes(event === 'pull_request_closed' ? 'pull_request' : event)) {
            throw new Error(`secret ${name} is not allowed to be used with pipeline event ${event}`);
        }
    }
    return applies(when) ? containers({ steps, applies, variables, secrets }) : [];
}

const JENKINSFILE = join(ROOT, 'examples/ci/jenkins/Jenkinsfile');

/** Evaluates a Jenkinsfile with Groovy; stdout contains the steps and the schedule of each build as JSON. */
export async function groovy(builds, jenkinsfile = JENKINSFILE) {
    const java = await succeed('sh', ['-c', 'command -v java']);
    const env = { JAVA_HOME: dirname(dirname(await realpath(java.trim()))) };
    const script = fileURLToPath(new URL('jenkins.groovy', import.meta.url));
    return run('groovy', [script, jenkinsfile, JSON.stringify(builds)], { env });
}

/** Returns the steps for Jenkins: each `sh` has its own shell, which prints its commands, and the first failure ends the build. */
export async function jenkins({ variables, secrets, cause = 'BranchEventCause' }) {
    const { code, stdout, text } = await groovy([{ variables, credentials: secrets, cause }]);
    if (code !== 0) throw new Error(text);
    const [{ steps }] = JSON.parse(stdout);
    return steps.map((step) => ({ ...step, shell: ['sh', '-xec'] }));
}
