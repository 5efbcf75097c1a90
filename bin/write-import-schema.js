/** `npm run schema`: writes the schema of import mappings for editors, as the build has it. */
import { writeFileSync } from 'node:fs';
import { MAPPING_SCHEMA } from '../dist/apps/cli/src/import/mapping-schema.js';

writeFileSync(
  new URL('../docs/guides/import-mapping.schema.json', import.meta.url),
  `${JSON.stringify(MAPPING_SCHEMA, undefined, 2)}\n`,
);
