/**
 * What a program does before it loads anything else. It imports nothing but Node, and a program imports nothing beside it: modules that are
 * imported statically are all found and read before the first line of any of them runs.
 */
import {
  type ResolveHookContext,
  enableCompileCache,
  flushCompileCache,
  registerHooks,
} from 'node:module';
import { fileURLToPath } from 'node:url';

type StopSignal = 'SIGTERM' | 'SIGINT';

/**
 * Ends the process with these exit codes when it is told to stop while it loads. Process 1 of a container has no default for a signal: one
 * that comes before there is a handler is lost, and the engine waits its whole grace and kills. Whoever installs a handler of his own takes over.
 */
export function endWhenTold(exitCodes: Readonly<Record<StopSignal, number>>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(exitCodes[signal]);
    });
}

/**
 * Keeps compiled code in a directory, which spares later starts a part of their processor time. Threads that are started afterwards do so too. It is kept when the process ends by itself, and when
 * the function that is returned is called: once everything is loaded, since a process that is killed keeps nothing. Where the directory cannot be written, nothing
 * is kept, and nothing else happens; what was cut short or damaged there Node knows by its checksum, and compiles anew. An operator's own NODE_COMPILE_CACHE goes first.
 */
export function keepCompiledCode(directory: URL): () => void {
  const path = fileURLToPath(directory);
  enableCompileCache(path);
  // A thread has a cache of its own, and finds it by this.
  process.env['NODE_COMPILE_CACHE'] ??= path;
  return flushCompileCache;
}

const MICROSERVICES = '@nestjs/microservices';

/**
 * Finds modules with less work, in this thread only. A path from one ES module to another is taken as it stands: Node would look at the file, at each directory of its path and at the
 * package around it, and again for every module that names it, which is half of what loading costs. It is found to be missing when it is read. Names of packages, and what `require` is
 * given, are left to Node.
 *
 * Nest loads its microservices wherever they are installed, 150 files of them, also in a program that has none. Without them it is as if they were not installed, which Nest takes well.
 */
export function findModulesFaster({ microservices }: { readonly microservices: boolean }): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const { parentURL } = context;
      if (specifier.startsWith('.') && specifier.endsWith('.js') && isImport(context))
        return { url: new URL(specifier, parentURL).href, shortCircuit: true };
      if (!microservices && specifier.startsWith(MICROSERVICES))
        throw new Error(`${specifier} is not part of this program`);
      return next(specifier, context);
    },
  });
}

function isImport({ conditions }: ResolveHookContext): boolean {
  return conditions.includes('import');
}
