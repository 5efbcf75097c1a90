/**
 * `npm run docs:api`: writes the API reference of the libraries to `dist/api`, a module for each entry that a package exports. Fails on a
 * warning of TypeDoc, such as a link without a target.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Converter, ReflectionKind } from 'typedoc';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const entryPoints = globSync('libs/*/package.json', { cwd: ROOT }).flatMap((file) => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
  return Object.keys(exports)
    .map((entry) => join(ROOT, dirname(file), 'src', entry, 'index.ts'))
    .filter((path) => existsSync(path));
});

const app = await Application.bootstrap({
  name: 'Holdfast',
  entryPoints,
  tsconfig: join(ROOT, 'tsconfig.json'),
  out: join(ROOT, 'dist', 'api'),
  readme: 'none',
  disableSources: true,
  excludePrivate: true,
  excludeExternals: true,
  // `npm run check:types` compiles.
  skipErrorChecking: true,
  validation: { notExported: false },
  treatWarningsAsErrors: true,
});
app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_, reflection) => {
  // `wal/src/simulation` is what others import as `@holdfast/wal/simulation`.
  if (reflection.kindOf(ReflectionKind.Module))
    reflection.name = `@holdfast/${reflection.name.replace('/src', '')}`;
});
const project = await app.convert();
if (project !== undefined) app.validate(project);
if (project === undefined || app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
await app.generateOutputs(project);
