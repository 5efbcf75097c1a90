/**
 * `npm run packages`: compiles the libraries as the packages that they are published as, and packs them into `dist/packages`. What `npm run build` makes
 * is for the services only: it turns the names of packages into paths.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TARBALLS = join(ROOT, 'dist', 'packages');
const run = (command, ...parameters) =>
  execFileSync(command, parameters, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });

try {
  // A file whose source is gone must not be published.
  for (const old of [...globSync('libs/*/dist', { cwd: ROOT }), 'dist/packages'])
    rmSync(join(ROOT, old), { recursive: true, force: true });
  execFileSync(
    process.execPath,
    [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', 'tsconfig.packages.json'],
    { cwd: ROOT, stdio: 'inherit' },
  );
  for (const source of globSync('libs/*/src/**/*.proto', { cwd: ROOT }))
    cpSync(join(ROOT, source), join(ROOT, source.replace('/src/', '/dist/')));
  for (const manifest of globSync('libs/*/package.json', { cwd: ROOT }))
    cpSync(join(ROOT, 'LICENSE'), join(ROOT, dirname(manifest), 'LICENSE'));
  mkdirSync(TARBALLS, { recursive: true });
  run('npm', 'pack', '--workspaces', '--silent', '--pack-destination', TARBALLS);
  process.stdout.write(
    `packed into ${TARBALLS}: ${globSync('*.tgz', { cwd: TARBALLS }).sort().join(' ')}\n`,
  );
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
