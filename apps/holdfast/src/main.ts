import {
  endWhenTold,
  findModulesFaster,
  keepCompiledCode,
} from '@holdfast/platform/before-imports';

endWhenTold({ SIGTERM: 0, SIGINT: 0 });
findModulesFaster({ microservices: false });
const keep = keepCompiledCode(new URL('../../../.compiled/', import.meta.url));
await import('./run.js');
// It has started.
keep();
