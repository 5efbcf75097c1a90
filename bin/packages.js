/**
 * `npm run packages`: compiles the libraries as the packages that they are published as, and packs them into `dist/packages`. What `npm run build` makes is for the services only:
 * it turns the names of packages into paths. Nothing compiled stands below `libs`: a name that resolves there would no longer be turned.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGES = join('dist', 'packages');
const COMPILER = join('node_modules', 'typescript', 'bin', 'tsc');

const run = (command, parameters, stdout) =>
  execFileSync(command, parameters, { cwd: ROOT, stdio: ['ignore', stdout, 'inherit'] });
const copy = (from, to) => cpSync(join(ROOT, from), join(ROOT, to));

try {
  // A file whose source is gone must not be published.
  rmSync(join(ROOT, PACKAGES), { recursive: true, force: true });
  run(process.execPath, [COMPILER, '-b', 'tsconfig.packages.json'], 'inherit');
  const names = globSync('libs/*/package.json', { cwd: ROOT }).map((path) => path.split('/')[1]);
  for (const name of names) {
    for (const file of ['package.json', 'README.md'])
      copy(join('libs', name, file), join(PACKAGES, name, file));
    copy('LICENSE', join(PACKAGES, name, 'LICENSE'));
    for (const file of globSync('**/*.proto', { cwd: join(ROOT, 'libs', name, 'src') }))
      copy(join('libs', name, 'src', file), join(PACKAGES, name, 'dist', file));
  }
  const folders = names.map((name) => `./${join(PACKAGES, name)}`);
  run('npm', ['pack', '--silent', '--pack-destination', PACKAGES, ...folders], 'ignore');
  process.stdout.write(`packed into ${PACKAGES}: ${names.sort().join(', ')}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
