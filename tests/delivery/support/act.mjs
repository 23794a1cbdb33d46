/** A repository in which act runs workflows with the action; all actions are local. */
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT, run, succeed, tool, workspace } from './program.mjs';
import { actionAt } from './release.mjs';

/** The checkout action of the workflows in examples/. */
export const CHECKOUT = 'actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd';

/** The repository in each payload; act reads the name of the repository from the remote. */
const REPOSITORY = { id: 1, full_name: 'acme/integrations', default_branch: 'main', owner: { login: 'acme' } };

/** Creates a repository with `examples/hello`, no packages, and the action at its root for `uses: ./`. */
export async function repository(t, workflow) {
    const home = await workspace(t);
    const folder = join(home, 'repository');
    await cp(join(ROOT, 'examples/hello'), join(folder, 'hello'), { recursive: true });
    await actionAt(folder);
    await writeFile(join(folder, 'package.json'), '{}');
    await writeFile(join(folder, 'package-lock.json'), '{"lockfileVersion": 3, "packages": {}}');
    await writeFile(join(folder, 'workflow.yml'), workflow);
    // Replaces actions/checkout, which would connect to GitHub.
    await mkdir(join(home, 'checkout'));
    const copy = `cp -R ${folder}/. .`;
    const checkout = { name: 'checkout', runs: { using: 'composite', steps: [{ run: copy, shell: 'sh' }] } };
    await writeFile(join(home, 'checkout/action.yml'), JSON.stringify(checkout));
    const git = (...args) =>
        succeed('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd: folder });
    await git('init', '--quiet', '--initial-branch=main');
    await git('remote', 'add', 'origin', 'https://github.com/acme/integrations.git');
    await git('add', '.');
    await git('commit', '--quiet', '--message=Start');
    return { home, folder, sha: (await git('rev-parse', 'HEAD')).trim() };
}

/**
 * Runs the workflow for an event. `env` are variables of the whole workflow;
 * `actions` are `{ 'owner/name@ref': folder }`.
 */
export async function act(
    { home, folder },
    event,
    payload,
    { env = {}, secrets = {}, actions = {}, file = 'workflow.yml' } = {},
) {
    await writeFile(join(home, 'event.json'), JSON.stringify({ repository: REPOSITORY, ...payload }));
    const checkout = join(home, 'checkout');
    const local = { [CHECKOUT]: checkout, 'actions/checkout@v6': checkout, ...actions };
    const pairs = (option, values) => Object.entries(values).flatMap(([name, value]) => [option, `${name}=${value}`]);
    const args = [
        event,
        '--no-cache-server',
        '--eventpath',
        join(home, 'event.json'),
        '--workflows',
        file,
        ...['ubuntu-24.04', 'ubuntu-latest'].flatMap((image) => ['--platform', `${image}=-self-hosted`]),
        ...pairs('--local-repository', local),
        ...pairs('--env', { GITBOOK_SANDBOX_DIR: join(home, 'sandbox'), ...env }),
        ...pairs('--secret', secrets),
    ];
    return run(tool('act'), args, { cwd: folder, env: { HOME: home, XDG_CACHE_HOME: join(home, 'cache') } });
}

/** Lists the integrations in the sandbox. */
export const published = async ({ home }) => (await readdir(join(home, 'sandbox')).catch(() => [])).sort();

/** Payloads for the commit of the repository. */
export const push = (branch) => (sha) => ({ ref: `refs/heads/${branch}`, after: sha, head_commit: { id: sha } });

export const deletion = (branch) => () => ({ ref: branch, ref_type: 'branch' });

export const pullRequest = (action, branch, label) => (sha) => ({
    action,
    number: 7,
    ...(label && { label: { name: label } }),
    pull_request: {
        number: 7,
        head: { ref: branch, sha, label: `acme:${branch}`, user: { login: 'acme' }, repo: REPOSITORY },
        base: { ref: 'main', repo: REPOSITORY },
        user: { login: 'someone' },
        labels: label && action === 'labeled' ? [{ name: label }] : [],
    },
});

export const readJson = async (path) => JSON.parse(await readFile(path, 'utf8'));
