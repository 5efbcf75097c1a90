import { endWhenTold, keepCompiledCode } from '@holdfast/platform/before-imports';

// Anywhere else the signal ends the process by itself, also in the middle of work that does not let go of the thread.
if (process.pid === 1) endWhenTold({ SIGTERM: 143, SIGINT: 130 });
keepCompiledCode(new URL('../../../.compiled/', import.meta.url));
await import('./run.js');
