import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../crash/real/requirements.js';
import { bareEnvironment } from '../support/bare-environment.js';
import { inRepository } from '../support/repository.js';
import { runs } from '../support/runs.js';

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child'] as const;

/**
 * Holds every import of a package, for ever: a service that goes on loading for as long as the test likes. What is held is said on
 * standard output, by the thread that holds it.
 */
const HOLD_IMPORTS = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module';
  const hooks = \`
    import { writeSync } from 'node:fs';
    export function resolve(name, context, next) {
      if (!/^[@a-z]/.test(name) || /^(node|data|file):/.test(name)) return next(name, context);
      writeSync(1, 'held');
      return new Promise(() => undefined);
    }\`;
  register('data:text/javascript,' + encodeURIComponent(hooks));
  setInterval(() => undefined, 1_000);
`)}`;

describeWith(
  'unshare --pid',
  () => runs(...UNSHARE, 'true'),
  'as process 1',
  () => {
    let directory: string;
    let process1: ChildProcess;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'holdfast-first-'));
    });
    afterEach(() => {
      process1.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    });

    /** The process that its namespace calls 1, as it is called here. */
    const pidOf = ({ pid = 0 }: ChildProcess): number =>
      Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));

    it.each([
      ['holdfast', 'SIGTERM', 0],
      ['command-service', 'SIGTERM', 0],
      ['projection-worker', 'SIGINT', 0],
      ['query-service', 'SIGTERM', 0],
      ['cli', 'SIGTERM', 143],
      ['cli', 'SIGINT', 130],
    ] as const)('%s ends on %s while it loads', async (app, signal, code) => {
      const main = inRepository(`dist/apps/${app}/src/main.js`);
      const [command, ...line] = [...UNSHARE, process.execPath, '--import', HOLD_IMPORTS, main];
      process1 = spawn(command, line, {
        env: { ...bareEnvironment(), HOLDFAST_DATA_DIRECTORY: join(directory, 'data') },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(process1, 'exit');
      await once(process1.stdout!, 'data');
      process.kill(pidOf(process1), signal);
      expect(await ended).toEqual([code, null]);
      expect(existsSync(join(directory, 'data'))).toBe(false);
    });
  },
);
