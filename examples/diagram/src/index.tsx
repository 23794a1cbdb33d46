/** Diagrams written as text: the block of a page, and the pictures that it shows. */
import { createIntegration } from '@gitbook/runtime';

import { diagram } from './component';
import type { DiagramContext } from './environment';
import { drawPicture } from './picture';

export default createIntegration<DiagramContext>({
    components: [diagram],
    fetch: drawPicture,
});
