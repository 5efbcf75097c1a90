/** Runs a program that says nothing for a while, and tells meanwhile how long it has been at work. */
import { spawn } from 'node:child_process';

const TOLD_EVERY_MILLIS = 5_000;

/** Its exit code. `output` is standard error unless a test listens. */
export function withProgress(
  title,
  command,
  parameters,
  { cwd, output = process.stderr, everyMillis = TOLD_EVERY_MILLIS } = {},
) {
  const startedAt = performance.now();
  const elapsed = () => `${Math.round((performance.now() - startedAt) / 1_000)} s`;
  output.write(`${title} …\n`);
  const telling = setInterval(() => output.write(`${title} … ${elapsed()}\n`), everyMillis);
  const child = spawn(command, parameters, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0) output.write(`${title}: done in ${elapsed()}\n`);
      resolve(code ?? signal);
    });
  }).finally(() => clearInterval(telling));
}
