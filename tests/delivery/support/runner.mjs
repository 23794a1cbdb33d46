/**
 * Carries out the steps of action.yml as GitHub's runner does, and act does not: on any system's variables, with no
 * programs but those named, and with no `INPUT_` variables. What it can't evaluate is an error.
 */
import { chmod, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

import { ROOT, run, succeed } from './program.mjs';

export const ACTION = parse(await readFile(join(ROOT, 'action.yml'), 'utf8'));

/** What the scripts need at all; `sh` is dash unless another is named. */
const BASIC = ['cp', 'mkdir', 'mktemp', 'mv', 'rm', 'sed', 'tr'];

/** A folder of programs to be the whole `PATH`: those of this machine, or scripts where a text is given. */
export async function programs(folder, names, { sh = 'dash' } = {}) {
    const path = await mkdtemp(join(folder, 'programs-'));
    const link = async (name, program) =>
        symlink((await succeed('sh', ['-c', `command -v ${program}`])).trim(), join(path, name));
    const stands = (name) => names.some((scripts) => typeof scripts !== 'string' && name in scripts);
    for (const name of [...BASIC, ...names].filter((name) => typeof name === 'string' && !stands(name))) {
        await link(name, name);
    }
    for (const scripts of names.filter((name) => typeof name !== 'string')) {
        for (const [name, text] of Object.entries(scripts)) {
            await writeFile(join(path, name), text);
            await chmod(join(path, name), 0o755);
        }
    }
    if (!stands('sh')) {
        await link('sh', sh);
    }
    return path;
}

/** The value of a text with expressions: contexts' values, joined by `||`. */
function evaluate(text, contexts) {
    const value = (name) => {
        const [context, ...keys] = name.trim().split('.');
        if (!(context in contexts) || !/^[\w.-]+$/.test(name.trim())) {
            throw new Error(`not an expression that is known here: ${name}`);
        }
        return keys.reduce((object, key) => object?.[key], contexts[context]) ?? '';
    };
    return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression) => expression.split('||').map(value).find(Boolean) ?? '');
}

/** What a step has written to `GITHUB_OUTPUT`. */
export function outputsIn(text) {
    const outputs = {};
    for (const [, name, plain, , long] of text.matchAll(/^(\w+)(?:=(.*)|<<(.+)\n([^]*?)\n?\3)$/gm)) {
        outputs[name] = plain ?? long;
    }
    return outputs;
}

/**
 * Carries the action out in a workspace. `path` is `PATH`, `env` what the workflow sets, `machine` the runner's own
 * variables, `stop` is given the step that runs.
 */
export async function uses({ workspace, path, inputs = {}, env = {}, machine = {}, github = {}, stop, seconds }) {
    const contexts = { inputs, env, github, steps: {} };
    const result = { code: 0, text: '', steps: contexts.steps };
    for (const [index, step] of ACTION.runs.steps.entries()) {
        const files = { script: join(workspace, `step-${index}.sh`), output: join(workspace, `output-${index}`) };
        await mkdir(workspace, { recursive: true });
        await writeFile(files.script, step.run);
        await writeFile(files.output, '');
        const own = Object.entries(step.env ?? {}).map(([name, text]) => [name, evaluate(text, contexts)]);
        const variables = {
            GITHUB_WORKSPACE: workspace,
            ...machine,
            ...env,
            ...Object.fromEntries(own),
            GITHUB_OUTPUT: files.output,
        };
        const options = {
            cwd: workspace,
            env: { ...variables, PATH: path },
            seconds,
            stop: (child, output) => stop?.(step.id, child, output),
        };
        const ended = await run(step.shell, ['-e', files.script], options);
        contexts.steps[step.id] = { outputs: outputsIn(await readFile(files.output, 'utf8')) };
        result.text += ended.text;
        if (ended.code !== 0) {
            result.code = ended.code ?? ended.signal;
            break;
        }
    }
    const outputs = Object.entries(ACTION.outputs).map(([name, { value }]) => [name, evaluate(value, contexts)]);
    return { ...result, outputs: Object.fromEntries(outputs) };
}
