/** Integrations that a test writes itself, into a folder of their own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const MANIFEST = `\
name: written
title: Written
organization: acme
scopes: []
script: main.ts
`;

const SMALLEST = {
    'gitbook-manifest.yaml': MANIFEST,
    'main.ts': "export default { fetch: () => new Response('written') };",
};

/** Writes the smallest integration, with `more` files beside or instead, and removes it when `use` is done. */
export async function withIntegration(more, use) {
    const folder = await mkdtemp(join(tmpdir(), 'integration-'));
    try {
        for (const [path, content] of Object.entries({ ...SMALLEST, ...more })) {
            await mkdir(dirname(join(folder, path)), { recursive: true });
            await writeFile(join(folder, path), content);
        }
        return await use(folder);
    } finally {
        await rm(folder, { recursive: true });
    }
}
