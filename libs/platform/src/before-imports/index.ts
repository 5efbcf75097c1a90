/**
 * What a program does before it loads anything else. It imports nothing, and a program imports nothing beside it: modules that are
 * imported statically are all found and read before the first line of any of them runs.
 */

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
