/** The block `diagram` of the manifest: a picture, and its text while editing. */
import { createComponent } from '@gitbook/runtime';

import { decode } from './encoding';
import { configuration, ENGINES, isEngine, type DiagramContext, type Engine } from './environment';
import { pictureUrl } from './picture';

/** Stored in the page. */
type Props = { source?: string; engine?: Engine };
/** Kept while the page is open. */
type State = { source: string; engine: Engine; editing: boolean };
type Action = { action: 'edit' } | { action: 'save' };

const EXAMPLES: Record<Engine, string> = {
    mermaid: 'flowchart LR\n  Write --> Review --> Publish',
    graphviz: 'digraph { rankdir = LR; Write -> Review -> Publish }',
    plantuml: '@startuml\nWrite -> Review\nReview -> Publish\n@enduml',
};

export const diagram = createComponent<Props, State, Action, DiagramContext>({
    componentId: 'diagram',

    initialState: (props, _rendering, context) => {
        const engine = props.engine ?? configuration(context).engine;
        return { engine, source: props.source ?? EXAMPLES[engine], editing: props.source === undefined };
    },

    // GitBook sends the action; the return value contains the changes, and `render` draws them.
    action: async ({ state }, action) => {
        switch (action.action) {
            case '@link.unfurl':
                return await readLink(action.url);
            case 'edit':
                return { state: { ...state, editing: true } };
            case 'save':
                return {
                    props: { source: state.source, engine: state.engine },
                    state: { ...state, editing: false },
                };
            default:
                return undefined;
        }
    },

    render: async ({ props, state, context: place, dynamicState }, context) => {
        const engine = props.engine ?? state.engine;
        const source = props.source ?? state.source;
        const editable = place.type === 'document' && place.editable;
        return (
            <block controls={editable ? [{ label: 'Edit', onPress: { action: 'edit' } }] : []}>
                <image source={{ url: await pictureUrl(context, engine, source) }} aspectRatio={16 / 9} />
                {editable && state.editing ? (
                    <vstack>
                        <codeblock state="source" content={dynamicState('source')} syntax={state.engine} />
                        <select
                            state="engine"
                            initialValue={state.engine}
                            options={ENGINES.map((id) => ({ id, label: id }))}
                        />
                        <button style="primary" label="Save" onPress={{ action: 'save' }} />
                    </vstack>
                ) : null}
                {configuration(context).show_source ? <codeblock content={source} syntax={engine} /> : null}
            </block>
        );
    },
});

/** Reads a pasted `https://kroki.io/{engine}/svg/{encoded}`. Other links do not change the block. */
async function readLink(url: string): Promise<{ props: Props; state: State } | undefined> {
    const [, engine, encoded] = new URL(url).pathname.match(/^\/(\w+)\/svg\/(.+)$/) ?? [];
    if (!isEngine(engine)) {
        return undefined;
    }
    const props = { engine, source: await decode(encoded) };
    return { props, state: { ...props, editing: false } };
}
