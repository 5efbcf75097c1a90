import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const { compilerOptions } = JSON.parse(readFileSync('tsconfig.json', 'utf8')) as {
  readonly compilerOptions: { readonly paths: Readonly<Record<string, readonly [string]>> };
};
const entries = Object.fromEntries(
  Object.entries(compilerOptions.paths).map(([name, [file]]) => [name, resolve(file)]),
);

/** Runs the sources as they stand, by the names that the compiler knows: nothing need be compiled for a test. */
const HOOKS = `
  import { existsSync, readFileSync } from 'node:fs';
  import { registerHooks, stripTypeScriptTypes } from 'node:module';
  import { fileURLToPath, pathToFileURL } from 'node:url';
  const entries = ${JSON.stringify(entries)};
  registerHooks({
    resolve(name, context, next) {
      if (entries[name]) return { url: pathToFileURL(entries[name]).href, shortCircuit: true };
      const isOurs = name.startsWith('.') && context.parentURL?.endsWith('.ts');
      const source = isOurs && new URL(name.replace(/\\.js$/, '.ts'), context.parentURL);
      return source && existsSync(source) ? { url: source.href, shortCircuit: true } : next(name, context);
    },
    load(url, context, next) {
      if (!url.endsWith('.ts')) return next(url, context);
      const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'), { mode: 'transform' });
      return { format: 'module', source, shortCircuit: true };
    },
  });
`;

/** A process that runs a source file, until it is killed. Resolves with its first line on standard output. */
export async function typescriptChild(
  script: URL,
  ...parameters: readonly string[]
): Promise<ChildProcess> {
  const hooks = `data:text/javascript,${encodeURIComponent(HOOKS)}`;
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--import', hooks, script.pathname, ...parameters],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${script.pathname} ended before it said anything`);
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => undefined);
  return child;
}

export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
