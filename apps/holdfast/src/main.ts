import { endWhenTold } from '@holdfast/platform/before-imports';

endWhenTold({ SIGTERM: 0, SIGINT: 0 });
await import('./run.js');
