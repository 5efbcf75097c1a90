/** `npm start`: builds if a source is newer than what was built, then runs everything in this very process, so that signals reach it. */
import { buildIfNeeded } from './build-if-needed.js';
import { handedToOwnNode } from './own-node.js';

if (process.env.npm_lifecycle_event !== undefined) await import('./end-with-parent.js');
if (!handedToOwnNode()) {
  await buildIfNeeded();
  await import('../dist/apps/holdfast/src/main.js');
}
