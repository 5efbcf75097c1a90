/** `npm start`: builds if a source is newer than what was built, then runs everything in this very process, so that signals reach it. */
import { buildIfNeeded } from './build-if-needed.js';
import { handedToOwnNode } from './own-node.js';

const PARENT_POLL_MILLIS = 500;

if (process.env.npm_lifecycle_event !== undefined) stopWithoutParent();
if (!handedToOwnNode()) {
  await buildIfNeeded();
  await import('../dist/apps/holdfast/src/main.js');
}

/** npm that is told to end tells the shell between it and us, and the shell tells nobody. */
function stopWithoutParent() {
  const parent = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(looking);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_POLL_MILLIS);
  looking.unref();
}
