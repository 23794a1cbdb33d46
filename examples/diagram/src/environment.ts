/** The configuration of an installation, with the defaults of the manifest. */
import type { RuntimeContext, RuntimeEnvironment } from '@gitbook/runtime';

export const ENGINES = ['mermaid', 'graphviz', 'plantuml'] as const;
export type Engine = (typeof ENGINES)[number];

interface Configuration {
    server?: string;
    engine?: Engine;
    max_age?: number;
    show_source?: boolean;
}

export type DiagramContext = RuntimeContext<RuntimeEnvironment<Configuration>>;

export function configuration({ environment }: DiagramContext): Required<Configuration> {
    return {
        server: 'https://kroki.io',
        engine: 'mermaid',
        max_age: 3600,
        show_source: false,
        ...environment.installation?.configuration,
    };
}

/** Returns the public address of this installation. `fetch` in index.tsx receives its requests. */
export function publicEndpoint({ environment }: DiagramContext): string {
    const { urls } = environment.installation ?? environment.integration;
    return urls.publicEndpoint.replace(/\/$/, '');
}

export function isEngine(name: string | undefined): name is Engine {
    return ENGINES.some((engine) => engine === name);
}
