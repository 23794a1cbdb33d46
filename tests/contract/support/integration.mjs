/** Creates integrations for tests in temporary folders. */
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

/** Creates a minimal integration with `more` files, which can replace its own; removes it after `use`. */
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
