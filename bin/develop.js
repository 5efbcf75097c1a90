/** A compiler that watches, and a service that starts again each time it has compiled everything. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const END_WITH_PARENT = fileURLToPath(new URL('end-with-parent.js', import.meta.url));
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs until it is told to stop, and leaves no process behind. `compiler` and `service` are what Node runs, with its parameters; `onCompiling` and `onCompiled`
 * are told when the compiler begins, and when it has found no mistake. A service whose sources do not compile goes on;
 * one that has ended starts again after the next change.
 */
export function develop({ compiler, service, onCompiling, onCompiled }) {
  let running;
  let stopping = false;
  let restarted = Promise.resolve();

  const compiling = child(compiler, ['ignore', 'pipe', 'inherit']);
  createInterface(compiling.stdout).on('line', (line) => {
    process.stdout.write(`${line}\n`);
    if (/Starting .*compilation/.test(line)) onCompiling?.();
    if (line.includes('Found 0 errors')) restart();
  });
  compiling.on('exit', () => void stop(1));
  for (const signal of STOP_SIGNALS) process.on(signal, () => void stop(0));

  function restart() {
    onCompiled?.();
    restarted = restarted.then(async () => {
      await ended(running);
      if (!stopping) running = start();
    });
  }

  function start() {
    const started = child(service, ['ignore', 'inherit', 'inherit']);
    started.on('exit', (code, signal) => {
      if (started.killed || stopping) return;
      process.stderr.write(
        `The service ended with ${code ?? signal}; it starts again after the next change.\n`,
      );
    });
    return started;
  }

  async function stop(exitCode) {
    if (stopping) return;
    stopping = true;
    process.exitCode = exitCode;
    await restarted;
    await Promise.all([ended(running), ended(compiling)]);
  }
}

/** In a process group of its own: Ctrl-C reaches only the parent, because a service that is told to stop twice ends at once. */
function child(parameters, stdio) {
  return spawn(process.execPath, ['--import', END_WITH_PARENT, ...parameters], {
    stdio,
    detached: true,
  });
}

function ended(process) {
  if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
  process.kill('SIGTERM');
  return new Promise((resolve) => process.on('exit', resolve));
}
