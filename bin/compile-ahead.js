/** `node bin/compile-ahead.js`: compiles what the services load and keeps it, so that the first start of a container is as fast as any other. For the user who runs them: Node keeps compiled code by user. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../dist/.compiled/', import.meta.url)));
for (const service of ['holdfast', 'command-service', 'projection-worker', 'query-service'])
  await import(`../dist/apps/${service}/src/${service}.js`);
