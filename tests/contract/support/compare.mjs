/** Compares the requests of two programs field by field. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';

/** Asserts that all fields except the script are equal; `except` lists fields that the test checks itself. */
export function assertSameBody(cli, ours, except = []) {
    const fields = new Set([...Object.keys(cli), ...Object.keys(ours)]);
    const differences = [...fields]
        .filter((field) => field !== 'script' && !except.includes(field))
        .filter((field) => !isDeepStrictEqual(cli[field], ours[field]))
        .map((field) => `${field}:\n  cli:  ${show(cli[field])}\n  ours: ${show(ours[field])}`);
    assert.equal(differences.join('\n'), '', `the bodies differ in\n${differences.join('\n')}`);
}

function show(value) {
    const text = value === undefined ? '(not sent)' : JSON.stringify(value);
    return text.length > 160 ? `${text.slice(0, 160)}… (${text.length} characters)` : text;
}

/** Asserts that our script is at most 2% larger, or 1% if the script of the CLI is over 20 KB. */
export function assertNoLarger(cliScript, ourScript) {
    const [theirs, ours] = [cliScript, ourScript].map((script) => Buffer.byteLength(script));
    const allowed = theirs * (theirs > 20_000 ? 1.01 : 1.02);
    const ratio = (ours / theirs).toFixed(4);
    assert.ok(ours <= allowed, `our script is ${ours} bytes; the script of the CLI is ${theirs} (ratio ${ratio})`);
}
