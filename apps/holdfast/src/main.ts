import {
  endWhenTold,
  keepCompiledCode,
  withoutMicroservices,
} from '@holdfast/platform/before-imports';

endWhenTold({ SIGTERM: 0, SIGINT: 0 });
withoutMicroservices();
const keep = keepCompiledCode(new URL('../../../.compiled/', import.meta.url));
await import('./run.js');
// It has started.
keep();
