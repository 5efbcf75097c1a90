/** `npm start`: builds if a source is newer than what was built, then runs everything in this very process, so that signals reach it. */
import { buildIfNeeded } from './build-if-needed.js';
import { handedToOwnNode } from './own-node.js';

if (!handedToOwnNode()) {
  buildIfNeeded();
  await import('../dist/apps/holdfast/src/main.js');
}
