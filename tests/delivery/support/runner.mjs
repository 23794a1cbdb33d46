/**
 * Runs the steps of action.yml like GitHub's runner. Unlike act, it can set the variables of any operating system, offers only
 * selected programs, and sets no `INPUT_` variables. An unsupported expression is an error.
 */
import { chmod, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

import { ROOT, run, succeed } from './program.mjs';

export const ACTION = parse(await readFile(join(ROOT, 'action.yml'), 'utf8'));

/** The programs that the scripts always need; `sh` is dash by default. */
const BASIC = ['cp', 'mkdir', 'mktemp', 'mv', 'rm', 'sed', 'tr'];

/** Creates a folder of programs to use as `PATH`: programs of this machine, or scripts given as text. */
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

/** Evaluates the expressions in a text: values of contexts, joined by `||`. */
function evaluate(text, contexts) {
    const value = (name) => {
        const [context, ...keys] = name.trim().split('.');
        if (!(context in contexts) || !/^[\w.-]+$/.test(name.trim())) {
            throw new Error(`unsupported expression: ${name}`);
        }
        return keys.reduce((object, key) => object?.[key], contexts[context]) ?? '';
    };
    return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression) => expression.split('||').map(value).find(Boolean) ?? '');
}

/** Parses the text that a step has written to `GITHUB_OUTPUT`. */
export function outputsIn(text) {
    const outputs = {};
    for (const [, name, plain, , long] of text.matchAll(/^(\w+)(?:=(.*)|<<(.+)\n([^]*?)\n?\3)$/gm)) {
        outputs[name] = plain ?? long;
    }
    return outputs;
}

/**
 * Runs the action in a workspace. `path` is `PATH`, `env` contains the variables of the workflow, `machine` those of the
 * runner; `stop` receives the running step.
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
