/** `npm run dev`: everything in one process as in `npm start`, compiled and started again after each change of a source. */
import { fileURLToPath } from 'node:url';
import { COMPILER, markBuilt, newestSource } from './build-if-needed.js';
import { develop } from './develop.js';
import { handedToOwnNode } from './own-node.js';

if (process.env.npm_lifecycle_event !== undefined) await import('./end-with-parent.js');
if (!handedToOwnNode()) {
  let newest = 0;
  develop({
    compiler: [COMPILER, 'build', '--watch', '--preserveWatchOutput'],
    service: [fileURLToPath(new URL('../dist/apps/holdfast/src/main.js', import.meta.url))],
    // So that `holdfast` in another terminal need not compile the same again.
    onCompiling: () => (newest = newestSource()),
    onCompiled: () => markBuilt(newest),
  });
}
