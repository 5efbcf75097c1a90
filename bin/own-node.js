/** The project brings its own Node (docs/adr/0001-own-node.md), so that an older one on the machine does not matter. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAJOR_MIN = 24;
const OWN_NODE = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'node_modules',
  '.bin',
  'node',
);
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** True when the Node that runs this was too old, and the script has been started again under the project's own. */
export function handedToOwnNode() {
  if (Number(process.versions.node.split('.')[0]) >= MAJOR_MIN) return false;
  if (!existsSync(OWN_NODE) || process.execPath === OWN_NODE) {
    process.stderr.write(
      `Holdfast needs Node ${MAJOR_MIN}; this is ${process.versions.node}. Run npm ci, or install it.\n`,
    );
    process.exitCode = 78;
    return true;
  }
  const child = spawn(OWN_NODE, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${OWN_NODE} does not start: ${error.message}\n`);
    process.exitCode = 70;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
  return true;
}
