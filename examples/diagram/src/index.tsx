/** Diagrams as text: a block for pages, and the pictures of the block. */
import { createIntegration } from '@gitbook/runtime';

import { diagram } from './component';
import type { DiagramContext } from './environment';
import { drawPicture } from './picture';

export default createIntegration<DiagramContext>({
    components: [diagram],
    fetch: drawPicture,
});
