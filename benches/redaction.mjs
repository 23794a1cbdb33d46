// Measures the redaction of a 10 KB secret that repeats one character, in texts of two sizes.
// usage: node benches/redaction.mjs [BINARY]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BINARY = resolve(process.argv[2] ?? 'target/release/gitbook-deploy');
const RUNS = 7;
const SECRET = 'a'.repeat(10 * 1024);

/// Creates a repository of integrations; their names are almost a prefix of the secret.
function repository(count) {
    const folder = mkdtempSync(join(tmpdir(), 'redaction-'));
    for (let number = 0; number < count; number++) {
        const name = `${'a'.repeat(40)}-${number}`;
        const path = join(folder, name);
        mkdirSync(path);
        const manifest = `name: ${name}\ntitle: Hello\norganization: acme\nscript: main.js\nscopes: []\n`;
        writeFileSync(join(path, 'gitbook-manifest.yaml'), manifest);
        writeFileSync(join(path, 'main.js'), 'export default {};\n');
    }
    return folder;
}

/// Returns the median time of the runs in milliseconds, and the bytes that each run writes.
function measure(folder, token) {
    const report = join(folder, 'report.json');
    const env = { GITBOOK_MODE: 'check', GITBOOK_BUNDLE: 'false', GITBOOK_TOKEN: token, GITBOOK_REPORT_FILE: report };
    const times = [];
    let bytes = 0;
    for (let run = 0; run < RUNS; run++) {
        const started = process.hrtime.bigint();
        const { status, stderr } = spawnSync(BINARY, { cwd: folder, env, maxBuffer: 1 << 28 });
        times.push(Number(process.hrtime.bigint() - started) / 1e6);
        if (status !== 0) throw new Error(`exit ${status}: ${stderr}`);
        bytes = stderr.length + statSync(report).size;
    }
    return { bytes, median: times.sort((a, b) => a - b)[RUNS >> 1] };
}

const rows = [200, 2000].map((count) => {
    const folder = repository(count);
    const [short, long] = ['another-token', SECRET].map((token) => measure(folder, token));
    rmSync(folder, { recursive: true });
    return { kilobytes: long.bytes / 1000, short: short.median, long: long.median };
});
console.log('| text in KB | a short secret, ms | 10 KB of one character, ms |\n|---|---|---|');
for (const { kilobytes, short, long } of rows) {
    console.log(`| ${kilobytes.toFixed(0)} | ${short.toFixed(0)} | ${long.toFixed(0)} |`);
}
const [few, many] = rows;
console.log(`\n${(many.kilobytes / few.kilobytes).toFixed(1)} times the text takes ${(many.long / few.long).toFixed(1)} times as long.`);
